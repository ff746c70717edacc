"""What goes into recognition (a sample) and what the landmark models make of it (an observation).

Points are float32 pixels of the sample (x right, y down); z has the scale of x, towards the camera
negative. "Left" and "right" are the person's own, in an unmirrored picture.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reactions.geometry import Box

RgbImage: TypeAlias = npt.NDArray[np.uint8]
"""(height, width, 3), uint8, RGB."""
Points: TypeAlias = npt.NDArray[np.float32]
"""(n, 3), float32: x, y in pixels of the sample, z in the same unit."""


class ModelFamily(StrEnum):
    """A family of landmark models that can be run or left out."""

    FACE = "face"
    HANDS = "hands"
    BODY = "body"
    FACE_DETAIL = "face_detail"
    """A finer mesh of the face that ``FACE`` finds, run only where its mouth seems open."""
    BLENDSHAPES = "blendshapes"
    """Eyelids and jaw from that finer mesh, which then runs now and then as well; needs it."""
    OBJECTS = "objects"
    DETECTOR = "detector"
    """The detector that a bundle carries: of no file of ours."""


class Side(StrEnum):
    """Whose hand: the person's left or right."""

    LEFT = "left"
    RIGHT = "right"


class Quality(StrEnum):
    """Why a sample was, or was not, looked at."""

    OK = "ok"
    FROZEN = "frozen"
    """The same picture as the last sample's: nothing new to see."""
    BLACK = "black"
    """(Almost) one flat colour: a covered or muted camera."""
    GARBAGE = "garbage"
    """Not a camera picture: a decoder without its reference frames."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One frame handed to the detector."""

    pixels: RgbImage
    time: float
    """Seconds on the session's clock, or of the video."""
    landmarks: bool = False
    """Whether the detection is to have the landmarks too."""
    families: frozenset[ModelFamily] | None = None
    """The models whose landmarks are of interest; None: all that are loaded."""

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Hand:
    """One hand: 21 landmarks in MediaPipe's order (0 wrist, 4 thumb tip, 8 index tip, …)."""

    points: Points
    side: Side
    side_score: float
    """Confidence in ``side``, 0.5–1."""
    presence: float
    """The landmark model's own confidence that this is a hand, 0–1."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceDetail:
    """A face read by the finer model: its lids and a wide-open mouth are where they are seen."""

    points: Points
    """(478, 3): the mesh's 468 landmarks and five of each iris."""
    blendshapes: npt.NDArray[np.float32] | None = None
    """(52,), 0–1, in MediaPipe's order; None where no label needs them."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face: 468 mesh landmarks in MediaPipe's order."""

    points: Points
    presence: float
    detail: FaceDetail | None = None
    """None where this sample was not read so finely."""


@dataclass(frozen=True, slots=True, eq=False)
class OtherPerson:
    """A person in the picture besides the main one."""

    slot: int
    """Which of up to four people it is, 0–3: the same while they are tracked."""
    face: Face


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """One body: 33 BlazePose landmarks with the visibility (0–1) of each."""

    points: Points
    visibility: npt.NDArray[np.float32]
    presence: float


@dataclass(frozen=True, slots=True, eq=False)
class Vessel:
    """One mug, cup or bottle."""

    corners: Points
    """(2, 3): two opposite corners of its box; z is 0."""
    score: float
    """The detector's, 0–1."""


@dataclass(frozen=True, slots=True)
class FoundObject:
    """One object that a bundle's detector found."""

    name: str
    """Its class."""
    score: float
    """The detector's, 0–1."""
    box: Box


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """All landmarks of one sample of ``width`` x ``height`` pixels taken at ``time``."""

    width: int
    height: int
    time: float
    hands: tuple[Hand, ...] = ()
    face: Face | None = None
    body: Body | None = None
    """None also where it was not read: it is in one of several samples (``body_schedule``)."""
    vessels: tuple[Vessel, ...] | None = None
    """Near the mouth; None where none was looked for."""
    objects: tuple[FoundObject, ...] | None = None
    """Anywhere in the picture; None where none was looked for."""
    quality: Quality = Quality.OK
    slot: int = 0
    """The person whose face and body these are."""
    others: tuple[OtherPerson, ...] = ()

    def box(self, points: Points) -> Box:
        """The box of some of this observation's points, in fractions of the frame."""
        return Box.around(points, self.width, self.height)
