"""When a room's process may be restarted: backoff, and a limit per window of time. Pure."""

from collections import deque
from dataclasses import dataclass, field

LIMIT = 5
"""Restarts within ``WINDOW`` after which a room is given up, as Frigate's watchdog has it."""
WINDOW = 60.0
"""Seconds."""
FIRST = 0.2
"""Seconds before the first restart; each further one within the window waits twice as long."""
LONGEST = 5.0
"""Seconds that a restart waits at most."""


@dataclass(slots=True)
class RestartLimit:
    """The restarts of one room; times are seconds on any monotonic clock."""

    limit: int = LIMIT
    window: float = WINDOW
    first: float = FIRST
    longest: float = LONGEST
    total: int = 0
    """Restarts since the room was made."""
    _recent: deque[float] = field(default_factory=deque)

    def next_delay(self, now: float) -> float | None:
        """Count a restart at ``now``: the seconds to wait, None if the limit is reached."""
        while self._recent and now - self._recent[0] >= self.window:
            self._recent.popleft()
        if len(self._recent) >= self.limit:
            return None
        delay = min(self.longest, self.first * 2.0 ** len(self._recent))
        self._recent.append(now)
        self.total += 1
        return delay
