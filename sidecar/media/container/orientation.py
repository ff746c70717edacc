"""Rotation and mirroring of a track, by its display matrix. Pure."""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Samples: TypeAlias = npt.NDArray[np.uint8]

_TOLERANCE: Final = 2.0
"""Degrees from a quarter turn that are taken for one: matrices are written with rounding errors."""


@dataclass(frozen=True, slots=True)
class Orientation:
    """One of the eight ways to lay a picture on a screen; the steps apply in this order."""

    transposed: bool = False
    """Rows become columns."""
    mirrored: bool = False
    """Left and right are exchanged."""
    flipped: bool = False
    """Top and bottom are exchanged."""

    def apply(self, plane: Samples) -> Samples:
        """A view of ``plane``, rows of samples, as it is shown."""
        shown = plane.T if self.transposed else plane
        if self.mirrored:
            shown = shown[:, ::-1]
        return shown[::-1] if self.flipped else shown


UPRIGHT: Final = Orientation()


def parse_display_matrix(data: bytes) -> Orientation:
    """The orientation that FFmpeg's AV_FRAME_DATA_DISPLAYMATRIX, nine native int32, stands for.

    Its point (p, q) is shown at (a p + c q, b p + d q) where the matrix begins a b u, c d v. Raises
    ValueError with the angle where that is no multiple of 90 degrees.
    """
    a, b, _, c, d = struct.unpack("=9i", data[:36])[:5]
    return from_axes((a, b), (c, d))


def from_axes(across: Sequence[float], down: Sequence[float]) -> Orientation:
    """The orientation that shows the stored x axis along ``across``, the y axis along ``down``.

    Lengths don't matter; a matrix without an inverse is taken for none. Raises ValueError with
    the angle where an axis lies across the screen's.
    """
    if math.isclose(across[0] * down[1], across[1] * down[0], abs_tol=1e-9):
        return UPRIGHT
    for axis in (across, down):
        angle = math.degrees(math.atan2(axis[1], axis[0]))
        if abs(angle - 90 * round(angle / 90)) > _TOLERANCE:
            raise ValueError(f"is turned by {math.degrees(math.atan2(across[1], across[0])):.0f}°")
    transposed = abs(across[1]) > abs(across[0])
    if transposed:
        # The stored y axis is shown along the screen's x axis.
        return Orientation(True, mirrored=down[0] < 0, flipped=across[1] < 0)
    return Orientation(False, mirrored=across[0] < 0, flipped=down[1] < 0)
