"""A day of meetings on a fleet, event by event on a virtual clock."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

import numpy as np

from bench.scale_fleet import SimulatedFleet
from bench.scale_meetings import DrawnMeeting

REPORT: Final = 3
"""Seconds between two reports of load; ours come every 2.5 s, and with each answer at once."""
AGAIN: Final = 15.0
"""Seconds after which a dispatch that found no worker is tried again by one with capacity."""
LOOK: Final = 60
"""Seconds between two looks at the whole fleet."""


class Happening(IntEnum):
    """What happens; of several at one time in this order."""

    END = 0
    JOIN = 1
    BEGIN = 2


@dataclass(frozen=True, slots=True)
class FleetLook:
    """The fleet at one time."""

    time: float
    rooms: int
    median: float
    """Load of a node, 1 is all of its cores for rooms."""
    p95: float
    over_rooms: float
    """Share of nodes beyond their cores for rooms."""
    over_machine: float
    """Share of nodes beyond all their cores."""


@dataclass(slots=True)
class DayResult:
    """What a day was like."""

    looks: list[FleetLook] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    """Seconds that rooms waited which no node took at first."""
    never: int = 0
    """Rooms whose meeting was over before a node took them."""


@dataclass(slots=True)
class MeetingDay:
    """Plays ``meetings`` on ``fleet``; ``cost`` is of a room with so many cameras."""

    fleet: SimulatedFleet
    meetings: list[DrawnMeeting]
    cost: Callable[[int], float]
    share: float
    """Of a node's cores that is for rooms (``serve.cpu_share``)."""
    at: tuple[float, Callable[["MeetingDay", float], None]] | None = None
    """What is done to the fleet at one time."""
    result: DayResult = field(default_factory=DayResult)
    _events: list[tuple[float, Happening, int]] = field(default_factory=list)

    def run(self, until: float = 86_400.0) -> DayResult:
        """Play until a time, in seconds since midnight."""
        self._events = [
            (one.begins, Happening.BEGIN, number) for number, one in enumerate(self.meetings)
        ]
        heapq.heapify(self._events)
        for second in range(REPORT, int(until) + 1, REPORT):
            while self._events and self._events[0][0] <= second:
                self._happen(*heapq.heappop(self._events))
            self.fleet.measure(second, REPORT)
            if self.at is not None and second >= self.at[0]:
                (_, do), self.at = self.at, None
                do(self, second)
            if second % LOOK == 0:
                self.result.looks.append(self._look(second))
        return self.result

    def schedule(self, time: float, happening: Happening, number: int) -> None:
        """Let a meeting have an event of its own."""
        heapq.heappush(self._events, (time, happening, number))

    def _happen(self, time: float, what: Happening, number: int) -> None:
        meeting = self.meetings[number]
        if what is Happening.END:
            self.fleet.end(meeting.name, time)
        elif what is Happening.JOIN:
            self.fleet.change(meeting.name, self.cost(present(meeting, time)))
        elif time >= meeting.ends:
            self.result.never += 1
        elif self.fleet.place(meeting.name, self.cost(present(meeting, time)), time) is None:
            self.schedule(time + AGAIN, Happening.BEGIN, number)
        else:
            self._placed(meeting, number, time)

    def _placed(self, meeting: DrawnMeeting, number: int, time: float) -> None:
        if time > meeting.begins:
            self.result.late.append(time - meeting.begins)
        self.schedule(meeting.ends, Happening.END, number)
        for join in meeting.joins:
            if join > time:
                self.schedule(join, Happening.JOIN, number)

    def _look(self, time: float) -> FleetLook:
        loads = self.fleet.loads
        median, p95 = np.percentile(loads, [50, 95])
        over = float((loads > 1).mean()), float((loads > 1 / self.share).mean())
        return FleetLook(time, len(self.fleet.rooms), float(median), float(p95), *over)


def present(meeting: DrawnMeeting, time: float) -> int:
    """How many cameras the meeting has at ``time``, once it has begun."""
    return sum(join <= time for join in meeting.joins)
