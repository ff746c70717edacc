"""What starts in each clip: stickers and events, presence left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reactions.labels import LABELS, Group
from reactions.training.evaluation.cases import CaseKind
from reactions.training.evaluation.verdicts import CaseVerdict
from reactions.training.label_names import Shown

_SHOWS = {
    Shown.LABEL: "a reaction",
    Shown.LOOK_ALIKE: "a look-alike",
    Shown.ORDINARY: "people who talk or listen",
    Shown.UNSCORED: "more than its name says",
}


@dataclass(frozen=True, slots=True)
class ClipRow:
    """One clip."""

    source: str
    name: str
    shows: str
    seconds: float
    started: Mapping[str, int]
    """How often each label starts, stickers and events."""


def clip_rows(verdicts: Sequence[CaseVerdict]) -> list[ClipRow]:
    """A row for each clip among ``verdicts``."""
    return [
        ClipRow(
            each.case.source,
            each.case.name,
            _SHOWS[each.case.meaning.shown],
            each.seconds,
            started_in(each),
        )
        for each in verdicts
        if each.case.kind is CaseKind.CLIP
    ]


def started_in(verdict: CaseVerdict) -> Mapping[str, int]:
    """How often each label starts in ``verdict``; presence and ``neutral`` are left out."""
    return {
        name: count
        for name, count in verdict.started.items()
        if LABELS[name].group is not Group.PRESENCE and name != "neutral"
    }
