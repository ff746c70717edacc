"""When the rooms of lost nodes are found again: the real ``AbandonedWatch`` of many workers.

Each surviving worker looks through all rooms, two requests each and eight side by side, and pauses
as ``DispatchSweep`` does. A look that takes long is rare: the time to find a room grows with the
rooms of one LiveKit server, and with what a request takes.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from livekit.protocol.agent_dispatch import AgentDispatch

from sidecar.dispatch.abandoned import AbandonedWatch, ListedDispatch
from sidecar.dispatch.dispatch_api import RoomDispatch, SignOfLife
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
    def look(self) -> float:
        """Seconds of one look."""
        return self.rooms * REQUESTS * self.request / AT_ONCE

    @property
    def period(self) -> float:
        """Seconds from one look's beginning to the next one's."""
        return self.look + max(PAUSE, SHARE * self.look)

    @property
    def requests(self) -> float:
        """Requests a second of all workers together."""
        return self.workers * self.rooms * REQUESTS / self.period


def request_time(workers: int, at_most: float) -> float:
    """Seconds that a request takes where the server answers ``at_most`` of them a second.

    Workers that look all the time but for their pauses have ``AT_ONCE`` requests under way.
    """
    return workers * AT_ONCE / (1 + SHARE) / at_most


def found_after(
    shape: SweepShape, lost: int, chance: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Seconds from the loss until each of ``lost`` rooms is dispatched again, ordered."""
    places = np.sort(chance.choice(shape.rooms, lost, replace=False)) / shape.rooms
    dispatches = [
        RoomDispatch(f"d{n}", f"r{n}", jobs=1, started=0.0, restarts=True, message=AgentDispatch())
        for n in range(lost)
    ]
    found = np.full(lost, np.inf)
    for _ in range(shape.workers):
        _one_worker(shape, places, dispatches, float(chance.random()), found)
    return np.sort(found)


def _one_worker(
    shape: SweepShape,
    places: np.ndarray[tuple[int], np.dtype[np.float64]],
    dispatches: list[RoomDispatch],
    phase: float,
    found: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> None:
    """Lower ``found`` to what a worker finds whose looks began ``phase`` of a period earlier."""
    watch = AbandonedWatch()
    begin = -phase * shape.period
    while begin < found.max():
        end = begin + shape.look
        # A room shows its last sign of life from its end, at 0, on.
        seen = begin + places * shape.look
        beats = np.minimum(np.floor(seen), 0.0)
        listed = [
            ListedDispatch(dispatch, SignOfLife(1.0, str(beat)))
            for dispatch, beat in zip(dispatches, beats, strict=True)
        ]
        abandoned = watch.look(listed, end, server_now=1e9 + end)
        if abandoned:
            numbers = [int(one.dispatch[1:]) for one in abandoned]
            # Deleted and dispatched again, one after another.
            times = end + REQUESTS * shape.request * np.arange(1, len(numbers) + 1)
            found[numbers] = np.minimum(found[numbers], times)
            if len(numbers) == len(dispatches):
                return
        begin += shape.period
