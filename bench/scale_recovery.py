"""When the rooms of lost nodes are found again: the real ``AbandonedWatch`` of many workers.

Each surviving worker looks at as many rooms as ``RoomTurns`` lets it, two requests each and eight
side by side, and pauses as ``DispatchSweep`` does. With many rooms it comes by each in turn, and
follows those that it is not sure of: half of a look are rooms of the look before, which live.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from livekit.protocol.agent_dispatch import AgentDispatch

from sidecar.dispatch.abandoned import AbandonedWatch, ListedDispatch
from sidecar.dispatch.dispatch_api import RoomDispatch, SignOfLife
from sidecar.dispatch.room_turns import FEWEST, PER_JOB, SMALL
from sidecar.dispatch.sweep import AT_ONCE, PAUSE, SHARE

REQUESTS: Final = 2
"""For one room in a look: its dispatches, and its watcher's sign of life."""
JOINED: Final = 4.1
"""Seconds until a room whose process was killed is back, by docs/serve.md."""


@dataclass(frozen=True, slots=True)
class SweepShape:
    """How the workers of one LiveKit server look for abandoned dispatches."""

    workers: int
    rooms: int
    request: float
    """Seconds that a request takes."""

    @property
    def asked(self) -> int:
        """Rooms of one look."""
        fitting = int(PAUSE / SHARE * AT_ONCE / (REQUESTS * self.request))
        wanted = max(SMALL, PER_JOB * self.rooms // self.workers)
        return min(self.rooms, wanted, max(FEWEST, fitting))

    @property
    def looks(self) -> int:
        """In which a worker comes by all rooms."""
        return 1 if self.asked == self.rooms else math.ceil(self.rooms / (self.asked // 2))

    @property
    def look(self) -> float:
        """Seconds of one look."""
        return self.asked * REQUESTS * self.request / AT_ONCE

    @property
    def period(self) -> float:
        """Seconds from one look's beginning to the next one's."""
        return self.look + max(PAUSE, SHARE * self.look)

    @property
    def requests(self) -> float:
        """Requests a second of all workers together."""
        return self.workers * self.asked * REQUESTS / self.period


def request_time(workers: int, at_most: float) -> float:
    """Seconds that a request takes where the server answers ``at_most`` of them a second.

    Workers that look all the time but for their pauses have ``AT_ONCE`` requests under way.
    """
    return workers * AT_ONCE / (1 + SHARE) / at_most


def found_after(
    shape: SweepShape, lost: int, chance: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Seconds from the loss until each of ``lost`` rooms is dispatched again, ordered."""
    dispatches = [
        RoomDispatch(f"d{n}", f"r{n}", jobs=1, started=0.0, restarts=True, message=AgentDispatch())
        for n in range(lost)
    ]
    found = np.full(lost, np.inf)
    for _ in range(shape.workers):
        _one_worker(shape, dispatches, chance, found)
    return np.sort(found)


def _one_worker(
    shape: SweepShape,
    dispatches: list[RoomDispatch],
    chance: np.random.Generator,
    found: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> None:
    """Lower ``found`` to what a worker finds, whose looks began at some time before."""
    watch, begin = AbandonedWatch(), -float(chance.random()) * shape.period
    # Where in a look a room is asked for, and in which of the looks.
    places = chance.random(len(dispatches))
    turns = chance.integers(shape.looks, size=len(dispatches))
    for look in range(shape.looks + math.ceil(found.max(initial=0.0, where=found < np.inf)) + 60):
        if begin >= found.max():
            return
        end = begin + shape.look
        due = np.flatnonzero(turns <= look)
        # A room shows its last sign of life from its end, at 0, on.
        beats = np.minimum(np.floor(begin + places * shape.look), 0.0)
        listed = [ListedDispatch(dispatches[n], SignOfLife(1.0, str(beats[n]))) for n in due]
        abandoned = watch.look(listed, end, server_now=1e9 + end)
        if abandoned:
            numbers = [int(one.dispatch[1:]) for one in abandoned]
            # Deleted and dispatched again, one after another.
            times = end + REQUESTS * shape.request * np.arange(1, len(numbers) + 1)
            found[numbers] = np.minimum(found[numbers], times)
            turns[numbers] = len(found) + 10**9
        begin += shape.period
