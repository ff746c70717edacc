"""Landmarks to label scores: one place that knows who reads which label."""

from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from reactions.gestures import body, face, motion
from reactions.gestures.face import FaceReading, read_face
from reactions.gestures.motion import Motion
from reactions.labels import LABELS, Evidence, LabelScore
from reactions.observation import Hand, Observation


class ShapeReader(Protocol):
    """What tells hand shapes apart (``reactions.gestures.head.HandHead``)."""

    def shapes(self, hand: Hand, width: int, height: int) -> Mapping[str, float]:
        """The probability of each hand shape's label for ``hand``, seen in so many pixels."""
        ...


class Recognizer:
    """Scores ``labels`` (and nothing else) in observations. Keeps nothing about anybody.

    Raises ValueError for a label outside the vocabulary.
    """

    def __init__(self, labels: Collection[str], *, shapes: ShapeReader | None = None) -> None:
        unknown = sorted(set(labels) - set(LABELS))
        if unknown:
            raise ValueError(f"no such label: {', '.join(unknown)}")
        self._labels = frozenset(labels)
        self._shape_labels = frozenset(
            label for label in labels if LABELS[label].evidence is Evidence.HAND_SHAPE
        )
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
        found = [
            score
            for score in (
                *self._faces(observation, reading, moved),
                *self._hands(observation, moved),
            )
            if score.label in self._labels
        ]
        return tuple(sorted(found, key=lambda score: score.score, reverse=True)), moved

    def _faces(
        self, observation: Observation, reading: FaceReading | None, moved: Motion
    ) -> Iterator[LabelScore]:
        if observation.face is None or reading is None:
            return
        box = observation.box(observation.face.points)
        places = [body.place_hand(hand, observation.face) for hand in observation.hands]
        free = min(map(body.mouth_free, places), default=1.0)
        seen = min(map(body.mouth_in_sight, places), default=1.0)
        idle = 0.0 if observation.hands else face.calm(reading)
        yield LabelScore("face", observation.face.presence, box)
        yield LabelScore("smile", min(free, face.smile(reading)), box)
        yield LabelScore(
            "surprised", min(seen, motion.speechless(moved), face.surprised(reading)), box
        )
        yield LabelScore("neutral", idle, box)
        for hand, place in zip(observation.hands, places, strict=True):
            yield LabelScore("thinking", body.thinking(place), box, hand.side)

    def _hands(self, observation: Observation, moved: Motion) -> Iterator[LabelScore]:
        for hand in observation.hands:
            box = observation.box(hand.points)
            track = moved.track_of(hand, observation.time)
            steady = 1.0 if track is None else motion.steadiness(track)
            yield LabelScore("hand", hand.presence, box, hand.side)
            if track is not None:
                yield LabelScore("wave", motion.wave(track), box, hand.side)
            if observation.face is not None:
                place = body.place_hand(hand, observation.face)
                raised = min(steady, body.raised_hand(place))
                yield LabelScore("raised_hand", raised, box, hand.side)
            for label, probability in self._read_shape(hand, observation).items():
                # A waving hand is open as well; only one that stops is a shown palm.
                score = min(steady, probability) if label == "open_palm" else probability
                yield LabelScore(label, score, box, hand.side)

    def _read_shape(self, hand: Hand, observation: Observation) -> Mapping[str, float]:
        if self._shapes is None or not self._shape_labels:
            return {}
        return self._shapes.shapes(hand, observation.width, observation.height)
