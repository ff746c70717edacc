"""Tells a stream's frames on time from the damaged ones that come after an outage. Pure.

After an outage of a second or more, aiortc's own jitter buffer (and so any version that
``aiortc_patches`` does not know) hands over its backlog in bursts, decoded against missing
references: dozens of frames of blocks, with no error and no key-frame flag to tell them by
(docs/media-plane.md). It asks for a key frame when the first of them leaves its buffer. So what was
captured before that moment is damaged, and what was captured later is not, late as it may come.

A sender whose stamps do not follow the clock looks late too: one that needs 0.4 s for a frame and
stamps them 33 ms apart, one that pauses and continues, one whose stamps stand still.
What tells them apart is that a backlog catches up: its frames lag less and less, while those of a
slow sender never do. So late frames are held, and shown once they have not caught up for a second.
"""

from enum import Enum, auto
from typing import Final

LIMIT: Final = 0.3
"""Seconds by which a frame may lag behind the promptest ones; ordinary jitter stays below 0.1."""
ROUND_TRIP: Final = 0.15
"""Seconds from asking for a key frame to its capture."""
DRIFT: Final = 0.001
"""Seconds a second by which the baseline rises anyway: clocks differ by less than 200 ppm."""
RISE: Final = 0.05
"""The same while frames come late: a longer network path is the norm after a while."""
HOLDS: Final = (1.0, 0.5, 0.25, 0.0)
"""Seconds for which late frames must not catch up before they are shown; shorter each time that a
stream has turned out to be slow, so that a slow sender is not delayed at each of its frames."""
CAUGHT_UP: Final = 0.08
"""Seconds by which the lag must fall to count as catching up: more than jitter within a second."""
TRUST: Final = 10.0
"""Seconds on time after which the first of ``HOLDS`` counts again."""


class Lateness(Enum):
    """What to do with a frame."""

    SHOW = auto()
    HOLD = auto()
    """Keep it until ``release_at``, and show it then unless another frame came."""
    DROP = auto()


class LatenessFilter:
    """Judges a stream frame by frame; knows no more than stamps and arrivals.

    Stamps are seconds on the sender's clock, arrivals seconds on ours; they need no common origin.
    """

    def __init__(self) -> None:
        self.release_at: float | None = None
        """When the frame that is held may be shown; None while none is."""
        self._baseline: float | None = None
        self._stamp = self._lag = self._arrival = 0.0
        self._behind = False
        self._sound_from = float("-inf")
        self._least = 0.0
        """The smallest lag since the frames began to be held."""
        self._held_since = 0.0
        self._catching_up = False
        self._slow = 0
        """How often the stream has turned out to be slow: an index of ``HOLDS``."""

    def judge(self, stamp: float, arrival: float) -> Lateness:
        """What to do with the frame stamped ``stamp`` by its sender that arrived at ``arrival``."""
        self.release(arrival)
        lag = arrival - stamp
        if self._baseline is None or stamp < self._stamp:
            # Stamps that run backwards are a new stream in the old one's place.
            self._baseline, self._behind = lag, False
        else:
            self._raise_baseline(lag, arrival)
        behind = lag - self._baseline > LIMIT
        if behind and (not self._behind or lag - self._lag > LIMIT):
            self._sound_from = arrival - self._baseline + ROUND_TRIP
            if not self._behind or self._catching_up:
                # A sender that is slow from frame to frame jumps at each and never catches up.
                self._least, self._held_since, self._catching_up = lag, arrival, False
        self._stamp, self._lag, self._arrival, self._behind = stamp, lag, arrival, behind
        if not behind or stamp >= self._sound_from:
            self.release_at = None
            if not behind and arrival - self._held_since > TRUST:
                self._slow = 0
            return Lateness.SHOW
        return self._judge_late(lag, arrival)

    def release(self, now: float) -> bool:
        """Whether the frame that is held can be shown at ``now``: none has caught up since."""
        if self.release_at is None or now < self.release_at:
            return False
        self._accept(self._lag)
        return True

    def _raise_baseline(self, lag: float, arrival: float) -> None:
        assert self._baseline is not None
        elapsed = min(max(arrival - self._arrival, 0.0), 1.0)
        self._baseline = min(lag, self._baseline + elapsed * (RISE if self._behind else DRIFT))

    def _judge_late(self, lag: float, arrival: float) -> Lateness:
        if self._least - lag > CAUGHT_UP:
            self._least, self._held_since, self._catching_up = lag, arrival, True
            self.release_at = None
            return Lateness.DROP
        hold = HOLDS[min(self._slow, len(HOLDS) - 1)]
        if arrival - self._held_since >= hold:
            self._accept(lag)
            return Lateness.SHOW
        self.release_at = self._held_since + hold
        return Lateness.HOLD

    def _accept(self, lag: float) -> None:
        """Take the stream as slow: its lag of now is the norm from here on."""
        self._baseline, self._behind = lag, False
        self._slow += 1
        self.release_at = None
