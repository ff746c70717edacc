"""Landmarks to label scores: one place that knows who reads which label."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from reactions.geometry import Box
from reactions.gestures import expressions, hand_at_face, motion
from reactions.gestures.calibration import ramp
from reactions.gestures.expressions import FaceReading, read_face
from reactions.gestures.hand_at_face import HandAtHead
from reactions.gestures.hand_classifier import HandShapeClassifier
from reactions.gestures.motion import HandTrack, Motion
from reactions.gestures.thumb import beside_palm
from reactions.labels import LABELS, LabelScore, Net, nets_for
from reactions.landmark_types import Face, Hand, Observation

_SIGNS = ("ok_hand", "thumbs_up", "thumbs_down", "victory", "rock", "ily", "open_palm", "call_me")
"""Shapes that nobody makes holding their chin: a hand that shows one there is showing it."""


class ShapeReader(Protocol):
    """What tells hand shapes apart (``reactions.gestures.hand_classifier.HandShapeClassifier``)."""

    def shapes(self, hand: Hand, width: int, height: int) -> Mapping[str, float]:
        """The probability of each hand shape's label for ``hand``, seen in so many pixels."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Sighting:
    """One hand and what is known about it."""

    hand: Hand
    box: Box
    track: HandTrack | None
    place: HandAtHead | None
    shapes: Mapping[str, float]


class Recognizer:
    """Scores ``labels`` (and nothing else) in observations. Keeps nothing about anybody.

    ``shapes`` reads hand shapes; the shipped head by default, where a label needs hands. Raises
    ValueError for a label outside the vocabulary, ModelError where the head can't be loaded.
    Not thread-safe: one a worker.
    """

    def __init__(self, labels: Collection[str], *, shapes: ShapeReader | None = None) -> None:
        unknown = sorted(set(labels) - set(LABELS))
        if unknown:
            raise ValueError(f"no such label: {', '.join(unknown)}")
        self._labels = frozenset(labels)
        if shapes is None and Net.HANDS in nets_for(labels):
            shapes = HandShapeClassifier()
        self._shapes = shapes

    def recognize(
        self, observation: Observation, motion: Motion | None
    ) -> tuple[tuple[LabelScore, ...], Motion]:
        """The scores of ``observation``, best first, and the motion to pass in next time.

        ``motion`` None is a still picture or the first sample. A label is scored once for every
        hand or face that could show it; one that nothing in the picture could show is left out.
        """
        reading = None if observation.face is None else read_face(observation.face)
        mouth = None if reading is None else reading.mouth_round
        moved = (motion or Motion()).follow(observation, mouth)
        hands = [self._look(hand, observation, moved) for hand in observation.hands]
        found = [score for hand in hands for score in _score_hand(hand)]
        if observation.face is not None and reading is not None:
            box = observation.box(observation.face.points)
            near = expressions.at_a_desk(reading, observation.width, observation.height)
            found += _score_face(observation.face, reading, box, near, hands, moved)
        found = [score for score in found if score.label in self._labels]
        return tuple(sorted(found, key=lambda score: score.score, reverse=True)), moved

    def _look(self, hand: Hand, observation: Observation, moved: Motion) -> _Sighting:
        place = (
            None if observation.face is None else hand_at_face.place_hand(hand, observation.face)
        )
        shapes: Mapping[str, float] = {}
        if self._shapes is not None:
            read = self._shapes.shapes(hand, observation.width, observation.height)
            thumb = beside_palm(hand.points) if place is None else place.thumb
            palm = min(read["open_palm"], thumb)
            shapes = {**read, "open_palm": palm}
        track = moved.track_of(hand, observation.time)
        return _Sighting(hand, observation.box(hand.points), track, place, shapes)


def _score_hand(seen: _Sighting) -> Iterator[LabelScore]:
    side = seen.hand.side
    steady = 1.0 if seen.track is None else motion.steadiness(seen.track)
    yield LabelScore("hand", seen.hand.presence, seen.box, side)
    if seen.track is not None:
        yield LabelScore("wave", motion.wave(seen.track), seen.box, side)
    if seen.place is not None:
        raised = min(steady, hand_at_face.raised_hand(seen.place))
        yield LabelScore("raised_hand", raised, seen.box, side)
    for label, probability in seen.shapes.items():
        # A waving hand is open as well; only one that stops is a shown palm.
        score = min(steady, probability) if label == "open_palm" else probability
        yield LabelScore(label, score, seen.box, side)


def _score_face(
    seen: Face,
    reading: FaceReading,
    box: Box,
    near: float,
    hands: Sequence[_Sighting],
    moved: Motion,
) -> Iterator[LabelScore]:
    """``near``: how sure it is that the face is near enough for what is fine."""
    places = [hand.place for hand in hands if hand.place is not None]
    free = min(map(hand_at_face.mouth_free, places), default=1.0)
    in_sight = min(map(hand_at_face.mouth_in_sight, places), default=1.0)
    silent = motion.speechless(moved)
    yield LabelScore("face", seen.presence, box)
    yield LabelScore("smile", min(free, silent, expressions.smile(reading)), box)
    yield LabelScore("surprised", min(near, in_sight, silent, expressions.surprised(reading)), box)
    yield LabelScore("neutral", 0.0 if hands else expressions.calm(reading), box)
    for hand in hands:
        if hand.place is not None:
            sign = max((hand.shapes.get(label, 0.0) for label in _SIGNS), default=0.0)
            score = min(near, hand_at_face.thinking(hand.place), ramp(sign, at=0.9, sure=0.8))
            yield LabelScore("thinking", score, box, hand.hand.side)
