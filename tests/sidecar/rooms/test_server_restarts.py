"""A server that dies and restarts looks the same in every system, by the fakes of all."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import aiohttp
import pytest
from structlog.testing import capture_logs

from sidecar.aio import Backoff
from sidecar.rooms.base import Joined, Left, RoomChange
from sidecar.rooms.reconnect import ReconnectingRoom
from tests.conformance.room import RoomHarness, watched
from tests.sidecar.clients import eventually
from tests.sidecar.rooms.attendance import Attendance, entered
from tests.sidecar.rooms.galene.fake import fake_galene
from tests.sidecar.rooms.galene.test_conformance import GaleneHarness
from tests.sidecar.rooms.janus.fake_server import FakeJanusServer
from tests.sidecar.rooms.janus.test_conformance import FakeHarness as JanusHarness
from tests.sidecar.rooms.livekit.fake_sfu import FakeLiveKit
from tests.sidecar.rooms.livekit.test_conformance import FakeHarness as LiveKitHarness
from tests.sidecar.rooms.sidecar_room.test_conformance import SidecarRoomHarness
from tests.sidecar.rooms.test_memory import MemoryHarness

pytestmark = pytest.mark.peers

AT_ONCE = Backoff(first=0.1, longest=0.2)
STEPS = ("meeting lost", "rejoin failed, retrying", "meeting rejoined")
DEATHS = 2


@asynccontextmanager
async def memory() -> AsyncIterator[RoomHarness]:
    yield MemoryHarness()


@asynccontextmanager
async def janus() -> AsyncIterator[RoomHarness]:
    async with FakeJanusServer() as server:
        yield JanusHarness(server)


@asynccontextmanager
async def livekit() -> AsyncIterator[RoomHarness]:
    async with FakeLiveKit() as server:
        yield LiveKitHarness(server)


@asynccontextmanager
async def galene() -> AsyncIterator[RoomHarness]:
    async with fake_galene() as server:
        harness = GaleneHarness(server)
        try:
            yield harness
        finally:
            await harness.aclose()


@asynccontextmanager
async def sidecar_room() -> AsyncIterator[RoomHarness]:
    async with aiohttp.ClientSession() as http:
        harness = SidecarRoomHarness(http)
        await harness.start()
        try:
            yield harness
        finally:
            await harness.aclose()


@pytest.fixture(params=[memory, janus, livekit, galene, sidecar_room])
async def harness(request: pytest.FixtureRequest) -> AsyncIterator[RoomHarness]:
    serve: Callable[[], AbstractAsyncContextManager[RoomHarness]] = request.param
    async with serve() as harness:
        yield harness


def stays(attendance: Attendance, name: str) -> list[type[RoomChange]]:
    """How the participants of one name came and went."""
    names = {it.participant: it.name for it in attendance.changes if isinstance(it, Joined)}
    return [type(it) for it in attendance.changes if names.get(it.participant) == name]


async def test_a_server_that_dies_looks_the_same_in_every_system(harness: RoomHarness) -> None:
    room = ReconnectingRoom(harness.room, backoff=AT_ONCE)
    with capture_logs() as logs:
        async with entered(room, publishing=True) as attendance:
            for death in range(DEATHS + 1):
                for name in ("Ada", "Bob"):
                    await harness.join(name)
                for name in ("Ada", "Bob"):
                    await watched(attendance, name)
                await harness.composite_arrives()
                assert sorted(it.name for it in attendance.present.values()) == ["Ada", "Bob"]
                assert room.rejoined == death
                if death < DEATHS:
                    await harness.lose()
                    await eventually(lambda: not attendance.present)
                    assert room.lost
                    await harness.recover()
            assert not attendance.ended
    for name in ("Ada", "Bob"):
        assert stays(attendance, name) == [Joined, Left] * DEATHS + [Joined]
    steps = [log for log in logs if log["event"] in STEPS]
    changes = [log["event"] for log in steps if log["event"] != "rejoin failed, retrying"]
    assert changes == ["meeting lost", "meeting rejoined"] * DEATHS
    assert all(log.get("reason") for log in steps if log["event"] != "meeting rejoined")
    assert {log["log_level"] for log in logs} <= {"debug", "info", "warning"}
