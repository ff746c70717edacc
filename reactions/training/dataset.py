"""What the hand classifier is trained on: synthetic hands, and landmarks of licensed photos."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from config.errors import ModelError
from reactions.gestures.features import Features, Landmarks, hand_features
from reactions.gestures.hand_classes import CLASSES, NONE
from reactions.training.photos import Photo, Sightings
from reactions.training.synthetic import draw_hands

REAL_HANDS = Path(__file__).with_name("data") / "hands.npz"
"""Landmarks of photos under MIT and Apache-2.0; docs/training.md names them."""
RENDERED_HANDS = REAL_HANDS.with_name("rendered.npz")
"""Landmarks that our models find on mannequins; see ``reactions.training.render_dataset``."""
MANNEQUINS = "mannequins"
"""The source of these."""
FREE_SOURCES = frozenset({"emre_hand", "emre_body", "emre_body_crop", "subhi_hands", "anupam"})
"""Photo sources whose licence allows training on them."""
# Shots of one project, in the same rooms: held out together.
_SAME_PEOPLE = {"emre_body": "emre_hand", "emre_body_crop": "emre_hand"}
# Fidgets that pass through real gestures, and bodies whose fists are real: no look-alikes.
_NOT_NONE = frozenset({"neg_hand_fidget", "neg_body_misc"})
# In these photos a second hand far below the first hangs at the side.
_HANGING_IN = frozenset({"emre_hand"})
_FAR = 1.5
_COPIES = 12
_REAL_SHARE = 0.15
_DOLL_SHARE = 0.15
_NONE_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class RealHands:
    """Hands of real people, with what they show and where they are from."""

    points: Landmarks
    left: npt.NDArray[np.bool_]
    classes: npt.NDArray[np.int64]
    sources: npt.NDArray[np.str_]

    @classmethod
    def load(cls, path: Path = REAL_HANDS) -> Self:
        """Raises ModelError where there is no such file."""
        try:
            with np.load(path) as saved:
                points = saved["tenths"].astype(np.float32) / 10
                return cls(points, saved["left"], saved["classes"], saved["sources"])
        except (OSError, KeyError, ValueError) as error:
            raise ModelError("no landmarks of real hands", where=str(path)) from error

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Tenths of a pixel are finer than the model, and compress well.
        tenths = np.round(self.points[:, :, :2] * 10).astype(np.int16)
        np.savez_compressed(
            path, tenths=tenths, left=self.left, classes=self.classes, sources=self.sources
        )

    def pick(self, which: npt.NDArray[np.bool_]) -> "RealHands":
        """The hands that ``which`` (n,) marks."""
        return RealHands(
            self.points[which], self.left[which], self.classes[which], self.sources[which]
        )

    def joined(self, other: "RealHands") -> "RealHands":
        """These hands and the ``other`` ones."""
        return RealHands(
            np.concatenate([self.points, other.points]),
            np.concatenate([self.left, other.left]),
            np.concatenate([self.classes, other.classes]),
            np.concatenate([self.sources, other.sources]),
        )

    @property
    def groups(self) -> npt.NDArray[np.str_]:
        """(n,): who must be held out together, so that no person is learnt and tested."""
        return np.array([_SAME_PEOPLE.get(str(name), str(name)) for name in self.sources])


@dataclass(frozen=True, slots=True)
class Lesson:
    """One training set, ready to fit."""

    features: Features
    classes: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]


def label_hands(photos: list[Photo], found: Sightings) -> RealHands:
    """What each hand that may be learnt from shows: the upper one its photo's label.

    A hand that hangs far below it shows nothing; of any other second hand we know nothing.
    """
    middle = found.points[:, :, :2].mean(axis=1)
    extent = np.ptp(found.points[:, :, :2], axis=1).max(axis=1)
    hangs = found.points[:, 9, 1] > found.points[:, 0, 1]
    rows, classes = [], []
    for i in np.unique(found.photo):
        photo = photos[int(i)]
        shape = photo.shape
        if photo.source not in FREE_SOURCES or shape is None or photo.label in _NOT_NONE:
            continue
        first, *others = sorted(np.flatnonzero(found.photo == i), key=lambda k: middle[k, 1])
        rows.append(first)
        classes.append(CLASSES.index(shape))
        for k in others if photo.source in _HANGING_IN else ():
            away = np.linalg.norm(middle[k] - middle[first]) / max(extent[k], extent[first])
            if hangs[k] and away > _FAR:
                rows.append(k)
                classes.append(CLASSES.index(NONE))
    picked = np.array(rows, np.int64)
    return RealHands(
        found.points[picked],
        found.left[picked],
        np.array(classes, np.int64),
        np.array([photos[int(i)].source for i in found.photo[picked]]),
    )


def prepare(
    real: RealHands,
    count: int,
    rng: np.random.Generator,
    *,
    without: Collection[str] = (),
) -> Lesson:
    """About ``count`` synthetic hands, and the ``real`` ones but those of the groups ``without``.

    Sources and classes of few photos weigh more than their number; mannequins have their own share.
    """
    drawn = draw_hands(count, _NONE_SHARE, rng)
    kept = real.pick(~np.isin(real.groups, list(without)))
    rendered = kept.sources == MANNEQUINS
    shares = ((kept.pick(~rendered), _COPIES, _REAL_SHARE), (kept.pick(rendered), 2, _DOLL_SHARE))
    features = [hand_features(drawn.points, np.zeros(len(drawn.points), np.bool_))]
    classes, weights = [drawn.classes], [np.ones(len(drawn.points))]
    for hands, copies, share in shares:
        points = vary(np.repeat(hands.points, copies, axis=0), rng)
        features.append(hand_features(points, np.repeat(hands.left, copies)))
        classes.append(np.repeat(hands.classes, copies))
        weight = np.repeat(_rarity(hands), copies)
        weights.append(weight * share * count / max(float(weight.sum()), 1e-9))
    return Lesson(
        np.concatenate(features),
        np.concatenate(classes),
        np.concatenate(weights).astype(np.float32),
    )


def _rarity(hands: RealHands) -> npt.NDArray[np.float64]:
    kinds = np.char.add(hands.sources.astype(str), hands.classes.astype(str))
    _, kind, size = np.unique(kinds, return_inverse=True, return_counts=True)
    return np.asarray(1 / np.sqrt(size[kind]), np.float64)


def vary(points: Landmarks, rng: np.random.Generator) -> Landmarks:
    """``points`` of real hands, a little turned, stretched and shaken."""
    n = len(points)
    angle = rng.normal(0, np.radians(8), n)
    flat = points[:, :, :2].astype(np.float64)
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    x, y = flat[:, :, 0], flat[:, :, 1]
    turned = np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)
    turned *= rng.uniform(0.9, 1.1, (n, 1, 2))
    size = np.linalg.norm(turned[:, 9] - turned[:, 0], axis=1)
    level = 0.02 * size * rng.uniform(0, 1, n)
    return np.asarray(turned + rng.normal(0, 1, turned.shape) * level[:, None, None], np.float32)
