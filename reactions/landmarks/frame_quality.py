"""Which samples are of no use (frozen, black, garbled), found in some ten microseconds."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reactions.compact_pickle import CompactPickle
from reactions.geometry import Box
from reactions.landmark_types import Quality, RgbImage

_ROWS, _COLUMNS = 36, 64
_FROZEN_AFTER = 2.0
"""Seconds without a change before a picture counts as frozen: cameras repeat single frames."""
_FLAT = 4.0
"""Standard deviation, in grey levels of 255, up to which a picture is one flat colour."""
_CLEARLY = 24
"""Grey levels of 255: more than noise, compression and a camera's exposure make."""
_CLEARLY_IN_THE_DARK = 8
"""The same for a picture of little contrast."""
_HARDLY = 0.02
"""Share of the picture, up to which a change has no place."""
_OUTLIERS = (0.1, 0.9)
"""Quantiles."""
_BLOCK = 16
"""Side of a VP8 or H.264 macroblock, pixels."""
_BLOCKY = 2.0
"""Step at the edges of blocks, by the mean step, from which a picture is a decoder's garbage.

Frames decoded without their references (webcam clips, VP8 at 100-500 kbit/s, 30 frames lost, below
20 dB): 35 % are above; of 1,600 clean ones 0.3 %. The rest is left to the feed's
lateness filter and to the policy, which needs several samples that agree.
"""


@dataclass(frozen=True, slots=True)
class Fingerprint(CompactPickle):
    """A sparse grid of one sample's greens, and since when it has looked like that."""

    greens: bytes
    since: float
    """Seconds on the clock of the samples; infinite where it may look like that for ever."""
    columns: int = 0
    """Of the grid."""


def judge_quality(
    picture: RgbImage, time: float, last: Fingerprint | None
) -> tuple[Quality, Fingerprint]:
    """Whether a sample is worth reading, given the fingerprint of the one before.

    The first of a participant, or a still picture, can be black but neither frozen nor garbage:
    a photo's own compression is no worse for being strong.
    """
    rows, columns = picture.shape[:2]
    # Green is most of luma, and needs no arithmetic.
    grid = picture[:: max(1, rows // _ROWS), :: max(1, columns // _COLUMNS), 1]
    greens = grid.tobytes()
    unchanged = last is not None and last.greens == greens
    seen = Fingerprint(greens, time, grid.shape[1])
    fingerprint = last if last is not None and unchanged else seen
    if float(grid.std()) <= _FLAT:
        return Quality.BLACK, fingerprint
    if time - fingerprint.since >= _FROZEN_AFTER:
        return Quality.FROZEN, fingerprint
    if last is not None and blockiness(picture) >= _BLOCKY:
        return Quality.GARBAGE, fingerprint
    return Quality.OK, fingerprint


@dataclass(frozen=True, slots=True)
class PictureChange:
    """How much of a picture differs clearly from the one before it, and where."""

    share: float = 0.0
    """Of the picture, 0–1."""
    box: Box | None = None
    """Around nearly all that changed; None where hardly anything did."""


def change_between(before: Fingerprint, now: Fingerprint) -> PictureChange:
    """What changed between two samples of one size."""
    if before.greens == now.greens or before.columns != now.columns:
        return PictureChange()
    if len(before.greens) != len(now.greens):
        return PictureChange()
    grids = (np.frombuffer(each.greens, np.uint8).astype(np.int16) for each in (before, now))
    old, new = (grid.reshape(-1, now.columns) for grid in grids)
    # In a dark room a hand differs less from what is behind it.
    clearly = float(np.clip(new.std() / 2, _CLEARLY_IN_THE_DARK, _CLEARLY))
    changed = np.abs(new - old) > clearly
    share = float(changed.mean())
    return PictureChange(share, _box_of(changed) if share >= _HARDLY else None)


def _box_of(changed: npt.NDArray[np.bool_]) -> Box:
    """The box, in fractions of the picture, that leaves out a tenth of the changes at each side."""
    rows, columns = np.nonzero(changed)
    left, right = (quantile(columns, share) / changed.shape[1] for share in _OUTLIERS)
    top, bottom = (quantile(rows, share) / changed.shape[0] for share in _OUTLIERS)
    return Box(left, top, right - left, bottom - top)


def quantile(values: npt.NDArray[np.integer], share: float) -> float:
    """The value (n ≥ 1 of them) that ``share``, 0–1, of ``values`` are below, linear between two.

    As ``np.quantile``, in an eighth of its time.
    """
    place = share * (values.size - 1)
    below = int(place)
    above = min(below + 1, values.size - 1)
    ordered = np.partition(values, (below, above))
    low, high = float(ordered[below]), float(ordered[above])
    return low + (high - low) * (place - below)


def blockiness(picture: RgbImage) -> float:
    """How much larger steps between columns are at the edges of macroblocks than on average.

    About 1 for a camera's picture at its decoded size; a scaled one has its blocks elsewhere and
    never looks blocky.
    """
    lines = picture[::12, :, 1].astype(np.int16)
    steps = np.abs(lines[:, 1:] - lines[:, :-1]).sum(axis=0, dtype=np.int32)
    edges = steps[_BLOCK - 1 :: _BLOCK]
    return float(edges.mean() / (steps.mean() + 0.5 * len(lines))) if edges.size else 0.0
