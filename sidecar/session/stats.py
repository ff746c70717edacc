"""A session's numbers at one moment, for ``GET /rooms/NAME/stats`` and the live status."""

from collections import deque
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class ParticipantStats:
    """One participant's numbers; counts are since they joined."""

    participant: str
    name: str
    width: int | None
    height: int | None
    frames_in: int
    frames_late: int
    """Frames dropped because they came late, as after an outage."""
    samples: int
    sample_age: float | None
    """Seconds since the newest sample was taken; None before the first."""
    detection_ms: float | None
    """Median of the last detections, in milliseconds."""
    stale: bool
    opted_out: bool


@dataclass(frozen=True, slots=True)
class SessionStats:
    """One room's numbers; counts are since the session began."""

    room: str
    uptime: float
    frames_out: int
    late_ticks: int
    viewers: int
    key_frames: int
    participants: tuple[ParticipantStats, ...]


class RecentMedian:
    """The median of the last ``size`` values."""

    def __init__(self, size: int = 25) -> None:
        self._values: deque[float] = deque(maxlen=size)

    def add(self, value: float) -> None:
        self._values.append(value)

    @property
    def value(self) -> float | None:
        """None before the first value."""
        return median(self._values) if self._values else None
