"""``sidecar serve`` with rooms of two systems that come and go, on real servers."""

import itertools
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.e2e.served import Served, children, served
from tests.servers.janus import JanusServer, Setup
from tests.servers.livekit import LiveKit, livekit
from tests.servers.soak import CHURN, MEETINGS, ROOMS
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.rooms.janus.client import JanusClient, camera, client
from tests.sidecar.rooms.livekit import guest

pytestmark = [pytest.mark.models, pytest.mark.servers, pytest.mark.soak]

LAYOUT = {"width": 480, "height": 270, "fps": 10}
JANUS_ROOMS = ("5", "6")[: MEETINGS // 2]


@dataclass(frozen=True, slots=True)
class Meetings:
    """Meetings of a LiveKit server and half as many of Janus, with a camera in each."""

    livekit: LiveKit
    janus: JanusServer
    someone: JanusClient

    def urls(self) -> list[str]:
        return [
            *(self.livekit.url(f"room-{number}") for number in range(MEETINGS)),
            *(self.janus.url(room) for room in JANUS_ROOMS),
        ]


@asynccontextmanager
async def meetings(folder: Path) -> AsyncIterator[Meetings]:
    rooms = {room: {"publishers": 6} for room in JANUS_ROOMS}
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        sfu = await enter(livekit(folder))
        janus = await enter(JanusServer(folder / "janus", Setup(rooms=rooms)))
        someone = await enter(client(janus.ports["ws"]))
        for number in range(MEETINGS):
            ada = await enter(guest.joined(sfu.address, f"room-{number}", "ada"))
            await ada.publish(ColourTrack(100))
        for room in JANUS_ROOMS:
            await enter(camera(someone, int(room), "Ada", ColourTrack(100)))
        yield Meetings(sfu, janus, someone)


@dataclass(frozen=True, slots=True)
class Held:
    """What the server and its children hold."""

    processes: int
    threads: int
    descriptors: int
    own: int
    """Descriptors of the server itself, which stays while rooms come and go."""

    @classmethod
    def of(cls, pid: int) -> "Held":
        server = psutil.Process(pid)
        family = [server, *children(pid)]
        return cls(
            len(family),
            sum(one.num_threads() for one in family),
            sum(one.num_fds() for one in family),
            server.num_fds(),
        )

    def within(self, other: "Held") -> bool:
        return (
            self.processes <= other.processes
            and self.threads <= other.threads
            and self.descriptors <= other.descriptors
            and self.own <= other.own
        )


async def leave(sidecar: Served, room: str) -> None:
    await sidecar.call("DELETE", f"/v1/rooms/{room}")
    await sidecar.until(room, state="ended", pid=None)


async def join(sidecar: Served, url: str) -> str:
    """A room that is live and has seen its participant."""
    room = await sidecar.join(url, layout=LAYOUT)
    await sidecar.until(room, participants=1)
    return room


async def test_rooms_of_two_systems_are_left_and_joined_and_leave_nothing(tmp_path: Path) -> None:
    async with (
        meetings(tmp_path) as there,
        served(tmp_path, there.livekit, seconds=600 + 120 * ROOMS) as sidecar,
    ):
        pid = sidecar.process.pid
        rooms = {url: await join(sidecar, url) for url in there.urls()}
        shown = await sidecar.call("GET", "/v1/rooms")
        assert len({room["pid"] for room in shown["rooms"]}) == len(rooms)
        # What starts with the first rooms that are joined again, and stays.
        first = next(iter(rooms))
        await leave(sidecar, rooms[first])
        rooms[first] = await join(sidecar, first)
        before = Held.of(pid)
        for url, number in zip(itertools.cycle(rooms), range(1, ROOMS + 1), strict=False):
            await leave(sidecar, rooms[url])
            rooms[url] = await join(sidecar, url)
            print(f"round {number}: {Held.of(pid)}", flush=True)
        await eventually(lambda: Held.of(pid).within(before))
        for room in rooms.values():
            shown = await sidecar.until(room, state="live", participants=1)
            assert shown["restarts"] == 0


@pytest.mark.skipif(not CHURN, reason="half an hour: `make soak` runs it")
async def test_half_an_hour_of_coming_and_going_leaves_memory_flat(tmp_path: Path) -> None:
    """Rooms and guests come and go; threads and descriptors stay, memory grows under 1 MiB/min."""
    async with (
        meetings(tmp_path) as there,
        served(tmp_path, there.livekit, seconds=60 * CHURN + 900) as sidecar,
    ):
        pid = sidecar.process.pid
        rooms = {url: await join(sidecar, url) for url in there.urls()}
        began, held, memory = time.monotonic(), None, list[tuple[float, float]]()
        for number in itertools.count():
            minutes = (time.monotonic() - began) / 60
            if minutes > CHURN:
                break
            url = list(rooms)[number % len(rooms)]
            await leave(sidecar, rooms[url])
            rooms[url] = await join(sidecar, url)
            async with guest.joined(
                there.livekit.address, f"room-{number % MEETINGS}", "bob"
            ) as bob:
                await bob.publish(ColourTrack(200))
                await sidecar.until(rooms[there.urls()[number % MEETINGS]], participants=2)
            # The first fifth fills caches.
            if minutes > CHURN / 5:
                held = held or Held.of(pid)
                memory.append((minutes, psutil.Process(pid).memory_info().rss / 2**20))
            print(f"round {number + 1}, minute {minutes:.1f}: {Held.of(pid)}", flush=True)
        assert held is not None
        slope, _ = statistics.linear_regression(*zip(*memory, strict=True))
        print(f"{len(memory)} rounds, the server's memory grows by {slope:.3f} MiB a minute")
        assert slope < 1
        await eventually(lambda: Held.of(pid).within(held))
