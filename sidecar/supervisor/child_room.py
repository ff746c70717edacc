"""A room in a child process: started, called over the control channel, killed if it hangs."""

import asyncio
import contextlib
import itertools
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self, TypeAlias

import psutil
import structlog

from config import errors
from config.errors import ControlError, RoomError, SidecarError
from sidecar.aio import TaskSet
from sidecar.inference.shared import DetectorShare
from sidecar.supervisor.control import (
    Begin,
    Call,
    ChoicesReport,
    EventReport,
    LeaveRoom,
    Message,
    Operation,
    Raised,
    Returned,
    StateReport,
    StatsReport,
    encode_frame,
    read_message,
)
from sidecar.supervisor.handle import Report, Usage
from sidecar.supervisor.room_launcher import Launch, StartedProcess, make_launch, room_command

log = structlog.get_logger(__name__)

ShareFactory: TypeAlias = Callable[[str], DetectorShare]
"""Makes the share of the room with that id."""
MAX_REPORTS: Final = 1024
"""Reports that wait for their reader; then the oldest statistics or event is dropped."""


@dataclass(frozen=True, slots=True)
class ChildTimeouts:
    """Seconds."""

    call: float = 5.0
    """Until an operation must be answered."""
    leave: float = 5.0
    """Until a process that was asked to leave must have ended."""
    silence: float = 10.0
    """Without any message until a process counts as hanging and is ended."""
    start: float = 90.0
    """Until the first message: a process imports and loads before it speaks. An idle machine takes
    two; ending what starts slowly on a busy one, and starting it again, would keep it busy."""


class ChildRoom:
    """A ``RoomHandle`` for a process of its own, which ``launch`` starts."""

    def __init__(
        self,
        *,
        launch: Launch | None = None,
        share: ShareFactory | None = None,
        timeouts: ChildTimeouts | None = None,
    ) -> None:
        """``share`` makes the room's share of a detector; without it the process has its own."""
        self._make_share = share
        self._share: DetectorShare | None = None
        self._launch = launch or make_launch(room_command())
        self._timeouts = timeouts or ChildTimeouts()
        self._launching: asyncio.Future[StartedProcess] | None = None
        self._closed = False
        self._process: StartedProcess | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._tasks = TaskSet()
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._reports = ReportQueue(MAX_REPORTS)
        self._name = ""
        self._begun = False
        """The first message is sent: others may follow."""

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self, begin: Begin) -> None:
        self._name = begin.room
        if self._make_share is not None:
            self._share = self._make_share(begin.room)
            begin = begin.model_copy(update={"inference": self._share.argument})
        ours, theirs = socket.socketpair()
        shared = () if self._share is None else self._share.descriptors
        try:
            self._process = await self._launched((theirs.fileno(), *shared))
        except OSError as error:
            what = f"the room's process can't be started: {error.strerror}"
            raise RoomError(what, where=begin.room, do="free memory and processes") from error
        finally:
            theirs.close()
            if self._process is None or self._closed:
                ours.close()
        if self._closed:
            return
        reader, self._writer = await asyncio.open_connection(sock=ours)
        self._tasks.create_task(self._read(reader), name=f"control {begin.room}")
        if self._share is not None:
            await self._share.start()
        await self._send(begin)
        self._begun = True

    async def _launched(self, descriptors: Sequence[int]) -> StartedProcess | None:
        """None where the room was closed before: it may have waited for others' processes, and its
        descriptors are closed."""
        if self._closed:
            return None
        self._launching = asyncio.ensure_future(self._launch(descriptors))
        try:
            await asyncio.wait([self._launching])
        finally:
            self._launching.cancel()
        return None if self._launching.cancelled() else self._launching.result()

    async def reports(self) -> AsyncIterator[Report]:
        async for report in self._reports:
            yield report

    async def call(self, operation: Operation) -> Any:
        number = next(self._numbers)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self.pid is None or self._reports.ended:
            raise RoomError("the room is over", where=self._name)
        if not self._begun:
            raise RoomError("the room is starting", where=self._name, do="try again soon")
        self._answers[number] = answer
        try:
            async with asyncio.timeout(self._timeouts.call):
                await self._send(Call(number=number, what=operation))
                return await answer
        finally:
            self._answers.pop(number, None)
            if answer.done() and not answer.cancelled():
                # The room may have ended while the call was sent: then its error is not asked for.
                answer.exception()

    def usage(self) -> Usage | None:
        if self.pid is None:
            return None
        try:
            process = psutil.Process(self.pid)
            times = process.cpu_times()
            return Usage(times.user + times.system, process.memory_info().rss)
        except psutil.Error:
            return None

    async def aclose(self) -> None:
        self._closed = True
        if self._launching is not None:
            self._launching.cancel()
            await asyncio.wait([self._launching])
        process, writer = self._process, self._writer
        if writer is not None and not self._begun:
            # It waits for its first message, and ends where none comes.
            writer.transport.abort()
        if process is not None and process.returncode is None:
            with contextlib.suppress(SidecarError, TimeoutError, OSError):
                await self.call(LeaveRoom())
            await self._wait_or_kill(process)
        if writer is not None:
            writer.transport.abort()
        await self._tasks.aclose()
        if self._share is not None:
            await self._share.aclose()
        self._end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    def kill(self) -> None:
        """End the process at once, as one that hangs or needs too much memory."""
        if (pid := self.pid) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def _wait_or_kill(self, process: StartedProcess) -> None:
        try:
            async with asyncio.timeout(self._timeouts.leave):
                await process.wait()
        except TimeoutError:
            log.warning("room process killed", room=self._name, reason="it did not leave in time")
            self.kill()
            await process.wait()

    async def _send(self, message: Message) -> None:
        if self._writer is None:
            raise RoomError("the room is over", where=self._name)
        try:
            self._writer.write(encode_frame(message))
            async with asyncio.timeout(self._timeouts.call):
                await self._writer.drain()
        except ConnectionError as error:
            raise RoomError("the room's process ended", where=self._name) from error

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Take messages until the channel ends, and see that the process ends with it."""
        limit = self._timeouts.start
        try:
            while True:
                async with asyncio.timeout(limit):
                    message = await read_message(reader)
                limit = self._timeouts.silence
                if message is None:
                    break
                self._receive(message)
        except TimeoutError:
            reason = f"it said nothing for {limit:g} s"
            log.warning("room process killed", room=self._name, reason=reason)
            self.kill()
        except ControlError as error:
            log.warning("room process killed", room=self._name, reason=str(error))
            self.kill()
        finally:
            self._end()
        if self._process is not None:
            await self._wait_or_kill(self._process)

    def _receive(self, message: Message) -> None:
        match message:
            case StateReport() | StatsReport() | ChoicesReport() | EventReport():
                self._reports.put(message)
            case Returned():
                self._answer(message.number, message.result)
            case Raised():
                self._answer(message.number, raised_error(message))
            case _:
                raise ControlError(f"unexpected {message.kind}", where=self._name)

    def _answer(self, number: int, result: Any) -> None:
        answer = self._answers.get(number)
        if answer is None or answer.done():
            return
        if isinstance(result, SidecarError):
            answer.set_exception(result)
        else:
            answer.set_result(result)

    def _end(self) -> None:
        self._reports.end()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(RoomError("the room's process ended", where=self._name))


def raised_error(message: Raised) -> SidecarError:
    """The error that a room raised, of its own class where that needs no more than its texts."""
    kind = getattr(errors, message.error, SidecarError)
    if isinstance(kind, type) and issubclass(kind, SidecarError):
        with contextlib.suppress(TypeError):
            return kind(message.what, where=message.where, do=message.do)
    return SidecarError(message.what, where=message.where, do=message.do)


class ReportQueue:
    """Reports for one reader, at most ``capacity``: statistics are dropped first, then events."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._waiting: list[Report] = []
        self._wake = asyncio.Event()
        self._ended = asyncio.Event()
        self.dropped = 0
        """Reports that gave way."""

    @property
    def ended(self) -> bool:
        """There will be no more."""
        return self._ended.is_set()

    def put(self, report: Report) -> None:
        """Add a report at the end."""
        if isinstance(report, StatsReport):
            # Only the newest statistics are of use.
            self._waiting = [one for one in self._waiting if not isinstance(one, StatsReport)]
        if len(self._waiting) >= self._capacity:
            self._drop_one()
        self._waiting.append(report)
        self._wake.set()

    def end(self) -> None:
        """There will be no more; those that wait may still be read."""
        self._ended.set()
        self._wake.set()

    async def wait_ended(self) -> None:
        """Wait until there will be no more."""
        await self._ended.wait()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Report:
        while not self._waiting:
            if self.ended:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        return self._waiting.pop(0)

    def _drop_one(self) -> None:
        for index, report in enumerate(self._waiting):
            if isinstance(report, EventReport):
                del self._waiting[index]
                self.dropped += 1
                return
