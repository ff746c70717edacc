"""Rate limits: a token bucket a caller. Pure."""

from dataclasses import dataclass, field
from typing import Final

CALLERS: Final = 4096
"""Buckets that are kept; the fullest is dropped, whose caller loses nothing by that."""


@dataclass(slots=True)
class _Bucket:
    level: float
    filled: float


@dataclass(slots=True)
class RateLimiter:
    """``rate`` calls a second with bursts of ``burst``; times are seconds on a monotonic clock."""

    rate: float
    burst: float
    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    def wait(self, caller: str, now: float, cost: float = 1.0, rate: float | None = None) -> float:
        """Take ``cost`` calls from the caller's bucket: 0, or the seconds after which to retry.

        A caller may have a ``rate`` of its own, with bursts as many times as long.
        """
        own = self.rate if rate is None else min(rate, self.rate)
        burst = max(1.0, self.burst * own / self.rate)
        bucket = self._buckets.get(caller)
        if bucket is None:
            self._make_room()
            bucket = self._buckets[caller] = _Bucket(burst, now)
        bucket.level = min(burst, bucket.level + (now - bucket.filled) * own)
        bucket.filled = now
        if bucket.level < cost:
            return (cost - bucket.level) / own
        bucket.level -= cost
        return 0.0

    def _make_room(self) -> None:
        if len(self._buckets) >= CALLERS:
            fullest = max(self._buckets, key=lambda caller: self._buckets[caller].level)
            del self._buckets[fullest]
