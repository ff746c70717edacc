"""Who is sampled more often for a moment, and for how long. Pure: times are arguments.

A sign made by moving asks for more samples than one that is held. What a room's bursts cost
together is a share of its usual samples, so that they can't grow with what people do.
"""

from dataclasses import dataclass, field
from math import inf
from typing import Final

BURST_RATE: Final = 15.0
"""Samples a second in a burst: a wave or a clap of 3 Hz has five in each period."""
LONGEST: Final = 1.6
"""Seconds of a burst: the window in which a motion must be seen (``reactions.gestures.motion``)."""
REST: Final = 3.0
"""Seconds after a burst in which the same participant gets no other: one person who talks with
their hands does not spend what the others may need."""
SHARE: Final = 0.1
"""Of a room's usual samples, so many more are taken in bursts."""
MOST_CREDIT: Final = 32.0
"""Samples that can be saved up: two bursts of ``LONGEST`` at the usual five a second."""
LATE: Final = 0.15
"""Seconds from a frame to its scores from which a machine has no time for bursts: twice what one
takes on an idle core (docs/inference.md)."""


@dataclass(slots=True)
class _Burst:
    """One participant's bursts."""

    until: float = -inf
    """When the burst that runs ends; a time in the past while none does."""
    ready: float = -inf
    """When the next one may begin."""
    sampled: float | None = None
    """When the newest sample was taken."""


@dataclass(slots=True)
class BurstBudget:
    """The bursts of one room; ``rate`` is the usual number of samples a second."""

    bursts: int = 0
    """Bursts so far."""
    _credit: float = MOST_CREDIT
    _people: dict[str, _Burst] = field(default_factory=dict)

    def note(
        self, participant: str, time: float, *, wanted: bool, took: float, rate: float
    ) -> None:
        """Take the sample of ``time`` into account.

        ``wanted`` says whether it suggests a motion, ``took`` how many seconds it took from frame
        to scores. ``rate`` is how many samples a second all participants get now.
        """
        person = self._people.setdefault(participant, _Burst())
        usual = 1.0 if person.sampled is None else min(1.0, (time - person.sampled) * rate)
        person.sampled = time
        # A sample that comes as usual adds a share, one that comes early takes what it is early by.
        self._credit = min(MOST_CREDIT, self._credit + SHARE * usual - (1.0 - usual))
        if time < person.until:
            if not wanted or took > LATE or self._credit <= 0:
                self._end(person, time)
        elif wanted and took <= LATE and time >= person.ready and self._affords(rate):
            person.until, person.ready = time + LONGEST, time + LONGEST + REST
            self.bursts += 1

    def interval(self, participant: str, time: float, rate: float) -> float:
        """Seconds until the next sample of ``participant`` at ``time``, at ``rate`` as usual."""
        person = self._people.get(participant)
        bursting = person is not None and time < person.until
        return 1 / max(rate, BURST_RATE) if bursting else 1 / rate

    def stop(self) -> None:
        """End all bursts: the machine has more to do than it can."""
        for person in self._people.values():
            person.until = -inf

    def leave(self, participant: str) -> None:
        """Forget ``participant``."""
        self._people.pop(participant, None)

    def _affords(self, rate: float) -> bool:
        """Whether a whole burst can be paid for, and is more than is sampled anyway."""
        return rate < BURST_RATE and self._credit >= (BURST_RATE - rate) * LONGEST

    def _end(self, person: _Burst, time: float) -> None:
        person.until, person.ready = -inf, time + REST
