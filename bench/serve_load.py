"""A ``sidecar serve`` with meetings that have participants, and what it takes to run them."""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.media_footage import IDLE, clip
from tests.e2e.served import SECRETS, TOKEN, Served, children, served, workers
from tests.servers.livekit import livekit

DEFAULT_RATE = 5
"""Samples a second of each participant."""
WORKERS = {"SIDECAR_SERVE__WORKERS": "0"}
"""One a core, the default."""
LOG = Path(tempfile.gettempdir()) / "sidecar-bench-serve.log"
"""What the last server logged."""
LIFE = 1800.0
"""Seconds after which a series is given up."""


@dataclass(frozen=True, slots=True)
class HeldMemory:
    """MB of the largest process of a kind."""

    resident: float
    """What it shares with others counts in each."""
    own: float
    """What would be free without it."""

    @classmethod
    def of(cls, processes: list[psutil.Process]) -> "HeldMemory":
        held = [one.memory_full_info() for one in processes]
        return cls(
            max((one.rss for one in held), default=0) / 1e6,
            max((one.uss for one in held), default=0) / 1e6,
        )


@dataclass(frozen=True, slots=True)
class RoomLoad:
    """What so many rooms took; shares of a core."""

    rooms: int
    participants: int
    """Of each room."""
    fps: float
    """Pictures a second that are wanted of each room."""
    server: float
    room: float
    """One room's process; 0 where the server hosts the rooms."""
    detection: float
    """All detection workers together."""
    pictures: float
    """A second and room."""
    late: float
    """Percent of ticks."""
    samples: float
    """A second and participant."""
    ratio: float
    """Share of the wanted samples."""
    broken: int
    """Rooms that were started again, are not live, or have lost a participant."""
    memory: Mapping[str, HeldMemory]
    """Of ``server``, ``room`` and ``worker``."""


@dataclass(frozen=True, slots=True)
class _Counts:
    """A server's counters, and the processor time of its processes, at one moment."""

    time: float
    ticks: float
    late: float
    samples: float
    server: float
    rooms: float
    workers: float

    @classmethod
    async def of(cls, sidecar: Served) -> "_Counts":
        pid = sidecar.process.pid
        detecting = {one.pid for one in workers(pid)}
        used = {one.pid: _cpu(one) for one in children(pid)}
        return cls(
            time.monotonic(),
            await sidecar.metric("sidecar_composite_ticks_total"),
            await sidecar.metric("sidecar_composite_late_ticks_total"),
            await sidecar.metric("sidecar_samples_total"),
            _cpu(psutil.Process(pid)),
            sum(seconds for child, seconds in used.items() if child not in detecting),
            sum(seconds for child, seconds in used.items() if child in detecting),
        )


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


@dataclass(frozen=True, slots=True)
class Meetings:
    """A server of rooms, and the process that fills meetings with participants."""

    url: Callable[[str], str]
    """What is joined for a meeting's name."""
    sidecar: Served
    guests: asyncio.subprocess.Process
    participants: int
    layout: Mapping[str, int]
    secrets: Mapping[str, str]
    ids: dict[str, str] = field(default_factory=dict)
    """Of rooms, by their names."""

    async def add(self, number: int) -> str:
        """A live room with participants; its name."""
        name = f"room-{number}"
        room = await self.sidecar.join(
            self.url(name), layout=dict(self.layout), rate=DEFAULT_RATE, secrets=dict(self.secrets)
        )
        await self._ask(name)
        await self.sidecar.until(room, participants=self.participants)
        self.ids[name] = room
        return name

    async def watch(self, name: str, viewers: int) -> None:
        """Let ``viewers`` more watch a hosted room."""
        await self._ask(f"{name} {viewers}")

    async def _ask(self, line: str) -> None:
        assert self.guests.stdin is not None
        assert self.guests.stdout is not None
        self.guests.stdin.write(f"{line}\n".encode())
        if not await self.guests.stdout.readline():
            raise RuntimeError("the participants' process ended")

    async def load(self, seconds: float) -> RoomLoad:
        """What the rooms take in ``seconds``, after a third of them to settle."""
        await asyncio.sleep(seconds / 3)
        before = await _Counts.of(self.sidecar)
        await asyncio.sleep(seconds)
        now = await _Counts.of(self.sidecar)
        wall, rooms = now.time - before.time, len(self.ids)
        ticks = now.ticks - before.ticks
        return RoomLoad(
            rooms=rooms,
            participants=self.participants,
            fps=self.layout["fps"],
            server=(now.server - before.server) / wall,
            room=(now.rooms - before.rooms) / wall / rooms,
            detection=(now.workers - before.workers) / wall,
            pictures=ticks / wall / rooms,
            late=100 * (now.late - before.late) / max(ticks, 1),
            samples=(now.samples - before.samples) / wall / rooms / self.participants,
            ratio=await self.sidecar.metric("sidecar_sampling_rate_ratio"),
            broken=await self._broken(),
            memory=self._memory(),
        )

    async def _broken(self) -> int:
        shown = (await self.sidecar.call("GET", "/v1/rooms"))["rooms"]
        whole = {"state": "live", "restarts": 0, "participants": self.participants}
        return sum(any(room[key] != value for key, value in whole.items()) for room in shown)

    def _memory(self) -> Mapping[str, HeldMemory]:
        pid = self.sidecar.process.pid
        detecting = workers(pid)
        # The process that forks the rooms is none of them.
        others = [one for one in children(pid) if one not in detecting and not one.children()]
        return {
            "server": HeldMemory.of([psutil.Process(pid)]),
            "room": HeldMemory.of(others),
            "worker": HeldMemory.of(detecting),
        }


@asynccontextmanager
async def meetings(
    participants: int, layout: Mapping[str, int], *, hosted: bool = False
) -> AsyncIterator[Meetings]:
    """Meetings of a LiveKit server, or ``hosted`` by the sidecar in its own process."""
    async with AsyncExitStack() as life:
        folder = Path(life.enter_context(tempfile.TemporaryDirectory()))
        log = life.enter_context(LOG.open("w"))
        sfu = None if hosted else await life.enter_async_context(livekit(folder))
        sidecar = await life.enter_async_context(
            served(folder, sfu, stderr=log, environ=WORKERS, seconds=LIFE)
        )
        guests = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.serve_guests"),
            *(sidecar.base if sfu is None else sfu.address, str(clip(IDLE))),
            *(str(participants), TOKEN),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
        life.push_async_callback(guests.communicate)
        life.callback(guests.kill)
        url, secrets = ("room:{}".format, {}) if sfu is None else (sfu.url, SECRETS)
        yield Meetings(url, sidecar, guests, participants, layout, secrets)


async def join_rooms(there: Meetings, rooms: int, seconds: float) -> AsyncIterator[RoomLoad]:
    """Join room after room; what they take, each time.

    The series ends with a room that is not live in time.
    """
    for number in range(1, rooms + 1):
        try:
            await there.add(number)
        except TimeoutError:
            print(f"room {number} was not live in time; the log is {LOG}", file=sys.stderr)
            return
        yield await there.load(seconds)
