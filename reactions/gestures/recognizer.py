"""Landmarks to label scores: measures a sample once, then asks the scorer of each label."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from reactions.gestures.context import Context, SeenFace, SeenHand
from reactions.gestures.expressions import read_face
from reactions.gestures.features import features_of
from reactions.gestures.fingers import free_of_ring, spread_as_palm
from reactions.gestures.hand_at_face import before_head, place_hand
from reactions.gestures.hand_classes import HandClass
from reactions.gestures.hand_classifier import HandShapeClassifier
from reactions.gestures.motion import Motion, steadiness
from reactions.gestures.scorers import score_facepalm
from reactions.gestures.thumb import beside_palm
from reactions.labels import LABELS, LabelScore, LabelSpec, families_for
from reactions.landmark_types import Hand, ModelFamily, Observation

_DOUBTFUL = 0.2
"""Below this probability a shape is not there, and how its fingers stand need not be measured."""


class ShapeReader(Protocol):
    """What tells hand shapes apart (``reactions.gestures.hand_classifier.HandShapeClassifier``)."""

    def shapes(self, hand: Hand, features: npt.NDArray[np.float32]) -> Mapping[str, float]:
        """The probability of each hand shape's label for ``hand``, of which ``features`` are."""
        ...


class Recognizer:
    """Scores ``labels`` (and nothing else) in observations. Keeps no state of participants.

    ``shapes`` reads hand shapes; the shipped classifier by default, where a label needs hands.
    ``taught`` are labels beside the vocabulary, scored as well. ``own`` may give labels of the
    vocabulary other scorers.
    Raises ValueError for a label outside the vocabulary, ModelError where the classifier can't be
    loaded. Not thread-safe: one a worker.
    """

    def __init__(
        self,
        labels: Collection[str],
        *,
        shapes: ShapeReader | None = None,
        taught: Sequence[LabelSpec] = (),
        own: Callable[[Sequence[LabelSpec]], Sequence[LabelSpec]] = tuple,
    ) -> None:
        unknown = sorted(set(labels) - set(LABELS))
        if unknown:
            raise ValueError(f"no such label: {', '.join(unknown)}")
        known = own([spec for spec in LABELS.values() if spec.name in labels])
        self._specs = (*known, *taught)
        suggestions = (spec.burst for spec in self._specs if spec.burst is not None)
        self._suggestions = tuple(dict.fromkeys(suggestions))
        if shapes is None and ModelFamily.HANDS in families_for(labels):
            shapes = HandShapeClassifier()
        self._shapes = shapes
        self._keeps_bare_faces = any(spec.score is score_facepalm for spec in self._specs)

    def recognize(
        self, observation: Observation, motion: Motion | None
    ) -> tuple[tuple[LabelScore, ...], Motion]:
        """The scores of ``observation``, best first, and the motion to pass in next time.

        ``motion`` None is a still picture or the first sample. A label is scored once for every
        hand or face that could show it; one that nothing in the picture could show is left out.
        """
        context = self.measure(observation, motion or Motion())
        found = [
            LabelScore(spec.name, seen.score, seen.box, seen.hand)
            for spec in self._specs
            for seen in spec.score(context)
        ]
        return tuple(sorted(found, key=lambda each: each.score, reverse=True)), context.motion

    def wants_burst(self, motion: Motion) -> bool:
        """Whether ``motion`` suggests a label that more samples a second would help."""
        return any(suggests(motion) for suggests in self._suggestions)

    def measure(self, observation: Observation, motion: Motion) -> Context:
        """All that the scorers read of ``observation``, which follows ``motion``."""
        face = observation.face
        reading = None if face is None else read_face(face)
        moved = motion.follow(observation, None if reading is None else reading.mouth_round)
        moved = replace(moved, face=motion.face.follow(observation.time, face, reading))
        hands = tuple(self._measure_hand(hand, observation, moved) for hand in observation.hands)
        if face is None or reading is None:
            return Context(observation, hands, None, moved, moved.arms)
        seen = SeenFace.of(face, reading, observation, hands, moved)
        hidden = any(hand.place is not None and before_head(hand.place) for hand in hands)
        if self._keeps_bare_faces and not hidden:
            moved = moved.with_bare_face(face, observation)
        return Context(observation, hands, seen, moved, moved.arms)

    def _measure_hand(self, hand: Hand, observation: Observation, moved: Motion) -> SeenHand:
        place = None if observation.face is None else place_hand(hand, observation.face)
        features = features_of(hand)
        shapes: Mapping[str, float] = {}
        if self._shapes is not None:
            read = self._shapes.shapes(hand, features)
            thumb = beside_palm(hand.points) if place is None else place.thumb
            shapes = _checked(read, hand, thumb)
        track = moved.track_of(hand, observation.time)
        return SeenHand(
            hand=hand,
            box=observation.box(hand.points),
            track=track,
            steady=1.0 if track is None else steadiness(track),
            place=place,
            features=features,
            shapes=shapes,
        )


def _checked(shapes: Mapping[str, float], hand: Hand, thumb: float) -> Mapping[str, float]:
    """``shapes`` with palms and rings no surer than their thumb (0–1) and fingers are."""
    palm, ring = HandClass.OPEN_PALM.value, HandClass.OK_HAND.value
    checked = dict(shapes)
    if checked.get(palm, 0.0) > _DOUBTFUL:
        checked[palm] = min(checked[palm], thumb, spread_as_palm(hand.points))
    if checked.get(ring, 0.0) > _DOUBTFUL:
        checked[ring] = min(checked[ring], free_of_ring(hand.points))
    return checked
