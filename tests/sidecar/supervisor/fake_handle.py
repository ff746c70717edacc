"""A ``RoomHandle`` whose lives a test plays."""

from collections.abc import AsyncIterator
from typing import Any

from config.errors import SidecarError
from sidecar.supervisor.child_room import ReportQueue
from sidecar.supervisor.control import Begin, Operation, StateReport
from sidecar.supervisor.handle import Report, Usage
from sidecar.supervisor.values import RoomState


class FakeHandle:
    """Is live from the start; ``die`` and ``report`` do the rest."""

    def __init__(self, error: SidecarError | None = None) -> None:
        self.begun: Begin | None = None
        self.calls: list[Operation] = []
        self.used = Usage(0.0, 0)
        self.closed = False
        self._error = error
        self._queue = ReportQueue(64)

    @property
    def pid(self) -> int | None:
        return None if self._queue.ended or self.begun is None else 4242

    async def start(self, begin: Begin) -> None:
        if self._error is not None:
            raise self._error
        self.begun = begin
        self.report(StateReport(state=RoomState.LIVE))

    def report(self, report: Report) -> None:
        self._queue.put(report)

    def die(self) -> None:
        self._queue.end()

    async def reports(self) -> AsyncIterator[Report]:
        async for report in self._queue:
            yield report

    async def call(self, operation: Operation) -> Any:
        self.calls.append(operation)
        return None

    def usage(self) -> Usage | None:
        return self.used if self.pid is not None else None

    async def aclose(self) -> None:
        self.closed = True
        self._queue.end()
