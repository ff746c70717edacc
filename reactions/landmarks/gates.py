"""Samples that show nobody: frozen, black and garbled ones, told apart for a few microseconds."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reactions.observation import Gate, RgbImage

_ROWS, _COLUMNS = 36, 64
_FROZEN_AFTER = 2.0
"""Seconds without a change before a picture counts as frozen: cameras repeat single frames."""
_FLAT = 4.0
"""Standard deviation, in grey levels of 255, up to which a picture is one flat colour."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A sparse grid of one sample's greens, and since when it has looked like that."""

    greens: bytes
    since: float
    """Seconds on the clock of the samples."""


def look(picture: RgbImage, time: float, last: Fingerprint | None) -> tuple[Gate, Fingerprint]:
    """Whether a sample is worth looking at, given the fingerprint of the one before."""
    grid = _grid(picture)
    greens = grid.tobytes()
    same = last is not None and last.greens == greens
    print_ = Fingerprint(greens, last.since if same and last else time)
    if float(grid.std()) <= _FLAT:
        return Gate.BLACK, print_
    if time - print_.since >= _FROZEN_AFTER:
        return Gate.FROZEN, print_
    return Gate.OPEN, print_


def _grid(picture: RgbImage) -> npt.NDArray[np.uint8]:
    """Green is most of luma, and needs no arithmetic."""
    rows, columns = picture.shape[:2]
    return picture[:: max(1, rows // _ROWS), :: max(1, columns // _COLUMNS), 1]
