"""How easily reactions start: the table's thresholds and holds, moved along the measured curve."""

from collections.abc import Mapping
from enum import StrEnum
from math import exp
from types import MappingProxyType
from typing import Final

from config.reaction_rule import ReactionRule


class Sensitivity(StrEnum):
    """How much of a sign it takes."""

    CALM = "calm"
    """Fewer false reactions, more signs that must be made again: for serious meetings."""
    NORMAL = "normal"
    """The table as it is."""
    PLAYFUL = "playful"
    """Reactions start sooner, and more of them unmeant."""


LOG_ODDS: Final[Mapping[Sensitivity, float]] = MappingProxyType(
    {Sensitivity.CALM: 1.0, Sensitivity.NORMAL: 0.0, Sensitivity.PLAYFUL: -1.0}
)
"""By how much thresholds move, in log-odds: on hands of 80 people whom the classifier had not seen,
a step of one about halves, or doubles, the fires on other hands (docs/policy.md has the curve).

Scores are calibrated probabilities (hand shapes) or logistic in a geometric measure (all others,
``reactions/gestures/calibration.py``): in both the same step of log-odds is the same step along the
label's own curve, wherever its threshold is.
"""
HOLDS: Final[Mapping[Sensitivity, float]] = MappingProxyType(
    {Sensitivity.CALM: 0.4, Sensitivity.NORMAL: 0.0, Sensitivity.PLAYFUL: -0.2}
)
"""By how many seconds holds change: two samples of five a second more, or one less."""
SHORTEST_HOLD: Final = 0.4
"""Seconds to which a hold is shortened at most: two samples after the first, which is the least
that the shipped evidence (3 of 4) can be given in."""
LONG_HOLD: Final = 1.5
"""Seconds from which a hold is never shortened: such holds are above what people do by the way
while they talk (a smile of 2.6 s, docs/labels.md), and a sample less would be below it again."""


def with_sensitivity(
    table: Mapping[str, ReactionRule], sensitivity: Sensitivity
) -> Mapping[str, ReactionRule]:
    """``table`` as it counts at ``sensitivity``."""
    if sensitivity is Sensitivity.NORMAL:
        return table
    return {label: _moved(rule, sensitivity) for label, rule in table.items()}


def _moved(rule: ReactionRule, sensitivity: Sensitivity) -> ReactionRule:
    by = LOG_ODDS[sensitivity]
    values = {
        "threshold": _shifted(rule.threshold, by),
        "release": _shifted(rule.release, by),
        "hold": _held(rule.hold, HOLDS[sensitivity]),
    }
    return rule.model_copy(update=values)


def _shifted(score: float, by: float) -> float:
    """``score``, 0–1, moved by ``by`` in log-odds; 0 and 1 stay."""
    raised = score * exp(by)
    return raised / (1 - score + raised)


def _held(hold: float, by: float) -> float:
    if by < 0:
        return hold if hold >= LONG_HOLD else max(min(hold, SHORTEST_HOLD), hold + by)
    return hold + by
