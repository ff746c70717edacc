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

    def wait(self, caller: str, now: float, cost: float = 1.0) -> float:
        """Take ``cost`` calls from the caller's bucket: 0, or the seconds after which to retry."""
        bucket = self._buckets.get(caller)
        if bucket is None:
            self._make_room()
            bucket = self._buckets[caller] = _Bucket(self.burst, now)
        bucket.level = min(self.burst, bucket.level + (now - bucket.filled) * self.rate)
        bucket.filled = now
        if bucket.level < cost:
            return (cost - bucket.level) / self.rate
        bucket.level -= cost
        return 0.0

    def _make_room(self) -> None:
        if len(self._buckets) >= CALLERS:
            fullest = max(self._buckets, key=lambda caller: self._buckets[caller].level)
            del self._buckets[fullest]
