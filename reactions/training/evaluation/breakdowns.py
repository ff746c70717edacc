"""Recognition label by label over all sources, and what each source changes in the mean."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from reactions.gestures.hand_classifier import SHIPPED
from reactions.labels import LABELS, Group
from reactions.training.dataset import FREE_SOURCES
from reactions.training.evaluation.cases import MANNEQUINS
from reactions.training.evaluation.intervals import Share, mean_over, share_of
from reactions.training.evaluation.rows import grouped
from reactions.training.evaluation.verdicts import CaseVerdict


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One label: in photos of people, and acted by mannequins."""

    label: str
    moves: bool
    """Whether it needs motion, which no still picture shows."""
    sources: int
    """Of photos."""
    still: Share
    stream: Share
    mean_still: float
    """Over sources, each of which counts the same."""
    mean_stream: float
    drawn_still: Share
    drawn_stream: Share


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One source of photos, and the mean over all others."""

    source: str
    trained_on: bool
    """Whether the shipped hand classifier was trained on hands of its photos."""
    still: Share
    stream: Share
    others_still: float
    """The mean over the other sources: what is left without this one."""
    others_stream: float
    held_out: float | None
    """Of hands read by a classifier that was not trained on the source: the share named right,
    other hands included. From the card of the shipped classifier."""


def label_rows(verdicts: Sequence[CaseVerdict]) -> list[LabelRow]:
    """A row for each label that ``verdicts`` show, the least often started first."""
    rows = []
    for label, some in grouped(verdicts, lambda each: each.case.meaning.label).items():
        drawn = [each for each in some if each.case.source == MANNEQUINS]
        photos = [each for each in some if each.case.source != MANNEQUINS]
        sources = grouped(photos, _source)
        rows.append(
            LabelRow(
                label,
                LABELS[label].group is Group.MOTION,
                len(sources),
                share_of(each.named_still for each in photos),
                share_of(each.named_stream for each in photos),
                mean_over({name: _still(each) for name, each in sources.items()}),
                mean_over({name: _stream(each) for name, each in sources.items()}),
                share_of(each.named_still for each in drawn),
                share_of(each.named_stream for each in drawn),
            )
        )
    return sorted(rows, key=_started)


def _started(row: LabelRow) -> tuple[float, float]:
    drawn = row.drawn_stream.value if row.drawn_stream.of else 1.0
    return (row.stream.value if row.stream.of else drawn), drawn


def source_rows(photos: Sequence[CaseVerdict]) -> list[SourceRow]:
    """A row for each source of ``photos``, the least often started first."""
    sources = grouped(photos, _source)
    held_out = _held_out()
    rows = []
    for source, some in sources.items():
        others = {name: each for name, each in sources.items() if name != source}
        rows.append(
            SourceRow(
                source,
                source in FREE_SOURCES,
                _still(some),
                _stream(some),
                mean_over({name: _still(each) for name, each in others.items()}),
                mean_over({name: _stream(each) for name, each in others.items()}),
                held_out.get(source),
            )
        )
    return sorted(rows, key=lambda row: row.stream.value)


def _held_out() -> dict[str, float]:
    card = json.loads(SHIPPED.with_suffix(".json").read_text(encoding="utf-8"))
    return {str(name): float(share) for name, share in card["held_out_photos"].items()}


def _source(verdict: CaseVerdict) -> str:
    return verdict.case.source


def _still(verdicts: Sequence[CaseVerdict]) -> Share:
    return share_of(each.named_still for each in verdicts)


def _stream(verdicts: Sequence[CaseVerdict]) -> Share:
    return share_of(each.named_stream for each in verdicts)
