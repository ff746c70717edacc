"""Thresholds from a budget of false fires: the scores from which the shapes together set off no
more of the hands that show something else than the budget says."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reactions.gestures.hand_classes import SHAPES
from reactions.training.hands_report import (
    FEWEST_HANDS,
    FEWEST_PEOPLE,
    Scores,
    mean_over_people,
)
from reactions.training.recorded_hands import RecordedHands
from reactions.training.training_set import right_classes

_GRID = np.round(np.arange(0.5, 0.701, 0.01), 2)
"""Nothing below: a reaction ends when its score falls below 0.5 (config/reaction_rule.py). Nothing
above: the photos of docs/training.md lose open palms from 0.75 on, which these hands do not show.
"""
_PRICES = np.geomspace(0.01, 100, 161)
"""What a false fire costs in recall: the cheapest that keeps the budget is found by trying."""


@dataclass(frozen=True, slots=True)
class _Curve:
    """One shape at each threshold of the grid, as means over people."""

    recall: npt.NDArray[np.float64]
    fires: npt.NDArray[np.float64]
    known: bool
    """Whether enough people show it."""


def thresholds_within(
    budget: float, hands: RecordedHands, scores: Scores, shapes: tuple[str, ...] = SHAPES
) -> Mapping[str, float]:
    """The thresholds of ``shapes`` with the best mean recall whose fires are within ``budget``.

    ``budget`` is a share, 0–1, of the hands that show none of ``shapes``, as a mean over people.
    Where one hand sets off two shapes, both count. ``scores`` must come from classifiers that have
    not seen the people. A shape that too few people show has the highest threshold: its recall is
    not known well enough to spend fires on. So has any where no choice keeps the budget.
    """
    curves = [_curve(hands, scores, shapes, shape) for shape in shapes]
    last = len(_GRID) - 1
    for price in _PRICES:
        cost = price * len(shapes)
        picks = [
            int(np.argmax(curve.recall - cost * curve.fires)) if curve.known else last
            for curve in curves
        ]
        if sum(curve.fires[k] for curve, k in zip(curves, picks, strict=True)) <= budget:
            break
    else:
        picks = [last] * len(shapes)
    return {shape: float(_GRID[k]) for shape, k in zip(shapes, picks, strict=True)}


def _curve(hands: RecordedHands, scores: Scores, shapes: tuple[str, ...], shape: str) -> _Curve:
    names = np.array(hands.labels)[hands.label]
    column = SHAPES.index(shape)
    shown, others = names == shape, ~np.isin(names, shapes)
    allowed = right_classes(hands)[:, column]
    recall, fires = [], []
    for threshold in _GRID:
        fired = scores[:, column] >= threshold
        recall.append(mean_over_people(hands.source[shown], fired[shown]))
        fires.append(mean_over_people(hands.source[others], (fired & ~allowed)[others]))
    people = np.unique(hands.source[shown], return_counts=True)[1] >= FEWEST_HANDS
    return _Curve(np.array(recall), np.array(fires), int(people.sum()) >= FEWEST_PEOPLE)
