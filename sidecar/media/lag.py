"""Tells frames that arrive late, behind everybody else of their stream, from frames on time. Pure.

After an outage of a second or more, the transport hands over its backlog in a burst, decoded
against missing references: 30–90 frames of blocks, with no error and no key-frame flag to tell them
by (docs/media-plane.md). What they have in common is that they are late.
"""

LIMIT = 0.3
"""Seconds that a frame may lag behind the promptest one; ordinary jitter stays below 0.1."""
DRIFT = 0.001
"""Seconds per second by which the baseline may rise: clocks differ by less than 200 ppm."""
STEADY_TIME = 1.0
STEADY_SPREAD = 0.2
"""A lag that stays within this spread for that long is a longer road, not a backlog: the frames of
a backlog catch up by a second or more within half a second."""
PATIENCE = 5.0
"""Seconds without a frame let through after which the gate gives in to any lag."""


class LagGate:
    """Decides frame by frame whether it is on time; keeps one baseline and forgets slowly."""

    def __init__(self) -> None:
        self._baseline: float | None = None
        self._newest = float("-inf")
        self._checked = 0.0
        self._closed_at: float | None = None
        self._steady_since = 0.0
        self._low = self._high = 0.0

    def admits(self, stamp: float, arrival: float) -> bool:
        """Whether the frame stamped ``stamp`` by its sender and arrived at ``arrival`` is on time.

        Both in seconds, on clocks that need no common origin.
        """
        lag = arrival - stamp
        if self._baseline is None or stamp < self._newest:
            # Stamps that run backwards are a new stream in the old one's place.
            return self._open(lag, stamp, arrival)
        self._newest = stamp
        self._baseline = min(lag, self._baseline + DRIFT * max(arrival - self._checked, 0.0))
        self._checked = arrival
        if lag - self._baseline <= LIMIT:
            self._closed_at = None
            return True
        if self._accepts(lag, arrival):
            return self._open(lag, stamp, arrival)
        return False

    def _open(self, lag: float, stamp: float, arrival: float) -> bool:
        self._baseline, self._newest, self._checked = lag, stamp, arrival
        self._closed_at = None
        return True

    def _accepts(self, lag: float, arrival: float) -> bool:
        """Whether a lag over the limit has lasted so long, or so evenly, that it is normal."""
        if self._closed_at is None:
            self._closed_at = self._steady_since = arrival
            self._low = self._high = lag
        self._low, self._high = min(self._low, lag), max(self._high, lag)
        if self._high - self._low > STEADY_SPREAD:
            self._steady_since, self._low, self._high = arrival, lag, lag
        return arrival - self._steady_since >= STEADY_TIME or arrival - self._closed_at >= PATIENCE
