"""How well the classifier alone names recorded hands: recall a shape, and fires on other hands.

Hands of one person are alike, so every figure stands beside its mean over people. Figures are at
the thresholds of the reaction table.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from config.reaction_rule import ReactionRule
from reactions.gestures.features import features_of
from reactions.gestures.hand_classes import SHAPES
from reactions.gestures.hand_classifier import HandShapeClassifier
from reactions.landmark_types import Hand, Side
from reactions.training.recorded_hands import RecordedHands
from reactions.training.shape_definitions import contradicted

FEWEST_HANDS = 5
"""A person with fewer hands of a label is left out of its mean over people."""
FEWEST_PEOPLE = 5
"""A shape of fewer people is reported but not counted in the mean over shapes."""
_UNREAD_THRESHOLD = 0.5
"""For a class that has no row in the reaction table: nothing reads it, so it can't fire."""

Marks = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float32]
"""(n, shapes): the probability of each of ``SHAPES``."""


Interval = tuple[float, float]
"""95 % of the means of as many people, drawn with replacement (percentile bootstrap)."""
_DRAWS = 2000


@dataclass(frozen=True, slots=True)
class ShapeRecall:
    """Hands that show one shape: the share in which it fires, 0–1."""

    hands: int
    people: int
    """With at least FEWEST_HANDS hands of it."""
    counted: bool
    """In the mean over shapes: it has a row in the reaction table, and enough people."""
    threshold: float
    pooled: float | None
    mean_over_people: float | None
    interval: Interval | None
    """Of ``mean_over_people``, were others drawn from people like these."""
    worst_person: float | None


@dataclass(frozen=True, slots=True)
class OtherLabel:
    """Hands of one label that is no shape of the vocabulary."""

    hands: int
    people: int
    fired: int
    by: Mapping[str, int]
    """How often each shape fired."""


@dataclass(frozen=True, slots=True)
class OtherHands:
    """Hands that show no shape of the vocabulary: the share in which one fires all the same.

    A shape that the hand is marked to be near may fire.
    """

    hands: int
    fired: int
    pooled: float | None
    mean_over_people: float | None
    interval: Interval | None
    by_label: Mapping[str, OtherLabel]
    """Labels that set something off, most fires first."""


@dataclass(frozen=True, slots=True)
class DefinedRecall:
    """One shape's recall over the hands whose points do not contradict its definition."""

    left_out: int
    """Hands that ``contradicted`` finds to show something else …"""
    left_out_people: int
    """… and whose they are."""
    people: int
    """With at least FEWEST_HANDS other hands of it."""
    pooled: float | None
    mean_over_people: float | None


@dataclass(frozen=True, slots=True)
class InDefinition:
    """Recall without the hands that evidently do not show what their label says. It explains
    ``HandsReport``'s plain figures, which stay the ones that count."""

    mean_over_shapes: float | None
    """Over the shapes that count in the plain figure."""
    worst_shape: str | None
    shapes: Mapping[str, DefinedRecall]


@dataclass(frozen=True, slots=True)
class HandsReport:
    """The figures of one file of recorded hands."""

    hands: int
    people: int
    mean_over_shapes: float | None
    """Of ``mean_over_people``, over the shapes that count."""
    worst_shape: str | None
    wrong_shape: float | None
    """Share of the hands showing a shape in which another fires."""
    shapes: Mapping[str, ShapeRecall]
    other_hands: OtherHands
    in_definition: InDefinition


def read_shapes(classifier: HandShapeClassifier, hands: RecordedHands) -> Scores:
    """The probability of each shape for each hand, read one at a time as in a meeting."""
    scores = np.zeros((len(hands.points), len(SHAPES)), np.float32)
    flat = np.zeros((21, 3), np.float32)
    for i, (points, left) in enumerate(zip(hands.points, hands.left, strict=True)):
        flat[:, :2] = points
        hand = Hand(flat, Side.LEFT if left else Side.RIGHT, 1.0, 1.0)
        shares = classifier.shapes(hand, features_of(hand))
        scores[i] = [shares[name] for name in SHAPES]
    return scores


def report_hands(
    hands: RecordedHands, scores: Scores, table: Mapping[str, ReactionRule]
) -> HandsReport:
    """The figures of ``scores`` (see ``read_shapes``) at the thresholds of ``table``."""
    thresholds = np.array([_threshold(table, name) for name in SHAPES], np.float32)
    fired = scores >= thresholds
    shown = _marks(hands.label, hands.labels)
    near = _forgiven(hands)
    read = np.array([name in table for name in SHAPES])
    shapes = {
        name: _recall(hands.source[shown[:, i]], fired[shown[:, i], i], float(thresholds[i]), known)
        for i, (name, known) in enumerate(zip(SHAPES, read.tolist(), strict=True))
    }
    counted = {
        name: each.mean_over_people
        for name, each in shapes.items()
        if each.counted and each.mean_over_people is not None
    }
    mistakes = fired & read & ~shown & ~near
    named = (shown & read).any(axis=1)
    return HandsReport(
        hands=len(hands.points),
        people=len(np.unique(hands.source)),
        mean_over_shapes=_rounded(np.array(list(counted.values()))),
        worst_shape=min(counted, key=lambda name: counted[name], default=None),
        wrong_shape=_rounded(mistakes.any(axis=1)[named]),
        shapes=shapes,
        other_hands=_others(hands.pick(~named), mistakes[~named]),
        in_definition=_in_definition(hands, shown, fired, frozenset(counted)),
    )


def _in_definition(
    hands: RecordedHands, shown: Marks, fired: Marks, counted: frozenset[str]
) -> InDefinition:
    broken = contradicted(hands.points)
    shapes = {}
    for i, name in enumerate(SHAPES):
        out = shown[:, i] & broken[:, i]
        kept = shown[:, i] & ~broken[:, i]
        each = _by_person(hands.source[kept], fired[kept, i])
        shapes[name] = DefinedRecall(
            left_out=int(out.sum()),
            left_out_people=len(np.unique(hands.source[out])),
            people=len(each),
            pooled=_rounded(fired[kept, i]),
            mean_over_people=_rounded(each),
        )
    means = {name: shapes[name].mean_over_people for name in SHAPES if name in counted}
    known = {name: mean for name, mean in means.items() if mean is not None}
    return InDefinition(
        _rounded(np.array(list(known.values()))),
        min(known, key=lambda name: known[name], default=None),
        shapes,
    )


def _threshold(table: Mapping[str, ReactionRule], name: str) -> float:
    return table[name].threshold if name in table else _UNREAD_THRESHOLD


def _marks(index: npt.NDArray[np.int64], names: tuple[str, ...]) -> Marks:
    """(n, shapes): which shape each hand's name is."""
    rows = [[name == shape for shape in SHAPES] for name in names]
    return np.array(rows, np.bool_).reshape(-1, len(SHAPES))[index]


def _forgiven(hands: RecordedHands) -> Marks:
    """(n, shapes): which shapes may fire without being shown. ``rock`` forgives ``ily`` too, since
    a hand near it differs from both by its thumb alone."""
    marks = _marks(hands.near, hands.nears)
    marks[:, SHAPES.index("ily")] |= marks[:, SHAPES.index("rock")]
    return marks


def _recall(
    people: npt.NDArray[np.int64], right: Marks, threshold: float, read: bool
) -> ShapeRecall:
    each = _by_person(people, right)
    return ShapeRecall(
        hands=len(right),
        people=len(each),
        counted=read and len(each) >= FEWEST_PEOPLE,
        threshold=round(threshold, 3),
        pooled=_rounded(right),
        mean_over_people=_rounded(each),
        interval=_interval(each),
        worst_person=round(float(each.min()), 4) if len(each) else None,
    )


def _others(hands: RecordedHands, mistakes: Marks) -> OtherHands:
    fired: Marks = np.asarray(mistakes.any(axis=1))
    labels = {}
    for k in np.unique(hands.label[fired]).tolist():
        which = hands.label == k
        labels[hands.labels[k]] = _other_label(hands.source[which], mistakes[which])
    ordered = sorted(labels.items(), key=lambda item: -item[1].fired)
    return OtherHands(
        hands=len(fired),
        fired=int(fired.sum()),
        pooled=_rounded(fired),
        mean_over_people=_rounded(each := _by_person(hands.source, fired)),
        interval=_interval(each),
        by_label=dict(ordered),
    )


def _other_label(people: npt.NDArray[np.int64], mistakes: Marks) -> OtherLabel:
    counts = zip(SHAPES, mistakes.sum(axis=0).tolist(), strict=True)
    return OtherLabel(
        hands=len(people),
        people=len(np.unique(people)),
        fired=int(mistakes.any(axis=1).sum()),
        by={name: count for name, count in counts if count},
    )


def mean_over_people(people: npt.NDArray[np.int64], marks: Marks) -> float:
    """The mean of each person's share of ``marks``; 0 where none has enough hands."""
    each = _by_person(people, marks)
    return float(each.mean()) if len(each) else 0.0


def _by_person(people: npt.NDArray[np.int64], marks: Marks) -> npt.NDArray[np.float64]:
    """The share of ``marks`` of each person with enough hands."""
    _, person, sizes = np.unique(people, return_inverse=True, return_counts=True)
    sums = np.bincount(person, weights=marks, minlength=len(sizes))
    return np.asarray(sums / np.maximum(sizes, 1))[sizes >= FEWEST_HANDS]


def _interval(each: npt.NDArray[np.float64]) -> Interval | None:
    if len(each) < 2:
        return None
    drawn = np.random.default_rng(0).choice(each, (_DRAWS, len(each))).mean(axis=1)
    low, high = np.percentile(drawn, (2.5, 97.5)).round(4).tolist()
    return low, high


def recall_by_source(
    hands: RecordedHands, scores: Scores, thresholds: Mapping[str, float]
) -> Mapping[str, Mapping[str, tuple[int, int]]]:
    """By person and by shape that it shows: how many hands of it there are, and how many fire;
    under ``other``, how many fire of those that show no shape."""
    names = np.array(hands.labels)[hands.label]
    fired = scores >= np.array([thresholds[name] for name in SHAPES], np.float32)
    mistaken: Marks = np.asarray((fired & ~_forgiven(hands)).any(axis=1))
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for person, source in enumerate(hands.sources):
        theirs = hands.source == person
        rows = found.setdefault(source, {})
        for i, shape in enumerate(SHAPES):
            if (shown := theirs & (names == shape)).any():
                rows[shape] = int(shown.sum()), int(fired[shown, i].sum())
        if (other := theirs & ~np.isin(names, SHAPES)).any():
            rows["other"] = int(other.sum()), int(mistaken[other].sum())
    return found


def _rounded(values: Marks | npt.NDArray[np.float64]) -> float | None:
    """The mean of ``values`` to four decimals; None where there are none."""
    return round(float(np.mean(values)), 4) if len(values) else None
