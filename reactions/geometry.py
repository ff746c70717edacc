"""The one box type that recognition, policy and drawing share."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from reactions.compact_pickle import CompactPickle


@dataclass(frozen=True, slots=True)
class Box(CompactPickle):
    """An axis-aligned box in fractions of the frame (0–1, y down); it may reach outside."""

    x: float
    y: float
    width: float
    height: float

    @property
    def center(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2

    @classmethod
    def around(cls, points: npt.NDArray[np.float32], width: int, height: int) -> Self:
        """The box of ``points`` (n, ≥2) given in pixels of a ``width`` x ``height`` frame."""
        # Of one column at a time numpy finds the ends four times as fast as of two.
        x, y = points[:, 0], points[:, 1]
        left, top = float(x.min()), float(y.min())
        across, down = float(x.max()) - left, float(y.max()) - top
        return cls(left / width, top / height, across / width, down / height)

    @classmethod
    def union(cls, boxes: Iterable["Box"]) -> Self:
        """The smallest box around ``boxes``; at least one is needed."""
        parts = list(boxes)
        left = min(box.x for box in parts)
        top = min(box.y for box in parts)
        right = max(box.x + box.width for box in parts)
        bottom = max(box.y + box.height for box in parts)
        return cls(left, top, right - left, bottom - top)

    def clipped(self) -> "Box":
        """The part inside the frame; width or height is 0 where there is none."""
        left, top = min(max(self.x, 0.0), 1.0), min(max(self.y, 0.0), 1.0)
        right = min(max(self.x + self.width, 0.0), 1.0)
        bottom = min(max(self.y + self.height, 0.0), 1.0)
        return Box(left, top, right - left, bottom - top)
