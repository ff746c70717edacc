"""Counts over all rooms and all lives of their processes: what a counter metric needs. Pure.

A process counts from zero and takes its counts with it when it ends, while a metric of the server
must never fall; so what each report adds to the one before is added up here.
"""

from dataclasses import dataclass, field
from typing import Final

from sidecar.supervisor.values import RoomStats

NUMBERS: Final = (
    "frames_in",
    "frames_late",
    "ticks",
    "late_ticks",
    "samples",
    "bursts",
    "encoded_bytes",
    "detection_seconds",
)
TABLES: Final = ("dropped", "reactions", "sink_drops", "deliveries", "detections", "rejoins")


@dataclass(slots=True)
class Totals:
    """Counts by name, and by name and key for those that are counted by something."""

    numbers: dict[str, float] = field(default_factory=lambda: dict.fromkeys(NUMBERS, 0.0))
    tables: dict[str, dict[str, float]] = field(
        default_factory=lambda: {name: {} for name in TABLES}
    )

    def add(self, before: RoomStats, now: RoomStats) -> None:
        """Add what ``now`` has more than ``before``; a count that fell begins from zero."""
        for name in NUMBERS:
            self.numbers[name] += _gain(getattr(before, name), getattr(now, name))
        for name in TABLES:
            earlier = getattr(before, name)
            table = self.tables[name]
            for key, count in getattr(now, name).items():
                table[key] = table.get(key, 0.0) + _gain(earlier.get(key, 0), count)


def _gain(before: float, now: float) -> float:
    return now - before if now >= before else now
