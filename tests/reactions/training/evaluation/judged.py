"""Verdicts for tests."""

from collections.abc import Mapping

from reactions.training.evaluation.cases import Case, CaseKind
from reactions.training.evaluation.conditions import Condition
from reactions.training.evaluation.skin_tone import ApparentTone
from reactions.training.evaluation.verdicts import CaseVerdict


def verdict(
    name: str,
    *fired: str,
    source: str = "one",
    started: Mapping[str, int] | None = None,
    wrong: Mapping[str, int] | None = None,
    found: bool = True,
    seconds: float = 10.0,
    kind: CaseKind = CaseKind.PHOTO,
    condition: Condition = Condition.PLAIN,
    file: str = "a.jpg",
    tone: ApparentTone | None = None,
) -> CaseVerdict:
    """A verdict; what starts in the stream is what fires in the still picture unless given."""
    return CaseVerdict(
        Case(source, name, kind, file, condition),
        found_still=found,
        found_stream=found,
        fired=frozenset(fired),
        started=dict.fromkeys(fired, 1) if started is None else started,
        seconds=seconds,
        wrong_fired=frozenset(wrong or {}),
        wrong_started=wrong or {},
        tone=tone,
    )
