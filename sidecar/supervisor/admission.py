"""Whether there is capacity for one more room: declared cost first, measured cost later. Pure.

The scheme is LiveKit egress' (``pkg/stats/monitor.go``): a room's declared cost counts from the
moment it is admitted, so that a burst of requests is not admitted on a stale average; once it has
run for 15 s its measured cost counts instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from config.errors import CapacityError

HOLD = 15.0
"""Seconds for which the declared cost counts, as in LiveKit egress (``cpuHoldDuration``)."""

SMOOTHING = 0.2
"""Weight of the newest of the measurements, one a second: LiveKit agents average over 2.5 s."""


@dataclass(frozen=True, slots=True)
class CompositeSize:
    """How many pixels a composite has, and how often."""

    width: int
    height: int
    fps: int

    @property
    def pixels(self) -> int:
        """Pixels a second."""
        return self.width * self.height * self.fps


REFERENCE: Final = CompositeSize(1280, 720, 25)
"""The composite whose cost stands in the table; that of others goes by their pixels a second."""


@dataclass(frozen=True, slots=True)
class CostTable:
    """Shares of a core that the parts of a room cost, as ``python -m bench serve_rooms`` has it."""

    base: float
    """A room's process, without composite and participants."""
    composite: float
    """Drawing and encoding a composite of 1280x720 at 25 frames a second."""
    participant: float
    """Receiving and drawing one camera in the layer that its tile needs."""
    sample: float
    """One sample a second of one participant, detection included."""
    viewer: float
    """One further viewer of the composite."""

    def room(
        self, participants: int, rate: float, viewers: int = 1, size: CompositeSize = REFERENCE
    ) -> float:
        """Cores that a room of ``participants`` sampled at ``rate`` a second costs."""
        drawn = self.composite * size.pixels / REFERENCE.pixels
        each = self.participant + self.sample * rate
        return self.base + drawn + participants * each + max(0, viewers - 1) * self.viewer


@dataclass(frozen=True, slots=True)
class UsedSeconds:
    """Seconds of a core that a room has used by a time: of its process, and of shared workers."""

    time: float
    process: float
    detection: float

    def cores(self, before: "UsedSeconds", factor: float) -> float | None:
        """Cores since ``before``, of this life of the room; None where they are unknown.

        Detection counts as if it had not been slowed down to the share ``factor`` of its rate: a
        server that is too busy to sample as often as is wanted has no capacity for more rooms.
        """
        wall, process = self.time - before.time, self.process - before.process
        detection = self.detection - before.detection
        if wall <= 0 or process < 0 or detection < 0:
            return None
        return (process + detection / factor) / wall


@dataclass(slots=True)
class _Admitted:
    declared: float
    since: float
    measured: float | None = None


@dataclass(slots=True)
class Admission:
    """The rooms that are admitted, by id, and what they cost; ``cores`` is what may be used.

    Times are seconds on any monotonic clock.
    """

    cores: float
    hold: float = HOLD
    _rooms: dict[str, _Admitted] = field(default_factory=dict)

    def admit(self, room: str, declared: float, now: float) -> None:
        """Reserve ``declared`` cores for ``room`` at once; raises CapacityError if it is full."""
        used = self.used(now)
        if self._rooms and used + declared > self.cores:
            raise CapacityError(
                f"no capacity: {used:.2f} of {self.cores:.2f} cores are in use and the room needs "
                f"{declared:.2f}",
                where="admission",
                do="try again when a room has ended, or add a machine",
            )
        self._rooms[room] = _Admitted(declared, now)

    def measure(self, room: str, cores: float) -> None:
        """Note what ``room`` used since the last measurement; an unknown room is ignored."""
        if (admitted := self._rooms.get(room)) is not None:
            before = cores if admitted.measured is None else admitted.measured
            admitted.measured = before + SMOOTHING * (cores - before)

    def release(self, room: str) -> None:
        """Free what ``room`` had reserved; an unknown room is ignored."""
        self._rooms.pop(room, None)

    def used(self, now: float) -> float:
        """Cores in use at ``now``."""
        return sum(self._cost(room, now) for room in self._rooms.values())

    def load(self, now: float) -> float:
        """Share of ``cores`` in use at ``now``, 0 and above."""
        return self.used(now) / self.cores

    def costs(self, now: float) -> Mapping[str, float]:
        """Cores by room at ``now``."""
        return {name: self._cost(room, now) for name, room in self._rooms.items()}

    def _cost(self, room: _Admitted, now: float) -> float:
        if room.measured is None or now - room.since < self.hold:
            return max(room.declared, room.measured or 0.0)
        return room.measured
