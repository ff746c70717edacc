"""How much a sample counts, in schedules that are given in samples of the usual five a second.

A camera that is sampled for a moment at fifteen a second, and a client that posts each frame, need
no more searches a second than others do. Pure.
"""

USUAL = 0.2
"""Seconds between two samples."""
_EARLY = 0.75 * USUAL
"""Samples that come later than that after the one before count in full: cameras are not exact."""
NEARLY = 0.05
"""Of a usual sample, by which what is due may be early: sums of paces are not exact."""


def sample_pace(elapsed: float) -> float:
    """What a sample counts that comes ``elapsed`` seconds after the one before: 0–1.

    1 at the usual rate, at lower ones, and where the clock has gone back or stands.
    """
    return elapsed / USUAL if 0 < elapsed < _EARLY else 1.0
