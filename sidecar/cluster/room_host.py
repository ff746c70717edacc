"""A room in a process that outlives its server: what an actor runs. It knows nothing of Ray.

One server at a time reads the room's reports. One that attaches later takes over from the one
before, so that a server that starts again finds the room as it is and joins it no second time.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psutil
import structlog

from config.errors import RoomError
from sidecar.aio import Component, TaskSet
from sidecar.cluster.begin_changes import changed_begin, operations_between
from sidecar.cluster.report_log import NumberedReport, ReportLog
from sidecar.inference.detector import Detector
from sidecar.rooms.base import Adapter
from sidecar.rooms.registry import find_adapter
from sidecar.supervisor.control import Begin, ChoicesReport, Operation, StateReport
from sidecar.supervisor.handle import Report, Usage
from sidecar.supervisor.room_runner import RoomRunner
from sidecar.supervisor.values import RoomState

log = structlog.get_logger(__name__)

MAX_REPORTS: Final = 1024
"""Reports that wait for a server; beyond that the oldest events are dropped."""
LEAVING: Final = 4.0
"""Seconds to leave the meeting, of the five that a server waits."""
WATCH_EVERY: Final = 1.0
"""Seconds between two looks at whether a server still reads."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A server reads the room's reports from now on."""

    reader: int
    """Names the server to ``follow``."""
    pid: int
    state: StateReport
    """The room's, at this moment."""


@dataclass(frozen=True, slots=True)
class ReportBatch:
    """What a room has to report."""

    reports: Sequence[NumberedReport]
    ended: bool
    """There is no more to come."""
    usage: Usage


class RoomHost(Component):
    """Runs the room of ``begin`` from ``start`` on, with ``detector``, which it starts and closes.

    ``find`` finds the adapter of the meeting's URL; ``environ`` has the secrets of the sinks that
    the settings name.
    """

    def __init__(
        self,
        begin: Begin,
        detector: Detector,
        *,
        find: Callable[[str], Awaitable[Adapter]] = find_adapter,
        environ: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._begin = begin
        self._detector = detector
        self._find = find
        self._environ = environ or {}
        self._clock = clock
        self._log = ReportLog(MAX_REPORTS)
        self._state = StateReport(state=RoomState.JOINING)
        self._reader = 0
        self._heard = clock()
        self._runner: RoomRunner | None = None
        self._running: asyncio.Task[None] | None = None
        self._tasks = TaskSet(on_failure=lambda _: self._log.end())

    async def start(self) -> None:
        """Begin to join."""
        await self._detector.start()
        self._run()

    async def aclose(self) -> None:
        """Leave the meeting; the last report says so."""
        await self._leave()
        await self._tasks.aclose()
        await self._detector.aclose()
        self._log.end()

    async def attach(self, wanted: Begin) -> Attached:
        """Let another server read, which wants the room as ``wanted`` says."""
        self._reader += 1
        self._heard = self._clock()
        self._log.changed.notify()
        await self._become(wanted)
        return Attached(self._reader, os.getpid(), self._state)

    async def follow(self, reader: int, after: int, seconds: float) -> ReportBatch | None:
        """The reports after number ``after``, as soon as there are any or ``seconds`` are over.

        None for a reader that another took over from.
        """
        if reader != self._reader:
            return None
        self._heard = self._clock()
        self._log.acknowledge(after)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._log.changed.wait_for(lambda: self._is_news(reader))
        if reader != self._reader:
            return None
        self._heard = self._clock()
        return ReportBatch(self._log.waiting, self._log.ended, own_usage())

    async def call(self, operation: Operation) -> Any:
        """Carry out ``operation`` and remember what it changed; raises SidecarError."""
        if self._runner is None or self._running is None or self._running.done():
            raise RoomError("the room is over", where=self._begin.room)
        result = await self._runner.call(operation)
        self._begin = changed_begin(self._begin, operation)
        return result

    async def wait_orphaned(self, seconds: float) -> None:
        """Wait until no server has read for ``seconds``."""
        while self._clock() - self._heard < seconds:  # noqa: ASYNC110 - time passes, no event
            await asyncio.sleep(min(seconds, WATCH_EVERY))

    def _is_news(self, reader: int) -> bool:
        return bool(self._log.waiting) or self._log.ended or reader != self._reader

    def _run(self) -> None:
        runner = self._runner = RoomRunner(
            self._begin, self._detector, self._report, find=self._find, environ=self._environ
        )
        self._running = self._tasks.create_task(self._live(runner), name="room")

    async def _live(self, runner: RoomRunner) -> None:
        await runner.run()
        if runner is self._runner:
            self._log.end()

    async def _leave(self) -> None:
        if self._runner is not None and self._running is not None:
            self._runner.leave()
            await asyncio.wait([self._running], timeout=LEAVING)

    async def _become(self, wanted: Begin) -> None:
        """Change the running room into ``wanted``, or join again where that can't be done."""
        operations = operations_between(self._begin, wanted)
        if operations is not None and not self._log.ended:
            try:
                for operation in operations:
                    await self.call(operation)
            except RoomError:
                # It has not joined yet.
                operations = None
        if operations is None and not self._log.ended:
            log.info("room changed", reason="the server wants it otherwise")
            self._begin = wanted
            before, self._runner = self._runner, None
            if before is not None and self._running is not None:
                before.leave()
                await asyncio.wait([self._running], timeout=LEAVING)
            self._run()

    def _report(self, report: Report) -> None:
        if isinstance(report, StateReport):
            if self._runner is None:
                # The room is joined again at once: no server is to take that for its end.
                report = StateReport(state=RoomState.REJOINING, reason="changed by the server")
            self._state = report
        if isinstance(report, ChoicesReport):
            self._begin = self._begin.model_copy(update={"choices": report.choices})
        self._log.put(report)


def own_usage() -> Usage:
    """What this process has used."""
    process = psutil.Process()
    times = process.cpu_times()
    return Usage(times.user + times.system, process.memory_info().rss)
