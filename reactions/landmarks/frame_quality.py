"""Which samples are of no use (frozen, black, garbled), found in some ten microseconds."""

from dataclasses import dataclass

import numpy as np

from reactions.landmark_types import Quality, RgbImage

_ROWS, _COLUMNS = 36, 64
_FROZEN_AFTER = 2.0
"""Seconds without a change before a picture counts as frozen: cameras repeat single frames."""
_FLAT = 4.0
"""Standard deviation, in grey levels of 255, up to which a picture is one flat colour."""
_CLEARLY = 24
"""Grey levels of 255: more than noise, compression and a camera's exposure make."""
_BLOCK = 16
"""Side of a VP8 or H.264 macroblock, pixels."""
_BLOCKY = 2.0
"""Step at the edges of blocks, by the mean step, from which a picture is a decoder's garbage.

Frames decoded without their references (webcam clips, VP8 at 100-500 kbit/s, 30 frames lost, below
20 dB): 35 % are above; of 1,600 clean ones 0.3 %. The rest is left to the feed's
lateness filter and to the policy, which needs several samples that agree.
"""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A sparse grid of one sample's greens, and since when it has looked like that."""

    greens: bytes
    since: float
    """Seconds on the clock of the samples; infinite where it may look like that for ever."""


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
    fingerprint = last if last is not None and unchanged else Fingerprint(greens, time)
    if float(grid.std()) <= _FLAT:
        return Quality.BLACK, fingerprint
    if time - fingerprint.since >= _FROZEN_AFTER:
        return Quality.FROZEN, fingerprint
    if last is not None and blockiness(picture) >= _BLOCKY:
        return Quality.GARBAGE, fingerprint
    return Quality.OK, fingerprint


def changed_share(before: Fingerprint, now: Fingerprint) -> float:
    """The share of the picture, 0–1, that differs clearly between two samples of one size."""
    if before.greens == now.greens or len(before.greens) != len(now.greens):
        return 0.0
    old, new = (np.frombuffer(each.greens, np.uint8).astype(np.int16) for each in (before, now))
    return float((np.abs(new - old) > _CLEARLY).mean())


def blockiness(picture: RgbImage) -> float:
    """How much larger steps between columns are at the edges of macroblocks than on average.

    About 1 for a camera's picture at its decoded size; a scaled one has its blocks elsewhere and
    never looks blocky.
    """
    lines = picture[::12, :, 1].astype(np.int16)
    steps = np.abs(lines[:, 1:] - lines[:, :-1]).sum(axis=0, dtype=np.int32)
    edges = steps[_BLOCK - 1 :: _BLOCK]
    return float(edges.mean() / (steps.mean() + 0.5 * len(lines))) if edges.size else 0.0
