"""All that the labels' scorers read: one sample's landmarks, measured once for all labels."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
import numpy.typing as npt

from reactions.geometry import Box
from reactions.gestures import expressions, hand_at_face, motion
from reactions.gestures.arms import ArmsReading
from reactions.gestures.expressions import FaceReading
from reactions.gestures.eyes import DetailReading
from reactions.gestures.face_motion import HISTORY
from reactions.gestures.hand_at_face import HandAtHead
from reactions.gestures.motion import HandTrack, Motion
from reactions.landmark_types import Face, Hand, Observation, Side


@dataclass(frozen=True, slots=True)
class Sighting:
    """One hand, face or person that may show a label."""

    score: float
    """How much it looks like the label, 0–1."""
    box: Box
    hand: Side | None = None
    """The hand that shows it; None for faces, bodies and both hands."""


@dataclass(frozen=True, slots=True, eq=False)
class SeenHand:
    """One hand and what is known about it."""

    hand: Hand
    box: Box
    track: HandTrack | None
    """Its last two seconds."""
    steady: float
    """Whether it is held rather than swung, 0–1."""
    place: HandAtHead | None
    """Where it is by the face; None where no face is seen."""
    features: npt.NDArray[np.float32]
    """(``FEATURES``,): the hand as its classifier and taught labels read it."""
    shapes: Mapping[str, float]
    """The probability of each ``HandClass``; empty where no label needs hand shapes."""


@dataclass(frozen=True, slots=True, eq=False)
class SeenFace:
    """The face and what is known about it."""

    face: Face
    box: Box
    reading: FaceReading
    near: float
    """Whether it is near enough to the camera for lids and for what touches the chin, 0–1."""
    mouth_free: float
    """Whether all hands leave the lower face to be read, 0–1."""
    mouth_in_sight: float
    """Whether no hand is before the mouth, 0–1."""
    silent: float
    """Whether the mouth is held rather than talking, 0–1."""
    detail: DetailReading | None
    """The newest fine reading of the last two seconds; None where no label asks for one, or nothing
    asked for it yet."""
    eyes: DetailReading | None
    """The newest fine reading, which holds for eyes until they change."""

    @classmethod
    def of(
        cls,
        face: Face,
        reading: FaceReading,
        observation: Observation,
        hands: Sequence[SeenHand],
        moved: Motion,
    ) -> Self:
        """``face``, measured as ``reading``, with all that ``hands`` and its past say about it."""
        places = [hand.place for hand in hands if hand.place is not None]
        detail = moved.face.detail
        long_ago = detail is not None and observation.time - detail.time > HISTORY
        return cls(
            face=face,
            box=observation.box(face.points),
            reading=reading,
            near=expressions.at_a_desk(reading, observation.width, observation.height),
            mouth_free=min(map(hand_at_face.mouth_free, places), default=1.0),
            mouth_in_sight=min(map(hand_at_face.mouth_in_sight, places), default=1.0),
            silent=motion.speechless(moved),
            detail=None if long_ago else detail,
            eyes=detail,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """One sample as the scorers see it."""

    observation: Observation
    hands: tuple[SeenHand, ...]
    face: SeenFace | None
    motion: Motion
    arms: ArmsReading | None = None
    """The newest reading of the arms, if it still holds."""


Scorer: TypeAlias = Callable[[Context], Iterator[Sighting]]
"""Scores one label: one sighting for each hand, face or person that could show it."""
