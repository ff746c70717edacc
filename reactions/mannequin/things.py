"""Things in a scene: what mannequins hold or wear, what stands about, and clutter.

A thing's ``look`` draws its shape, colours and size: 0 is the plain one, any other number one of
its own, always the same.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import cos, radians, sin
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

_Matrix: TypeAlias = npt.NDArray[np.float64]


class ThingKind(StrEnum):
    """Kinds of things. The first five are objects, which detectors learn; the rest is clutter."""

    MUG = "mug"
    PHONE = "phone"
    GLASS = "glass"
    BOOK = "book"
    GLASSES = "glasses"
    BALL = "ball"
    PARCEL = "parcel"
    PAPER = "paper"
    LAMP = "lamp"
    PICTURE = "picture"
    PEN = "pen"
    BOWL = "bowl"


OBJECTS: Final = (
    ThingKind.MUG,
    ThingKind.PHONE,
    ThingKind.GLASS,
    ThingKind.BOOK,
    ThingKind.GLASSES,
)
LOOKS: Final = 1 << 20
"""Looks are drawn below it."""
CLUTTER: Final = tuple(kind for kind in ThingKind if kind not in OBJECTS)


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing, wherever it is."""

    kind: ThingKind
    look: int = 0


MUG: Final = Thing(ThingKind.MUG)


@dataclass(frozen=True, slots=True)
class PlacedThing:
    """A thing at a place of its own. Its size is that of life times ``size``."""

    thing: Thing
    place: tuple[float, float, float]
    """Its middle in body coordinates, cm: picture right, down, away from the camera."""
    yaw: float = 0.0
    """Degrees about its upright axis; at 0 its front faces the camera."""
    tilt: float = 0.0
    """Degrees by which its top leans away from the camera: at 90 it lies on its back."""
    roll: float = 0.0
    """Degrees about the axis through its front."""
    size: float = 1.0


@dataclass(frozen=True, slots=True)
class TableTop:
    """A table before the person, its edges across the view; cm."""

    height: float
    """y of its surface in body coordinates, downwards."""
    near: float
    far: float
    """How far its edges are from the person, away from the camera: negative before them."""
    colour: tuple[float, float, float] = (150, 112, 80)


@dataclass(frozen=True, slots=True, eq=False)
class ThingFrame:
    """Where a thing is: its middle and the columns right, up and front, in body coordinates."""

    middle: _Matrix
    axes: _Matrix
    size: float = 1.0

    @property
    def right(self) -> _Matrix:
        return np.asarray(self.axes[:, 0])

    @property
    def up(self) -> _Matrix:
        return np.asarray(self.axes[:, 1])

    @property
    def front(self) -> _Matrix:
        return np.asarray(self.axes[:, 2])

    @classmethod
    def of(cls, placed: PlacedThing) -> "ThingFrame":
        """The frame of a thing that stands about."""
        a, b, c = radians(placed.yaw), radians(placed.tilt), radians(placed.roll)
        upright = np.array([[1.0, 0, 0], [0, -1, 0], [0, 0, -1]])
        yaw = np.array([[cos(a), 0, sin(a)], [0, 1, 0], [-sin(a), 0, cos(a)]])
        tilt = np.array([[1, 0, 0], [0, cos(b), -sin(b)], [0, sin(b), cos(b)]])
        roll = np.array([[cos(c), -sin(c), 0], [sin(c), cos(c), 0], [0, 0, 1]])
        return cls(np.array(placed.place), yaw @ tilt @ roll @ upright, placed.size)
