"""Reports of a room that wait for their reader, numbered, until the reader has acknowledged them.

A reader in another process asks for what is new and names the last number that it has. So an answer
that is lost on the way is given again, and a server that starts again gets what it missed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.aio import Broadcast
from sidecar.supervisor.control import EventReport, StatsReport
from sidecar.supervisor.handle import Report


@dataclass(frozen=True, slots=True)
class NumberedReport:
    """A report, and its place among those of its room: 1, 2, …"""

    number: int
    report: Report


class ReportLog:
    """At most ``capacity`` reports: only the newest statistics, then the oldest events give way."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._waiting: list[NumberedReport] = []
        self._count = 0
        self.ended = False
        """There will be no more reports."""
        self.dropped = 0
        """Events that gave way."""
        self.changed = Broadcast()
        """A report was added, or the log ended."""

    @property
    def waiting(self) -> Sequence[NumberedReport]:
        """What was not acknowledged, in order."""
        return tuple(self._waiting)

    def put(self, report: Report) -> None:
        """Add a report at the end."""
        if isinstance(report, StatsReport):
            self._waiting = [one for one in self._waiting if not is_stats(one)]
        if len(self._waiting) >= self._capacity:
            self._drop_one()
        self._count += 1
        self._waiting.append(NumberedReport(self._count, report))
        self.changed.notify()

    def end(self) -> None:
        """Take no more; what waits may still be read."""
        self.ended = True
        self.changed.notify()

    def acknowledge(self, number: int) -> None:
        """The reader has the reports up to ``number``."""
        self._waiting = [one for one in self._waiting if one.number > number]

    def _drop_one(self) -> None:
        for index, one in enumerate(self._waiting):
            if isinstance(one.report, EventReport):
                del self._waiting[index]
                self.dropped += 1
                return


def is_stats(one: NumberedReport) -> bool:
    """Whether a report is of numbers, of which only the newest are of use."""
    return isinstance(one.report, StatsReport)
