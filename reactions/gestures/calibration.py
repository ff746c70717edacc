"""Measures to scores: smooth ramps that put the shipped threshold at each decision point."""

from math import exp, log

DECISION = 0.7
"""The score at a decision point: the default threshold of a reaction (config/reaction_rule.py)."""

_LOGIT_DECISION = log(DECISION / (1 - DECISION))
_LOGIT_SURE = log(0.95 / 0.05)


def ramp(value: float, at: float, sure: float) -> float:
    """The score, 0–1, of a measure: 0.7 where ``value`` is ``at``, 0.95 where it is ``sure``.

    A logistic curve through both; it falls with ``value`` where ``sure`` is below ``at``.
    """
    slope = (_LOGIT_SURE - _LOGIT_DECISION) / (sure - at)
    logit = _LOGIT_DECISION + slope * (value - at)
    # exp overflows beyond 709; at 60 the score has long been 0 or 1.
    if not -60.0 < logit < 60.0:
        logit = 60.0 if logit > 0 else -60.0
    return 1 / (1 + exp(-logit))
