"""How often participants are sampled under overload. Pure: times and counts are passed in.

All rooms are slowed down by the same factor, so that none starves, and long before the composite's
clock has to give: a late tick of any room slows sampling down too. The factor falls quickly and
rises slowly, as TCP's congestion window does (RFC 5681), so that it settles instead of swinging.
"""

from dataclasses import dataclass
from typing import Final

LOWEST: Final = 0.2
"""Of the factor: one sample a second of the usual five, with which a held label is still seen."""
DOWN: Final = 0.75
"""What the factor is multiplied by while there are signs of overload."""
UP: Final = 0.05
"""What is added to the factor after each calm look."""
CALM: Final = 5.0
"""Seconds without any sign after which the factor begins to rise: longer than it takes to show
that a rise was too much."""


@dataclass(frozen=True, slots=True)
class LoadCounts:
    """Counts since the server began, of all rooms together."""

    rooms: int = 1
    """Rooms that there are now."""
    begun: int = 0
    """Samples that a shared worker began to detect, those of the annotate service too."""
    waited: float = 0.0
    """Seconds that those have waited for it."""
    samples: float = 0.0
    """Samples that were detected."""
    dropped: float = 0.0
    """Samples that were too old, or replaced, before a worker was free."""
    ticks: float = 0.0
    """Pictures of composites."""
    late: float = 0.0
    """Ticks that were skipped."""


@dataclass(frozen=True, slots=True)
class OverloadLimits:
    """From where on there is overload; a look is calm below half of each."""

    waited: float = 0.06
    """Mean seconds that a sample waits for a worker: a third of the usual 0.2 s between samples."""
    dropped: float = 0.05
    """Share of samples."""
    late: float = 0.01
    """Share of ticks."""


class SamplingControl:
    """The share of the wanted rate at which all participants are sampled: ``factor``, up to 1."""

    def __init__(self, limits: OverloadLimits | None = None) -> None:
        self._limits = limits or OverloadLimits()
        self._before: LoadCounts | None = None
        self._disturbed: float | None = None
        self.factor = 1.0

    def look(self, counts: LoadCounts, now: float) -> float:
        """The factor at ``now``, in seconds, given the counts of this moment; once a second.

        Without rooms it is 1: what waits then is the annotate service's.
        """
        if counts.rooms == 0:
            self.factor, self._before, self._disturbed = 1.0, None, None
            return self.factor
        before, self._before = self._before, counts
        if before is None:
            return self.factor
        pressure = self._pressure(before, counts)
        if pressure >= 1.0:
            self.factor = max(LOWEST, self.factor * DOWN)
        if pressure >= 0.5:
            self._disturbed = now
        elif self._disturbed is not None and now - self._disturbed >= CALM:
            self.factor = min(1.0, self.factor + UP)
        return self.factor

    def _pressure(self, before: LoadCounts, now: LoadCounts) -> float:
        """How near to its limit the worst of all signs is; 1 is at the limit."""
        limits = self._limits
        begun, samples = now.begun - before.begun, now.samples - before.samples
        dropped = now.dropped - before.dropped
        late, ticks = now.late - before.late, now.ticks - before.ticks
        return max(
            _share(now.waited - before.waited, begun) / limits.waited,
            _share(dropped, samples + dropped) / limits.dropped,
            _share(late, ticks + late) / limits.late,
        )


def _share(part: float, whole: float) -> float:
    return max(0.0, part) / whole if whole > 0 else 0.0
