"""Hands put together from fingers of several recorded ones: shapes that few people recorded.

Five people recorded ``rock``, thirteen ``ily`` and twenty-one ``pointing_up``, and these differ by
one finger each. So a finger of one hand is laid on another whose palm is seen much the same: what
maps palm on palm maps the finger, and keeps the landmark model's own errors.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from reactions.gestures.features import Landmarks, canonical
from reactions.training.recorded_hands import RecordedHands

_PALM = [0, 5, 9, 13, 17]
_FINGERS = {name: [1 + 4 * i + k for k in range(4)] for i, name in enumerate("tilrp")}
"""Joints by finger: thumb, index, long, ring and (p) little finger."""
_TRIES = 8
_UNLIKE = 0.6
"""Sum of the logarithms of stretching from which palms are seen too differently."""
_SOFT = 0.05
"""Keeps the map between two palms near the identity where a palm is seen edge-on."""
_UPRIGHT = 50.0
"""Degrees from up to which a hand still shows an upright shape."""


@dataclass(frozen=True, slots=True)
class Composition:
    """Hands of ``base`` with each of ``fingers`` (of "tilrp") from hands of the labels named."""

    label: str
    base: str
    fingers: Mapping[str, tuple[str, ...]]
    weight: float


_THUMBS_IN = ("pointing_up", "rock", "little_finger", "middle_finger")
_THUMBS_OUT = ("ily", "L", "other:three_thumb")
COMPOSITIONS: tuple[Composition, ...] = (
    Composition("rock", "ily", {"t": _THUMBS_IN}, 4 / 3),
    Composition("rock", "pointing_up", {"p": ("ily", "rock", "little_finger")}, 4 / 3),
    Composition("rock", "little_finger", {"i": ("pointing_up", "rock", "L", "ily")}, 4 / 3),
    Composition("ily", "rock", {"t": ("ily", "L")}, 2 / 3),
    Composition("ily", "L", {"p": ("ily", "rock", "little_finger")}, 2 / 3),
    Composition("ily", "call_me", {"i": ("ily", "L", "rock")}, 2 / 3),
    Composition("call_me", "little_finger", {"t": ("call_me", "ily", "L")}, 1),
    Composition("call_me", "ily", {"i": ("call_me", "thumbs_up", "little_finger")}, 1),
    Composition("little_finger", "rock", {"i": ("fist", "little_finger", "call_me")}, 1 / 2),
    Composition("little_finger", "call_me", {"t": ("little_finger", "rock")}, 1 / 2),
    Composition("L", "ily", {"p": ("pointing_up", "L")}, 1),
    Composition("pointing_up", "rock", {"p": ("pointing_up", "victory", "L")}, 1),
    Composition("crossed_fingers", "victory", {"il": ("crossed_fingers",)}, 1),
    Composition("crossed_fingers", "two_up", {"il": ("crossed_fingers",)}, 1 / 2),
    Composition("crossed_fingers", "victory", {"il": ("crossed_fingers",), "t": _THUMBS_OUT}, 1),
    Composition("middle_finger", "middle_finger", {"t": (*_THUMBS_OUT, "fist")}, 1 / 2),
    Composition("middle_finger", "victory", {"i": ("middle_finger", "fist")}, 1),
)
_UPRIGHT_LABELS = frozenset({"rock", "ily", "pointing_up"})


@dataclass(frozen=True, slots=True, eq=False)
class ComposedHands:
    """Right hands, what each shows, and the fold of all whose fingers it has."""

    points: Landmarks
    labels: npt.NDArray[np.str_]
    fold: npt.NDArray[np.int64]

    @classmethod
    def joined(cls, parts: "list[ComposedHands]") -> Self:
        return cls(
            np.concatenate([part.points for part in parts]),
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.fold for part in parts]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Composer:
    """Puts hands together from recorded ones, never from people of different folds."""

    points: Landmarks
    """(n, 21, 2): canonical right hands."""
    labels: npt.NDArray[np.str_]
    fold: npt.NDArray[np.int64]
    chance: npt.NDArray[np.float64]
    """(n,): how often each is taken, by proportion."""

    @classmethod
    def of(
        cls,
        hands: RecordedHands,
        fold: npt.NDArray[np.int64],
        chance: npt.NDArray[np.float64],
    ) -> Self:
        names = np.array(hands.labels)[hands.label]
        return cls(canonical(hands.points, hands.left), names, fold, chance)

    def compose(self, count: int, rng: np.random.Generator) -> ComposedHands:
        """At most ``count`` hands: those whose palms nothing resembles are left out."""
        total = sum(each.weight for each in COMPOSITIONS)
        return ComposedHands.joined(
            [self._make(each, round(count * each.weight / total), rng) for each in COMPOSITIONS]
        )

    def _make(self, what: Composition, count: int, rng: np.random.Generator) -> ComposedHands:
        base = self._draw(np.flatnonzero(self.labels == what.base), count, rng)
        points = self.points[base].copy()
        good = np.ones(len(base), np.bool_)
        for fingers, labels in what.fingers.items():
            donor, unlike = self._like(points, self.fold[base], labels, rng)
            good &= unlike < _UNLIKE
            way = _map_palms(self.points[donor][:, _PALM], points[:, _PALM])
            for joints in (_FINGERS[name] for name in fingers):
                finger = self.points[donor][:, joints]
                laid = np.einsum("nij,njk->nik", finger - finger[:, :1], way)
                points[:, joints] = points[:, joints[:1]] + laid
        if what.label in _UPRIGHT_LABELS:
            axis = points[:, 9] - points[:, 0]
            good &= np.abs(np.degrees(np.arctan2(axis[:, 0], -axis[:, 1]))) < _UPRIGHT
        return ComposedHands(
            points[good], np.full(int(good.sum()), what.label), self.fold[base][good]
        )

    def _draw(
        self, among: npt.NDArray[np.int64], count: int, rng: np.random.Generator
    ) -> npt.NDArray[np.int64]:
        if not len(among):
            return np.zeros(0, np.int64)
        return rng.choice(among, count, p=self.chance[among] / self.chance[among].sum())

    def _like(
        self,
        points: Landmarks,
        fold: npt.NDArray[np.int64],
        labels: tuple[str, ...],
        rng: np.random.Generator,
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """For each of ``points`` a hand of ``labels`` in its fold whose palm is seen much as its
        own is, and how unlike it still is: the best of a few."""
        best, least = np.zeros(len(points), np.int64), np.full(len(points), np.inf)
        among = np.isin(self.labels, labels)
        for k in np.unique(fold).tolist():
            rows = np.flatnonzero(fold == k)
            theirs = np.flatnonzero(among & (self.fold == k))
            for _ in range(_TRIES if len(theirs) else 0):
                tried = self._draw(theirs, len(rows), rng)
                unlike = _unlike(self.points[tried][:, _PALM], points[rows][:, _PALM])
                better = unlike < least[rows]
                best[rows[better]], least[rows[better]] = tried[better], unlike[better]
        return best, least


def _map_palms(a: Landmarks, b: Landmarks) -> npt.NDArray[np.float64]:
    """(n, 2, 2): what turns and stretches palms ``a`` (n, 5, 2) into ``b``, by least squares."""
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    soft = _SOFT * np.eye(2)
    inner = np.einsum("nij,nik->njk", a, a) + soft
    return np.asarray(np.linalg.solve(inner, np.einsum("nij,nik->njk", a, b) + soft))


def _unlike(a: Landmarks, b: Landmarks) -> npt.NDArray[np.float64]:
    way = _map_palms(a, b)
    stretch = np.linalg.svd(way, compute_uv=False)
    flipped = np.linalg.det(way) <= 0
    log = np.abs(np.log(np.maximum(stretch, 1e-3))).sum(axis=1)
    return np.asarray(np.where(flipped, np.inf, log))
