"""Connections that break, and servers that die: the session goes on, or begins anew."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import psutil
import pytest

from config.errors import RefusedError, RoomError
from sidecar.rooms.base import Left
from sidecar.rooms.janus.adapter import ADAPTER
from sidecar.rooms.reconnect import ReconnectingRoom
from tests.servers.janus import JanusServer, Setup
from tests.servers.soak import JOINS, RESTARTS
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.leaks import Held, back_to, held
from tests.sidecar.rooms.janus.attending import attending, composite, following, options
from tests.sidecar.rooms.janus.client import JanusClient, camera, client
from tests.sidecar.rooms.janus.proxy import proxy

pytestmark = pytest.mark.servers


@pytest.fixture
async def mortal(tmp_path: Path) -> AsyncIterator[JanusServer]:
    """A server of this test's own, which keeps sessions for those whose connection broke."""
    setup = Setup(rooms={"1234": {"publishers": 6}}, general={"reclaim_session_timeout": 30})
    async with JanusServer(tmp_path / "janus", setup) as server:
        yield server


async def test_a_session_is_claimed_and_nobody_leaves_meanwhile(mortal: JanusServer) -> None:
    async with (
        client(mortal.ports["ws"]) as someone,
        camera(someone, 1234, "Ada", ColourTrack()),
        proxy(mortal.ports["ws"]) as road,
        attending(f"janus://127.0.0.1:{road.port}/1234", publishing=True) as sidecar,
    ):
        await eventually(lambda: sidecar.frames("Ada") > 0)
        await road.cut()
        before = sidecar.frames("Ada")
        await eventually(lambda: sidecar.frames("Ada") > before + 5)
        await road.open()
        async with camera(someone, 1234, "Bob", ColourTrack()):
            await eventually(lambda: sidecar.frames("Bob") > 0)
        assert not any(
            isinstance(change, Left) and change.participant == next(iter(sidecar.present))
            for change in sidecar.changes
        )
        assert road.connections >= 2


async def test_a_session_that_is_gone_ends_the_room_for_now(server: JanusServer) -> None:
    # Without reclaim_session_timeout, Janus frees a session with its connection.
    async with (
        proxy(server.ports["ws"]) as road,
        client(server.ports["ws"]) as someone,
    ):
        await someone.create(77)
        async with attending(f"janus://127.0.0.1:{road.port}/77") as sidecar:
            await road.cut()
            await road.open()
            await eventually(lambda: sidecar.ended)
            assert isinstance(sidecar.failure, RoomError)
            assert not isinstance(sidecar.failure, RefusedError)
            assert "No such session" in str(sidecar.failure)


def _rejoined(room: ReconnectingRoom, count: int) -> bool:
    return room.rejoined > count


@pytest.mark.soak
async def test_a_server_that_is_killed_is_joined_again_and_nothing_is_left_behind(
    mortal: JanusServer,
) -> None:
    room = ReconnectingRoom(lambda: ADAPTER.room(mortal.url("1234"), options()))
    before: Held | None = None
    async with room, following(room) as sidecar, composite() as encoder:
        await room.publish(encoder)
        for count in range(RESTARTS + 1):
            async with (
                client(mortal.ports["ws"]) as someone,
                camera(someone, 1234, "Ada", ColourTrack()) as ada,
            ):
                await eventually(lambda: sidecar.frames("Ada") > 0)
                assert list(sidecar.present) == [str(ada.id)]
                assert encoder.viewers == 1
                assert len(await someone.people(1234)) == 2
                if before is None:
                    before = held()
                await back_to(before)
                if count == RESTARTS:
                    break
                await mortal.process.restart()
            await eventually(partial(_rejoined, room, count))
        assert room.rejoined == RESTARTS


@pytest.mark.soak
async def test_joining_and_leaving_leaves_nothing_behind(
    server: JanusServer, someone: JanusClient, room: int
) -> None:
    async def come_and_go() -> None:
        async with attending(server.url(str(room)), publishing=True) as sidecar:
            await eventually(lambda: sidecar.frames("Ada") > 0)

    async with camera(someone, room, "Ada", ColourTrack()):
        await come_and_go()
        before = held()
        for _ in range(JOINS):
            await come_and_go()
        await back_to(before)
        assert len(await someone.people(room)) == 1


async def test_leaving_is_quick_even_if_the_server_hangs(mortal: JanusServer) -> None:
    url = mortal.url("1234")
    process = psutil.Process(mortal.process.pid)
    async with (
        client(mortal.ports["ws"]) as someone,
        camera(someone, 1234, "Ada", ColourTrack()),
        AsyncExitStack() as stack,
    ):
        sidecar = await stack.enter_async_context(attending(url, publishing=True))
        await eventually(lambda: sidecar.frames("Ada") > 0)
        process.suspend()
        try:
            # Far below what aiortc or TCP take to notice.
            async with asyncio.timeout(10):
                await stack.aclose()
        finally:
            process.resume()
