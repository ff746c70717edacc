"""The process of one room: ``python -m sidecar.supervisor.room_process DESCRIPTOR``.

It speaks the control channel on the socket that it inherited, and ends itself when that is at its
end: no room outlives its supervisor.
"""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import structlog

from config.errors import ControlError, SidecarError
from config.settings import Settings
from sidecar.aio import Contained, TaskSet
from sidecar.inference.detector import Detector
from sidecar.inference.shared import SharedDetector
from sidecar.logs import configure
from sidecar.session.factories import make_detector, make_store
from sidecar.supervisor.child_room import ReportQueue
from sidecar.supervisor.control import (
    VERSION,
    Begin,
    Call,
    Message,
    Returned,
    encode_frame,
    raised_message,
    read_message,
)
from sidecar.supervisor.room_runner import RoomRunner, room_settings, room_table

log = structlog.get_logger(__name__)

CLOSE_TIMEOUT: Final = 4.0
"""Seconds to leave the meeting once the supervisor is gone, of the five that it promises."""
WRITING: Final = 10.0
"""Seconds that the supervisor may take to read a message."""
MAX_REPORTS: Final = 1024
"""Reports that wait for the supervisor; beyond that the oldest events are dropped."""
CALLS: Final = 16
"""Calls under way at once; further ones are answered with an error."""


class RoomProcess:
    """Joins the control channel and the room of this process."""

    def __init__(self, channel: socket.socket, descriptors: Mapping[int, int]) -> None:
        self._channel = channel
        self._descriptors = descriptors
        self._reports = ReportQueue(MAX_REPORTS)
        self._writing = asyncio.Lock()
        # A supervisor that does not read is as one that is gone.
        self._tasks = TaskSet(on_failure=lambda _: self._writer.transport.abort())
        self._calls = 0

    async def run(self) -> None:
        """Run the room until it is over or the supervisor is gone."""
        reader, self._writer = await asyncio.open_connection(sock=self._channel)
        begin = await read_message(reader)
        if begin is None:
            # The supervisor is gone, or wants the room no more.
            self._writer.transport.abort()
            return
        if not isinstance(begin, Begin) or begin.version != VERSION:
            raise ControlError("the first message is not Begin", where="control channel")
        settings = room_settings(begin)
        configure(settings.log)
        structlog.contextvars.bind_contextvars(room=begin.room)
        async with self._tasks:
            sending = self._tasks.create_task(self._send_reports(), name="reports")
            try:
                await self._run_room(begin, settings, reader)
            finally:
                self._reports.end()
                await asyncio.wait([sending], timeout=CLOSE_TIMEOUT)
        self._writer.close()

    async def _run_room(
        self, begin: Begin, settings: Settings, reader: asyncio.StreamReader
    ) -> None:
        async with (
            room_detector(begin, settings, self._descriptors) as detector,
            TaskSet() as tasks,
        ):
            runner = RoomRunner(begin, detector, self._reports.put, environ=os.environ)
            running = tasks.create_task(runner.run(), name="room")
            listening = tasks.create_task(self._listen(reader, runner), name="control channel")
            helpers = {listening}
            if isinstance(detector, SharedDetector):
                helpers.add(tasks.create_task(detector.wait_lost(), name="shared detection"))
            await asyncio.wait({running, *helpers}, return_when=asyncio.FIRST_COMPLETED)
            if listening.done() and not running.done():
                log.warning("room left", reason="the supervisor is gone")
                runner.leave()
                await asyncio.wait([running], timeout=CLOSE_TIMEOUT)
            if running.done():
                running.result()
            else:
                # Without a last report, the supervisor starts another process for the room.
                log.error("room process ended", reason="detection or the control channel is lost")

    async def _listen(self, reader: asyncio.StreamReader, runner: RoomRunner) -> None:
        """Carry out calls until the channel ends."""
        while (message := await read_message(reader)) is not None:
            if not isinstance(message, Call):
                raise ControlError(f"unexpected {message.kind}", where="control channel")
            self._tasks.create_task(self._answer(message, runner), name="call")

    async def _answer(self, call: Call, runner: RoomRunner) -> None:
        answer: Message = raised_message(call.number, SidecarError("internal error"))
        self._calls += 1
        with Contained("call failed"):
            try:
                if self._calls > CALLS:
                    raise ControlError("too many calls at once", where="control channel")
                result = await runner.call(call.what)
                answer = Returned(number=call.number, result=result)
            except SidecarError as error:
                answer = raised_message(call.number, error)
            finally:
                self._calls -= 1
        await self._send(answer)

    async def _send_reports(self) -> None:
        async for report in self._reports:
            await self._send(report)

    async def _send(self, message: Message) -> None:
        with contextlib.suppress(ConnectionError):
            async with self._writing, asyncio.timeout(WRITING):
                self._writer.write(encode_frame(message))
                await self._writer.drain()


def room_detector(
    begin: Begin, settings: Settings, descriptors: Mapping[int, int] = MappingProxyType({})
) -> Detector:
    """The detectors that all rooms share, or one of this process's own where there are none.

    ``descriptors`` are ours by the supervisor's, where they are numbered otherwise.
    """
    if begin.inference:
        return SharedDetector.inherited(begin.inference, descriptors)
    return make_detector(make_store(settings), room_table(begin), settings)


def run_room(channel: socket.socket, descriptors: Mapping[int, int] = MappingProxyType({})) -> None:
    """Run the room on ``channel``; ``descriptors`` as for ``room_detector``."""
    # The supervisor lets each room leave: a Ctrl-C or SIGTERM of a whole group is for it alone.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # Else a full collection walks all objects of modules, and ticks of the composite are late.
    gc.freeze()
    asyncio.run(RoomProcess(channel, descriptors).run())


def main() -> None:
    """Run the room on the socket with the descriptor that the command line names."""
    run_room(socket.socket(fileno=int(sys.argv[1])))


if __name__ == "__main__":
    main()
