"""A sticker ready to be blended: premultiplied YUVA planes and the delay of each frame."""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Plane: TypeAlias = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class YuvaFrame:
    """One picture of an animation, premultiplied, BT.601 limited range, 4:2:0.

    Blending over a destination plane ``d`` is ``luma + d * (255 - alpha) / 255``, and the same for
    the chroma planes with ``chroma_alpha``. Width and height are even.
    """

    luma: Plane
    """(height, width), multiplied by ``alpha / 255``."""
    blue: Plane
    """Cb, (height / 2, width / 2), multiplied by ``chroma_alpha / 255``."""
    red: Plane
    """Cr, (height / 2, width / 2), multiplied by ``chroma_alpha / 255``."""
    alpha: Plane
    """(height, width), 0 transparent to 255 opaque."""
    chroma_alpha: Plane
    """(height / 2, width / 2)."""

    @property
    def width(self) -> int:
        return int(self.luma.shape[1])

    @property
    def height(self) -> int:
        return int(self.luma.shape[0])

    @property
    def nbytes(self) -> int:
        planes = (self.luma, self.blue, self.red, self.alpha, self.chroma_alpha)
        return sum(plane.nbytes for plane in planes)


@dataclass(frozen=True, eq=False)
class Animation:
    """A looping sequence of frames of one size; ``delays`` are seconds, one for each frame."""

    frames: tuple[YuvaFrame, ...]
    delays: tuple[float, ...]

    @cached_property
    def _ends(self) -> tuple[float, ...]:
        return tuple(accumulate(self.delays))

    @property
    def duration(self) -> float:
        """Seconds of one loop."""
        return self._ends[-1]

    @property
    def nbytes(self) -> int:
        return sum(frame.nbytes for frame in self.frames)

    def at(self, elapsed: float) -> YuvaFrame:
        """The frame to show ``elapsed`` seconds after the animation began; it loops."""
        position = max(elapsed, 0.0) % self.duration
        return self.frames[min(bisect_right(self._ends, position), len(self.frames) - 1)]
