"""A face that keeps still, kept from one reading to the next as a few bytes. Pure."""

from dataclasses import dataclass
from math import hypot
from typing import Final, Self

import numpy as np

from reactions.compact_pickle import CompactPickle
from reactions.landmark_types import Face
from reactions.landmarks.roi import Roi

STILL: Final = 0.02
"""Widths of its region by which a face may move, grow and shrink between two readings; a nod of 5
degrees moves it by three times as much."""
_POINTS: Final = 468


@dataclass(frozen=True, slots=True)
class HeldFace(CompactPickle):
    """What one reading saw of a face that kept still since the one before."""

    points: bytes
    """(468, 3) as float16, about the middle of its region, in widths of it: exact to 0.1 pixels."""
    presence: float

    @classmethod
    def of(cls, face: Face, region: Roi) -> Self:
        """``face``, which is in ``region``."""
        middle = np.array([region.x, region.y, 0.0], np.float32)
        placed = (face.points - middle) / np.float32(region.width)
        return cls(placed.astype(np.float16).tobytes(), face.presence)

    def face(self, region: Roi) -> Face:
        """The face, without what was read finely."""
        placed = np.frombuffer(self.points, np.float16).reshape(_POINTS, 3).astype(np.float32)
        middle = np.array([region.x, region.y, 0.0], np.float32)
        return Face(placed * np.float32(region.width) + middle, self.presence)


def keeps_still(before: Roi, now: Roi) -> bool:
    """Whether a face's region hardly moved from ``before`` to ``now``."""
    moved = hypot(now.x - before.x, now.y - before.y)
    return max(moved, abs(now.width - before.width)) <= STILL * before.width
