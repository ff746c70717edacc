"""The landmarks of a sample as plain values: what a client of the annotate service gets.

x and y are fractions of the sample's width and height, from its top left corner; z is a fraction of
its width, towards the camera negative, from the wrist of a hand, the middle of a head or the hips
of a body.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from reactions.landmark_types import Body, Face, Hand, Observation, Points, Side

DIGITS: Final = 5
"""After the point: a hundredth of a pixel in a sample of 640 pixels."""

LandmarkPoint: TypeAlias = tuple[float, float, float]
"""x, y, z."""


@dataclass(frozen=True, slots=True)
class HandLandmarks:
    """One hand: 21 points in MediaPipe's order (0 wrist, 4 thumb tip, 8 index tip, …)."""

    side: Side
    """The person's own left or right, in a picture that is not mirrored."""
    side_score: float
    """Confidence in ``side``, 0.5–1."""
    presence: float
    """Confidence that this is a hand, 0–1."""
    points: tuple[LandmarkPoint, ...]


@dataclass(frozen=True, slots=True)
class FaceLandmarks:
    """One face: 468 points of MediaPipe's face mesh."""

    presence: float
    """Confidence that this is a face, 0–1."""
    points: tuple[LandmarkPoint, ...]


@dataclass(frozen=True, slots=True)
class BodyLandmarks:
    """One body: 33 points of BlazePose."""

    presence: float
    """Confidence that this is a body, 0–1."""
    points: tuple[LandmarkPoint, ...]
    visibility: tuple[float, ...]
    """Of each point, 0–1."""


@dataclass(frozen=True, slots=True)
class FoundLandmarks:
    """All landmarks that were found in one sample."""

    hands: tuple[HandLandmarks, ...]
    face: FaceLandmarks | None
    body: BodyLandmarks | None


def found_landmarks(observation: Observation) -> FoundLandmarks:
    """The landmarks of ``observation`` in fractions of the sample."""
    scale = np.array([observation.width, observation.height, observation.width], np.float32)
    return FoundLandmarks(
        tuple(_hand(hand, scale) for hand in observation.hands),
        None if observation.face is None else _face(observation.face, scale),
        None if observation.body is None else _body(observation.body, scale),
    )


def _hand(hand: Hand, scale: npt.NDArray[np.float32]) -> HandLandmarks:
    side_score, presence = round(float(hand.side_score), 4), round(float(hand.presence), 4)
    return HandLandmarks(hand.side, side_score, presence, _points(hand.points, scale))


def _face(face: Face, scale: npt.NDArray[np.float32]) -> FaceLandmarks:
    return FaceLandmarks(round(float(face.presence), 4), _points(face.points, scale))


def _body(body: Body, scale: npt.NDArray[np.float32]) -> BodyLandmarks:
    visibility = tuple(round(one, 4) for one in body.visibility.tolist())
    return BodyLandmarks(round(float(body.presence), 4), _points(body.points, scale), visibility)


def _points(points: Points, scale: npt.NDArray[np.float32]) -> tuple[LandmarkPoint, ...]:
    fractions = (points / scale).astype(np.float64).round(DIGITS)
    return tuple((x, y, z) for x, y, z in fractions.tolist())
