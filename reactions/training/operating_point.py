"""Where the classifier works: a bias a class and a threshold a shape, chosen together.

Thresholds alone can't move a hand from one shape to another. A bias, added to a class's calibrated
logit, can: so both are chosen for the best mean recall that a budget of false fires allows. All
figures are means over people whom the classifiers have not seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Self

import numpy as np
import numpy.typing as npt

from reactions.gestures.hand_classes import CLASSES, SHAPES
from reactions.training.hands_report import FEWEST_HANDS, FEWEST_PEOPLE
from reactions.training.member_calibration import Calibration, Logits
from reactions.training.recorded_hands import RecordedHands
from reactions.training.training_set import right_classes

LOWEST = 0.5
"""A reaction ends when its score falls below (config/reaction_rule.py)."""
HIGHEST = 0.7
"""Photos lose open palms from 0.75 on, which recorded hands do not show (docs/training.md)."""
_BORNE = {"open_palm": 0.57, "fist": 0.5}
"""Highest thresholds of shapes that photos lose first; recorded hands would raise them to pay for
others. The biases of these may only grow."""
_MOVES = (0.5, 0.25, 0.1, 0.05)
"""Steps of a bias, in logits, from coarse to fine …"""
_LEAPS = (0.1, 0.05, 0.02, 0.01)
"""… and those of a threshold beside them."""
_FINE = 3
"""Of these, those with which a point follows a price that rises a little."""
_PRICES = np.geomspace(0.7, 8, 16)
"""What a false fire costs in recall."""
_SPENT = 0.5
"""The price at which what is left of the budget is spent."""
_COLD = (3.0, 10.0)
"""Prices for which a point is also looked for from the start."""
_HELD = 0.005
"""What a logit of bias costs in recall: one that hardly helps stays where calibration put it."""
_FARTHEST = 0.5
"""From calibration, in logits: with 2, other shapes take so much from palms in photos that some are
lost."""

_HIGHEST_OF = np.array([_BORNE.get(shape, HIGHEST) for shape in SHAPES])
_LEAST_BIAS = np.array([0.0 if shape in _BORNE else -_FARTHEST for shape in SHAPES])
_ENOUGH = 25
"""Hands of one person and label that the search looks at; the budget is kept on all."""

_Floats = npt.NDArray[np.float32]
_Marks = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What scores are made with and from which score shapes count."""

    calibration: Calibration
    thresholds: Mapping[str, float]


def choose_operating_point(
    budget: float, hands: RecordedHands, values: Logits, calibration: Calibration
) -> OperatingPoint:
    """The biases and thresholds with the best mean recall whose fires are within ``budget``.

    ``budget`` is a share, 0–1, of the hands that show no shape, as a mean over people; a hand that
    sets off two shapes counts once. ``values`` must come from classifiers that have not seen the
    people. A shape that too few people show keeps ``calibration``'s bias and the highest
    threshold: its recall is not known well enough to spend fires on. So has any where no choice
    keeps the budget.
    """
    whole = _Scale.of(hands, values, calibration)
    some = whole.thinned(hands.source * len(hands.labels) + hands.label)
    start = _Point.start()
    point = some.climb(start, float(_PRICES[0]))
    found = [start, point]
    for price in _PRICES[1:].tolist():
        point = some.climb(point, price, _FINE)
        found.append(point)
    found += [some.climb(start, price) for price in _COLD]
    figures = [whole.figures(each, whole.shares(each)) for each in found]
    kept = [k for k, each in enumerate(figures) if each.fires <= budget]
    best = found[max(kept, key=lambda k: figures[k].recall, default=0)]
    if kept:
        best = whole.climb(best, _SPENT, _FINE, budget)
    bias = np.array(calibration.bias) + best.bias
    bias -= bias.mean()
    return OperatingPoint(
        Calibration(calibration.temperature, tuple(round(float(each), 4) for each in bias)),
        {shape: round(float(t), 2) for shape, t in zip(SHAPES, best.thresholds, strict=True)},
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    bias: npt.NDArray[np.float64]
    """(classes,): added to calibration's."""
    thresholds: npt.NDArray[np.float64]
    """(shapes,)"""

    @classmethod
    def start(cls) -> Self:
        return cls(np.zeros(len(CLASSES)), _HIGHEST_OF.copy())

    def moved(self, shape: int, by: float) -> "_Point | None":
        """With another bias; None where that is too far from calibration."""
        bias = self.bias.copy()
        bias[shape] = round(bias[shape] + by, 2)
        inside = _LEAST_BIAS[shape] <= bias[shape] <= _FARTHEST
        return _Point(bias, self.thresholds) if inside else None

    def raised(self, shape: int, by: float) -> "_Point | None":
        """With another threshold; None where there is no such threshold."""
        thresholds = self.thresholds.copy()
        thresholds[shape] = round(thresholds[shape] + by, 2)
        inside = LOWEST <= thresholds[shape] <= _HIGHEST_OF[shape]
        return _Point(self.bias, thresholds) if inside else None


@dataclass(frozen=True, slots=True, eq=False)
class _Scale:
    """What weighs an operating point: the hands that count, and how much each does."""

    grown: _Floats
    """(n, members, classes): exponentials of calibrated logits."""
    shown: _Floats
    """(n, shapes): what a hand that fires adds to the mean recall."""
    other: _Floats
    """(n,): what one that fires adds to the fires on other hands."""
    allowed: _Marks
    """(n, shapes): which shapes may fire."""
    known: tuple[int, ...]
    """Shapes that enough people show."""

    @classmethod
    def of(cls, hands: RecordedHands, values: Logits, calibration: Calibration) -> Self:
        names = np.array(hands.labels)[hands.label]
        marks = names[:, None] == np.array(SHAPES)
        people = [_share_of_people(hands.source, marks[:, i]) for i in range(len(SHAPES))]
        known = tuple(i for i, each in enumerate(people) if each.people >= FEWEST_PEOPLE)
        shown = np.zeros(marks.shape, np.float32)
        for i in known:
            shown[:, i] = people[i].share / len(known)
        other = _share_of_people(hands.source, ~marks.any(axis=1)).share
        moved = calibration.apply(values)
        moved -= moved.max(axis=2, keepdims=True)
        allowed = right_classes(hands)[:, : len(SHAPES)]
        return cls(np.exp(moved), shown, other, allowed, known)

    def thinned(self, group: npt.NDArray[np.int64]) -> Self:
        """With at most ``_ENOUGH`` hands of each ``group`` (n,), which weigh as much as all."""
        order = np.argsort(group, kind="stable")
        _, start, size = np.unique(group[order], return_index=True, return_counts=True)
        rank = np.arange(len(group)) - np.repeat(start, size)
        each, most = np.repeat(size, size), np.repeat(np.minimum(size, _ENOUGH), size)
        kept = (rank + 1) * most // each > rank * most // each
        rows, weight = order[kept], (each / most)[kept].astype(np.float32)
        return type(self)(
            self.grown[rows],
            self.shown[rows] * weight[:, None],
            self.other[rows] * weight,
            self.allowed[rows],
            self.known,
        )

    def climb(
        self, point: _Point, price: float, fine: int = len(_MOVES), budget: float = 1.0
    ) -> _Point:
        """The best point uphill of ``point`` where a share of fires costs ``price`` of recall, in
        the ``fine`` finest steps, and never more fires than ``budget``."""
        shares = self.shares(point)
        worth = self._worth(point, shares, price, budget)
        for move, leap in zip(_MOVES[-fine:], _LEAPS[-fine:], strict=True):
            better = True
            while better:
                better = False
                for shape, way, sign in product(self.known, (_Point.moved, _Point.raised), (1, -1)):
                    turned = way is _Point.moved
                    tried = way(point, shape, sign * (move if turned else leap))
                    if tried is None:
                        continue
                    seen = self.shares(tried) if turned else shares
                    if (new := self._worth(tried, seen, price, budget)) > worth + 1e-6:
                        point, shares, worth, better = tried, seen, new, True
        return point

    def shares(self, point: _Point) -> _Floats:
        """(n, shapes): the probabilities at the biases of ``point``."""
        weighed = self.grown * np.exp(point.bias).astype(np.float32)
        weighed /= weighed.sum(axis=2, keepdims=True)
        return np.asarray(weighed[:, :, : len(SHAPES)].mean(axis=1))

    def figures(self, point: _Point, shares: _Floats) -> "_Figures":
        fired = shares >= point.thresholds.astype(np.float32)
        mistaken = (fired & ~self.allowed).any(axis=1)
        return _Figures(float(self.shown[fired].sum()), float(self.other[mistaken].sum()))

    def _worth(self, point: _Point, shares: _Floats, price: float, budget: float) -> float:
        found = self.figures(point, shares)
        if found.fires > budget:
            return -np.inf
        held = _HELD * float(np.abs(point.bias).sum()) / len(SHAPES)
        return found.recall - price * found.fires - held


@dataclass(frozen=True, slots=True)
class _Figures:
    recall: float
    """The mean of shapes and people."""
    fires: float
    """On other hands, as a mean over people."""


@dataclass(frozen=True, slots=True, eq=False)
class _Shares:
    share: _Floats
    """(n,): what each hand adds to the mean over people; 0 for one that does not count."""
    people: int


def _share_of_people(source: npt.NDArray[np.int64], which: _Marks) -> _Shares:
    sizes = np.bincount(source[which], minlength=int(source.max(initial=0)) + 1)
    people = int((sizes >= FEWEST_HANDS).sum())
    each = np.where(sizes >= FEWEST_HANDS, 1 / np.maximum(sizes, 1), 0) / max(people, 1)
    return _Shares((each[source] * which).astype(np.float32), people)
