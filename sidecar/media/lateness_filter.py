"""Tells a stream's frames on time from the damaged ones that come after an outage. Pure.

After an outage of a second or more, aiortc's own jitter buffer (and so any version that ``compat``
doesn't know) hands over its backlog in bursts, decoded against missing references: dozens of frames
of blocks, with no error and no key-frame flag to tell them by (docs/media-plane.md). It asks for a
key frame when the first of them leaves its buffer. So what was captured before that moment is
damaged, and what was captured later is not, late as it may come.
"""

LIMIT = 0.3
"""Seconds by which a frame may lag behind the promptest ones; ordinary jitter stays below 0.1."""
ROUND_TRIP = 0.15
"""Seconds from asking for a key frame to its capture."""
DRIFT = 0.001
"""Seconds a second by which the baseline rises anyway: clocks differ by less than 200 ppm."""
RISE = 0.05
"""The same while frames come late: a road that has become longer is the norm after a while."""


class LagGate:
    """Decides frame by frame whether it can be shown; knows no more than stamps and arrivals."""

    def __init__(self) -> None:
        self._baseline: float | None = None
        self._stamp = self._lag = 0.0
        self._behind = False
        self._sound_from = float("-inf")

    def admits(self, stamp: float, arrival: float) -> bool:
        """Whether the frame stamped ``stamp`` by its sender and arrived at ``arrival`` is sound.

        Both in seconds, on clocks that need no common origin.
        """
        lag = arrival - stamp
        if self._baseline is None or stamp < self._stamp:
            # Stamps that run backwards are a new stream in the old one's place.
            self._baseline, self._behind = lag, False
        else:
            elapsed = min(max(arrival - self._stamp - self._lag, 0.0), 1.0)
            rise = elapsed * (RISE if self._behind else DRIFT)
            self._baseline = min(lag, self._baseline + rise)
        behind = lag - self._baseline > LIMIT
        if behind and (not self._behind or lag - self._lag > LIMIT):
            self._sound_from = arrival - self._baseline + ROUND_TRIP
        self._stamp, self._lag, self._behind = stamp, lag, behind
        return not behind or stamp >= self._sound_from
