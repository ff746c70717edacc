"""A face that is kept from one sample to the next as a few bytes. Pure."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from reactions.compact_pickle import CompactPickle
from reactions.landmark_types import Face

_POINTS: Final = 468


@dataclass(frozen=True, slots=True)
class PackedFace(CompactPickle):
    """A face without its finer reading, in 2.8 KB. Equal by what it holds."""

    points: bytes
    """(468, 3) as float16, about ``middle``, in ``width``s: exact to 0.1 pixels."""
    middle: tuple[float, float]
    """Of the face, in pixels."""
    width: float
    """Of the face, in pixels."""
    presence: float

    @classmethod
    def of(cls, face: Face) -> Self:
        """``face``, packed."""
        # Of one column at a time numpy finds the ends four times as fast as of two.
        across, down = face.points[:, 0], face.points[:, 1]
        left, right, top, bottom = (
            float(end) for end in (across.min(), across.max(), down.min(), down.max())
        )
        x, y, width = (left + right) / 2, (top + bottom) / 2, (right - left) or 1.0
        placed = (face.points - np.array([x, y, 0.0], np.float32)) / np.float32(width)
        return cls(placed.astype(np.float16).tobytes(), (x, y), width, face.presence)

    @property
    def face(self) -> Face:
        """The face again."""
        placed = np.frombuffer(self.points, np.float16).reshape(_POINTS, 3).astype(np.float32)
        middle = np.array([*self.middle, 0.0], np.float32)
        return Face(placed * np.float32(self.width) + middle, self.presence)
