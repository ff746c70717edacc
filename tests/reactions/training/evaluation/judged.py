"""Verdicts for tests."""

from collections.abc import Mapping

from reactions.training.evaluation.cases import Case, Material
from reactions.training.evaluation.conditions import Condition
from reactions.training.evaluation.verdicts import Verdict


def verdict(
    name: str,
    *fired: str,
    source: str = "one",
    started: Mapping[str, int] | None = None,
    wrong: Mapping[str, int] | None = None,
    found: bool = True,
    seconds: float = 10.0,
    material: Material = Material.PHOTO,
    condition: Condition = Condition.PLAIN,
    file: str = "a.jpg",
) -> Verdict:
    """A verdict; what starts in the stream is what fires in the still picture unless given."""
    return Verdict(
        Case(source, name, material, file, condition),
        found_still=found,
        found_stream=found,
        fired=frozenset(fired),
        started=dict.fromkeys(fired, 1) if started is None else started,
        seconds=seconds,
        wrong_fired=frozenset(wrong or {}),
        wrong_started=wrong or {},
    )
