"""A ``RoomHandle`` whose room runs in this process, in a meeting in memory."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from fractions import Fraction
from typing import Any

import aiohttp
import av

from config.errors import RoomError
from reactions.landmark_types import Sample
from reactions.pipeline import Care, Detection, Memory, first_memory
from sidecar.aio import Component
from sidecar.inference.detector import DetectorStats
from sidecar.inference.dispatcher import Dispatcher
from sidecar.rooms.base import JoinOptions
from sidecar.rooms.memory import MemoryMeeting, MemoryRoom
from sidecar.supervisor.child_room import ReportQueue
from sidecar.supervisor.control import Begin, Operation
from sidecar.supervisor.handle import Report, Usage
from sidecar.supervisor.room_runner import RoomRunner


class NothingSeen(Component):
    """A detector that finds nothing in any sample."""

    def stats(self) -> DetectorStats:
        return Dispatcher().stats(restarts=0)

    async def detect(
        self, sample: Sample, memory: Memory | None, deadline: float | None = None, *, source: str
    ) -> Detection:
        kept = first_memory(Care.NONE, sample.width, sample.height)
        assert kept is not None
        return Detection((), None, kept, 1.0)


class SlowCamera:
    """Two grey frames a second."""

    def __init__(self) -> None:
        self._count = 0

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(0.5 if self._count else 0)
        frame = av.VideoFrame(64, 36, "yuv420p")
        frame.pts, frame.time_base = self._count, Fraction(1, 2)
        self._count += 1
        return frame


class MemoryAdapter:
    """Opens rooms of one meeting in memory, for any URL."""

    def __init__(self, meeting: MemoryMeeting) -> None:
        self._meeting = meeting

    @property
    def system(self) -> str:
        return "memory"

    @property
    def forms(self) -> Sequence[str]:
        return ()

    def recognises(self, url: str) -> bool:
        return True

    async def confirms(self, url: str, http: aiohttp.ClientSession) -> bool:
        return True

    def room(self, url: str, options: JoinOptions) -> MemoryRoom:
        return self._meeting.room()


class MemoryHandle:
    """Runs a ``RoomRunner`` with one participant, ``ada``; nothing is drawn but previews."""

    def __init__(self) -> None:
        self._queue = ReportQueue(64)
        self._runner: RoomRunner | None = None
        self._running: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return None if self._running is None or self._running.done() else 4242

    async def start(self, begin: Begin) -> None:
        meeting = MemoryMeeting()
        meeting.join("ada", "Ada", SlowCamera())
        adapter = MemoryAdapter(meeting)

        async def find(url: str) -> MemoryAdapter:
            return adapter

        # Publishing a composite of any size that a client names would keep a core busy.
        request = begin.request.model_copy(update={"publish": ("none",)})
        quiet = begin.model_copy(update={"request": request})
        self._runner = RoomRunner(quiet, NothingSeen(), self._queue.put, find=find)
        self._running = asyncio.create_task(self._runner.run())
        self._running.add_done_callback(lambda _: self._queue.end())

    async def reports(self) -> AsyncIterator[Report]:
        async for report in self._queue:
            yield report

    async def call(self, operation: Operation) -> Any:
        if self._runner is None or self.pid is None:
            raise RoomError("the room is over", where="memory")
        return await self._runner.call(operation)

    def usage(self) -> Usage | None:
        return None if self.pid is None else Usage(0.0, 0)

    async def aclose(self) -> None:
        if self._runner is not None and self._running is not None:
            self._runner.leave()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await asyncio.wait([self._running])
            self._running.cancel()
            await asyncio.wait([self._running])
        self._queue.end()
