"""``sidecar serve``: rooms until something gives, the memory they take, and processes killed.

A real LiveKit server; participants are in a process of their own and send a recorded clip. Server,
participants and sidecar share this machine's cores: a machine beside an SFU would hold more.
"""

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.media_footage import IDLE, clip
from bench.table import Table
from tests.e2e.served import TOKEN, Served, children, served, workers
from tests.servers.livekit import livekit

FPS = 10
LAYOUT = {"width": 480, "height": 270, "fps": FPS}
RATE = 5
"""Samples a second of each participant, the default."""
WORKERS = {"SIDECAR_SERVE__WORKERS": "0"}
"""One a core, the default."""
COLUMNS = (
    "rooms x participants",
    "server, % of a core",
    "a room",
    "detection",
    "pictures/s",
    "late %",
    "samples/s",
    "sampling ratio",
    "MB server / room / worker",
    "what gave",
)


@dataclass(frozen=True, slots=True)
class Counted:
    """A server's counters, and the processor time of its processes, at one moment."""

    time: float
    ticks: float
    late: float
    samples: float
    server: float
    rooms: float
    workers: float

    @classmethod
    async def of(cls, sidecar: Served) -> "Counted":
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


def _memory(processes: list[psutil.Process]) -> float:
    """MB of the largest; what processes share with each other counts in each."""
    return max((one.memory_info().rss for one in processes), default=0) / 1e6


@dataclass(frozen=True, slots=True)
class Meetings:
    """A server of rooms, and the process that fills meetings with participants."""

    url: Callable[[str], str]
    """What is joined for a meeting's name."""
    sidecar: Served
    guests: asyncio.subprocess.Process

    async def add(self, name: str, participants: int) -> str:
        """A live room with participants; its id."""
        assert self.guests.stdin is not None
        assert self.guests.stdout is not None
        room = await self.sidecar.join(self.url(name), layout=LAYOUT, rate=RATE)
        self.guests.stdin.write(f"{name}\n".encode())
        if not await self.guests.stdout.readline():
            raise RuntimeError("the participants' process ended")
        await self.sidecar.until(room, participants=participants)
        return room


@asynccontextmanager
async def meetings(participants: int, *, hosted: bool = False) -> AsyncIterator[Meetings]:
    """Meetings of a LiveKit server, or ``hosted`` by the sidecar in its own process."""
    async with AsyncExitStack() as life:
        folder = Path(life.enter_context(tempfile.TemporaryDirectory()))
        sfu = None if hosted else await life.enter_async_context(livekit(folder))
        sidecar = await life.enter_async_context(served(folder, sfu, environ=WORKERS, seconds=1800))
        guests = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.serve_guests"),
            *(sidecar.base if sfu is None else sfu.address, str(clip(IDLE))),
            *(str(participants), TOKEN),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        life.push_async_callback(guests.communicate)
        life.callback(guests.kill)
        yield Meetings("room:{}".format if sfu is None else sfu.url, sidecar, guests)


async def fill(
    table: Table, participants: int, rooms: int, seconds: float, *, hosted: bool = False
) -> None:
    """Add rooms one by one until something gives, or there are ``rooms``."""
    async with meetings(participants, hosted=hosted) as there:
        for number in range(1, rooms + 1):
            await there.add(f"room-{number}", participants)
            await asyncio.sleep(seconds / 3)
            before = await Counted.of(there.sidecar)
            await asyncio.sleep(seconds)
            if await _row(table, there, before, number, participants):
                return


async def _row(
    table: Table, there: Meetings, before: Counted, rooms: int, participants: int
) -> bool:
    """Add what ``rooms`` came to; whether something gave."""
    now = await Counted.of(there.sidecar)
    wall = now.time - before.time
    pictures = (now.ticks - before.ticks) / wall / rooms
    late = 100 * (now.late - before.late) / max(now.ticks - before.ticks, 1)
    samples = (now.samples - before.samples) / wall / rooms / participants
    ratio = await there.sidecar.metric("sidecar_sampling_rate_ratio")
    pid = there.sidecar.process.pid
    detecting = workers(pid)
    others = [one for one in children(pid) if one not in detecting]
    gave = [
        *(["sampling is slowed down"] if ratio < 1 else []),
        *(["composites are late"] if late > 5 or pictures < 0.95 * FPS else []),
    ]
    table.add(
        f"{rooms} x {participants}",
        100 * (now.server - before.server) / wall,
        100 * (now.rooms - before.rooms) / wall / rooms,
        100 * (now.workers - before.workers) / wall,
        pictures,
        late,
        samples,
        ratio,
        f"{_memory([psutil.Process(pid)]):.0f} / {_memory(others):.0f} / {_memory(detecting):.0f}",
        ", ".join(gave) or "nothing",
    )
    return "composites are late" in gave


async def killed(table: Table, seconds: float) -> None:
    """Late ticks in equal times: without a kill, of a room's process, of a detection worker."""
    async with meetings(1) as there:
        rooms = [await there.add(f"room-{number}", 1) for number in (1, 2)]
        await asyncio.sleep(seconds)
        for what in ("nothing", "a room's process", "a detection worker"):
            before = await Counted.of(there.sidecar)
            back = await _kill(there.sidecar, what, rooms[0])
            await asyncio.sleep(max(seconds - back, 0))
            now = await Counted.of(there.sidecar)
            table.add(what, now.ticks - before.ticks, now.late - before.late, back)


async def _kill(sidecar: Served, what: str, room: str) -> float:
    """SIGKILL one of ``sidecar``'s processes; the seconds until its work goes on."""
    began = time.monotonic()
    if what == "a room's process":
        shown = await sidecar.call("GET", f"/v1/rooms/{room}")
        os.kill(shown["pid"], signal.SIGKILL)
        await sidecar.until(room, state="live", restarts=1, participants=1)
    elif what == "a detection worker":
        restarts = await sidecar.metric("sidecar_detection_worker_restarts_total")
        wanted = await sidecar.metric("sidecar_detection_workers")
        workers(sidecar.process.pid)[0].kill()
        while True:
            now = await sidecar.metric("sidecar_detection_worker_restarts_total")
            if now > restarts and await sidecar.metric("sidecar_detection_workers") == wanted:
                break
            await asyncio.sleep(0.05)
    else:
        return 0.0
    return time.monotonic() - began


def measure(quick: bool) -> Iterator[Table]:
    """Rooms until something gives, with one and four participants; in one process; and kills."""
    seconds = 5 if quick else 20
    series = ((1, 3), (4, 2)) if quick else ((1, 12), (4, 6))
    for hosted in (False, True):
        rooms = Table(
            "Rooms of one server" + (", in its own process" if hosted else ""),
            COLUMNS,
            f"640x360@30 VP8 in, {LAYOUT['width']}x{LAYOUT['height']}@{FPS} out, {RATE} samples a "
            "second wanted of each participant; pictures/s a room, samples/s a participant. "
            + ("The server hosts the rooms." if hosted else "A process a room, beside LiveKit."),
        )
        for participants, most in series:
            asyncio.run(fill(rooms, participants, most, seconds, hosted=hosted))
        yield rooms
    kills = Table(
        "Processes of a server killed",
        ("killed", "ticks", "late ticks", "back after s"),
        f"Two rooms with one participant each; ticks of both in {seconds} s from the kill on.",
    )
    asyncio.run(killed(kills, seconds))
    yield kills
