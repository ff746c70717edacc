"""What there is to teach a label with: readings of pictures, and the repository's hands."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from reactions.geometry import Box
from reactions.gestures.context import Context
from reactions.gestures.features import Landmarks, hand_features
from reactions.landmark_types import Side
from reactions.taught_labels import VIEW_SIZES, LandmarkView, ViewReading, read_view
from reactions.training.augment import Variation, vary
from reactions.training.recorded_hands import PEOPLES_HANDS, RecordedHands
from reactions.training.taught_network import Vectors

_VARIED: Final = Variation(turn=10, bones=0.05, squeeze=0.1)
_PLACE_SHAKEN: Final = 0.08
"""Standard deviation of a palm's place, in face heights."""
_ARMS_SHAKEN: Final = 0.05
"""Standard deviation of a joint's place, in shoulder widths."""
_REACH: Final = ((-2.5, 2.5), (-2.0, 3.0))
"""Where a palm may be by the face: x and y in face heights."""
_ELSEWHERE: Final = 1.0
"""Face heights between two places that differ for certain."""


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One hand, or both arms, of a picture."""

    picture: int
    """Which picture it is from: what is of one picture is held out together."""
    vector: npt.NDArray[np.float32]
    points: npt.NDArray[np.float32] | None
    """(21, 2): the hand; None for arms."""
    left: bool
    fires: frozenset[str] = frozenset()
    """Labels of the vocabulary that fire in the picture."""
    box: Box | None = None
    """Where it is; None for landmarks without a picture."""


def take_examples(
    view: LandmarkView,
    context: Context,
    picture: int,
    fires: frozenset[str],
    *,
    within: tuple[float, float, float, float] | None = None,
    every: bool = False,
) -> Sequence[Example]:
    """The examples of one sample: its upper hand, or ``every`` one.

    ``within`` (left, top, right, bottom, as fractions of the picture) leaves out hands whose middle
    is not inside.
    """
    readings = [one for one in read_view(view, context) if within is None or _inside(one, within)]
    readings.sort(key=lambda one: one.box.center[1])
    chosen = readings if every else readings[:1]
    return [_example(view, one, context, picture, fires) for one in chosen]


def _inside(reading: ViewReading, within: tuple[float, float, float, float]) -> bool:
    x, y = reading.box.center
    left, top, right, bottom = within
    return left <= x <= right and top <= y <= bottom


def _example(
    view: LandmarkView, reading: ViewReading, context: Context, picture: int, fires: frozenset[str]
) -> Example:
    points = None
    if view is not LandmarkView.ARMS:
        seen = next(one for one in context.hands if one.box == reading.box)
        points = seen.hand.points[:, :2].astype(np.float32)
    return Example(picture, reading.vector, points, reading.hand is Side.LEFT, fires, reading.box)


def hand_example(view: LandmarkView, points: Landmarks, left: bool, picture: int) -> Example:
    """An example of landmarks (21, ≥2) alone, of the view HAND; raises ValueError for others."""
    if view is not LandmarkView.HAND:
        raise ValueError("landmarks of hands are of the view hand")
    vector = hand_features(points[None].astype(np.float32), np.array([left]))[0]
    return Example(picture, vector, points[:, :2].astype(np.float32), left)


def varied_vectors(
    view: LandmarkView, examples: Sequence[Example], count: int, rng: np.random.Generator
) -> Vectors:
    """``count`` vectors (count, inputs) of ``examples``, varied as other people and turns do."""
    if not examples:
        return np.zeros((0, VIEW_SIZES[view]), np.float32)
    picked = rng.integers(0, len(examples), count)
    vectors = np.stack([example.vector for example in examples])[picked]
    if view is LandmarkView.ARMS:
        return np.asarray(vectors + rng.normal(0, _ARMS_SHAKEN, vectors.shape), np.float32)
    points = np.stack([one.points for one in examples if one.points is not None])
    left = np.array([example.left for example in examples])[picked]
    shapes = hand_features(vary(points[picked], rng, _VARIED), left)
    places = vectors[:, shapes.shape[1] :]
    moved = places + rng.normal(0, _PLACE_SHAKEN, places.shape)
    return np.concatenate([shapes, moved], axis=1).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class KnownHands:
    """Hands of the repository that show something else than a new label, with their features."""

    hands: RecordedHands
    features: Vectors
    held_out: npt.NDArray[np.bool_]
    """(n,): of people from whom nothing is learnt."""

    @classmethod
    def load(cls, count: int, seed: int) -> Self:
        """About ``count`` hands, as many as possible a person and label; raises ModelError."""
        hands = RecordedHands.load(PEOPLES_HANDS)
        group = hands.source * len(hands.labels) + hands.label
        _, index, sizes = np.unique(group, return_inverse=True, return_counts=True)
        chance = (sizes[index] ** -0.75).astype(np.float64)
        rng = np.random.default_rng([seed, 11])
        picked = rng.choice(len(chance), min(count, len(chance)), False, chance / chance.sum())
        some = hands.pick(np.sort(picked))
        people = rng.permutation(len(hands.sources))[: len(hands.sources) // 3]
        return cls(some, hand_features(some.points, some.left), np.isin(some.source, people))

    def vectors(
        self, view: LandmarkView, which: npt.NDArray[np.bool_], rng: np.random.Generator
    ) -> Vectors:
        """The hands that ``which`` marks as ``view`` reads them; their places by the face, which
        nothing recorded, are drawn. There are none for arms."""
        if view is LandmarkView.ARMS:
            return np.zeros((0, VIEW_SIZES[view]), np.float32)
        features = self.features[which]
        if view is LandmarkView.HAND:
            return features
        return np.concatenate([features, draw_places(len(features), rng)], axis=1)


def draw_places(count: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """(count, 2): places of palms by the face."""
    x, y = (rng.uniform(*ends, count) for ends in _REACH)
    return np.stack([x, y], axis=1).astype(np.float32)


def moved_away(vectors: Vectors, rng: np.random.Generator) -> Vectors:
    """The same shapes of the view HAND_AT_FACE where the label is not shown: at drawn places that
    are far from where it is."""
    places = draw_places(len(vectors), rng)
    far = np.hypot(*(places - np.median(vectors[:, -2:], axis=0)).T) > _ELSEWHERE
    return np.concatenate([vectors[far, :-2], places[far]], axis=1)
