"""Which picture a virtual camera shows next, and when: pure, times are arguments.

Programs that read a camera expect a picture each interval. The composite's clock makes them so; a
picture that comes late is made up for by the one before, and of several that come at once the
newest is shown.
"""

import math
from typing import Final

import av

LATE: Final = 1.5
"""Intervals without a new picture, after which the last is shown again."""
EARLY: Final = 0.5
"""Intervals between two pictures at least: after a stall, those that waited come at once."""


class CameraPacer:
    """The newest picture, and when it is due; ``fps`` is the composite's."""

    def __init__(self, fps: float) -> None:
        self.replaced = 0
        """Pictures that were never shown, since a newer one came."""
        self.repeated = 0
        """Pictures that were shown again."""
        self._interval = 1 / fps
        self._newest: av.VideoFrame | None = None
        self._shown: av.VideoFrame | None = None
        self._shown_at = -math.inf

    def put(self, picture: av.VideoFrame) -> None:
        """A new picture of the composite."""
        self.replaced += self._newest is not None
        self._newest = picture

    def wait(self, now: float) -> float:
        """Seconds until ``take`` has a picture; infinite before the first one came."""
        if self._newest is not None:
            return max(0.0, self._shown_at + EARLY * self._interval - now)
        if self._shown is None:
            return math.inf
        return max(0.0, self._shown_at + LATE * self._interval - now)

    def take(self, now: float) -> av.VideoFrame:
        """The picture to show at ``now``; call it when ``wait`` is 0."""
        picture = self._newest or self._shown
        assert picture is not None
        self.repeated += self._newest is None
        self._newest, self._shown, self._shown_at = None, picture, now
        return picture
