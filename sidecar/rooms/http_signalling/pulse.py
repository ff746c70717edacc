"""Whether the other side of a connection still lives, from when its packets come. Pure."""

from typing import Final

PATIENCE: Final = 3.0
"""Seconds of silence that say nothing, whatever was usual before."""
UNKNOWN: Final = 12.0
"""The same before it is known how often packets come: some report every five seconds."""
GAPS: Final = 3.0
"""So many times the longest pause so far is silence."""
LEARNED: Final = 3
"""Packets after which the longest pause is believed."""


class Pulse:
    """Told, now and then, how much has come; says when it has been silent for too long.

    Times are seconds on the caller's clock. aiortc itself notices a dead peer after half a minute;
    media or, without any, reports come about once a second from most servers, so that three or four
    seconds are enough. A sender that reports seldom is given more, as far as it has shown it.
    """

    def __init__(self, now: float) -> None:
        self._count = 0
        self._last = now
        self._beats = 0
        self._longest = 0.0

    def note(self, count: int, now: float) -> None:
        """At ``now``, ``count`` bytes (or anything that grows) have come in all."""
        if count <= self._count:
            return
        if self._beats:
            self._longest = max(self._longest, now - self._last)
        self._count, self._last = count, now
        self._beats += 1

    def silent(self, now: float) -> bool:
        """Whether nothing has come for so long that nothing will."""
        limit = UNKNOWN if self._beats < LEARNED else max(PATIENCE, GAPS * self._longest)
        return now - self._last > min(limit, UNKNOWN)
