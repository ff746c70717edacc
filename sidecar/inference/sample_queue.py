"""Which waiting sample is detected next. Pure: the time is an argument."""

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

REMEMBERED_SOURCES = 1024
"""Sources whose last turn is kept. One that was forgotten queues like a new one, behind those that
wait already."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class QueuedSample(Generic[T]):
    """A sample that waits, with what belongs to it."""

    source: str
    payload: T
    deadline: float
    """When its detection must have begun; infinite where it has no deadline."""
    since: float
    """When it was put into the queue."""
    turn: int
    """When the source was served last, counted in samples served; the lowest is next."""


class SampleQueue(Generic[T]):
    """At most one waiting and one running sample a source; the newest wins.

    The source that was served longest ago is next, so sources share the workers evenly however
    often each of them submits. A new source counts as served at the moment it comes: it overtakes
    none that waits.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, QueuedSample[T]] = {}
        self._running: set[str] = set()
        self._served: OrderedDict[str, int] = OrderedDict()
        self._turn = 0

    def __len__(self) -> int:
        """How many samples wait."""
        return len(self._waiting)

    def put(
        self, source: str, payload: T, deadline: float | None, now: float
    ) -> tuple[QueuedSample[T], QueuedSample[T] | None]:
        """Add a sample; returns it, and the waiting one that it replaces."""
        replaced = self._waiting.get(source)
        turn = self._served.get(source, self._turn) if replaced is None else replaced.turn
        until = math.inf if deadline is None else deadline
        sample = QueuedSample(source, payload, until, now, turn)
        # Replacing a value keeps the key's place, which decides among equal turns.
        self._waiting[source] = sample
        return sample, replaced

    def take(self, now: float) -> QueuedSample[T] | None:
        """The sample to detect now, whose source then counts as running; None if there is none."""
        ready = (
            sample
            for sample in self._waiting.values()
            if sample.deadline > now and sample.source not in self._running
        )
        sample = min(ready, key=lambda ready: ready.turn, default=None)
        if sample is None:
            return None
        del self._waiting[sample.source]
        self._running.add(sample.source)
        self._turn += 1
        self._served[sample.source] = self._turn
        self._served.move_to_end(sample.source)
        if len(self._served) > REMEMBERED_SOURCES:
            self._served.popitem(last=False)
        return sample

    def release(self, source: str) -> None:
        """The running sample of ``source`` is done with."""
        self._running.discard(source)

    def remove(self, sample: QueuedSample[T]) -> bool:
        """Take a waiting sample out; False where it waits no longer."""
        if self._waiting.get(sample.source) is not sample:
            return False
        del self._waiting[sample.source]
        return True

    def expire(self, now: float) -> list[QueuedSample[T]]:
        """Take out the samples that are past their deadline."""
        expired = [sample for sample in self._waiting.values() if sample.deadline <= now]
        for sample in expired:
            del self._waiting[sample.source]
        return expired

    def drain(self) -> list[QueuedSample[T]]:
        """Take out all that wait."""
        waiting = list(self._waiting.values())
        self._waiting.clear()
        return waiting

    def next_deadline(self) -> float:
        """The earliest deadline of a waiting sample; infinite where there is none."""
        return min((sample.deadline for sample in self._waiting.values()), default=math.inf)

    def oldest(self, now: float) -> float | None:
        """Seconds for which the oldest waiting sample has waited; None where none waits."""
        return max((now - sample.since for sample in self._waiting.values()), default=None)
