"""A LiveKit server that dies and restarts: the room rejoins and frees everything."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web
from livekit.protocol import rtc

from config.errors import RefusedError, RoomError
from sidecar.media.encoder import Encoder
from sidecar.rooms.base import JoinOptions
from sidecar.rooms.livekit.room import LiveKitRoom
from sidecar.rooms.reconnect import ReconnectingRoom
from tests.servers.livekit import LiveKit, livekit
from tests.servers.soak import JOINS, RESTARTS
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.leaks import back_to, settled
from tests.sidecar.rooms.attendance import Attendance, following
from tests.sidecar.rooms.composites import grey_composite
from tests.sidecar.rooms.livekit.admin import call, identities
from tests.sidecar.rooms.livekit.conftest import LIVEKIT, options, seen
from tests.sidecar.rooms.livekit.fake import JOIN, fake_server, say
from tests.sidecar.rooms.livekit.guest import joined

pytestmark = pytest.mark.servers

LIGHT, GREY = 220, 130
LEAVING = 10.0
"""Seconds: less than the half minute after which aiortc notices a dead peer."""


def states(room: LiveKitRoom | ReconnectingRoom) -> list[str]:
    """How far each of our connections is."""
    return [peer.connectionState for peer in room.peers()]


@pytest.mark.soak
async def test_a_server_that_dies_is_joined_again_by_the_same_participants(
    tmp_path: Path,
) -> None:

    async def meet(server: LiveKit, sight: Attendance[ReconnectingRoom]) -> None:
        async with joined(server.address, "back", "ada", watch=True) as ada:
            await ada.publish(ColourTrack(LIGHT))
            await eventually(lambda: sight.shows("ada", LIGHT) and ada.sees(GREY))
            assert ada.names() == ["Reactions"]
            people.append(sorted(await identities(server, "back")))
            server.process.kill()
        await eventually(lambda: not sight.present, 20)
        await server.process.start()
        await eventually(lambda: states(room) == ["connected"] * 2)

    people: list[list[str]] = []
    async with (
        livekit(tmp_path) as server,
        grey_composite(GREY) as encoder,
        ReconnectingRoom(lambda: LIVEKIT.room(server.url("back"), options(server))) as room,
        following(room) as sight,
    ):
        await room.publish(encoder)
        await meet(server, sight)
        before = await settled()
        for _ in range(RESTARTS - 1):
            await meet(server, sight)
        assert room.rejoined >= RESTARTS - 1
        # The same identities each time: no ghost is in the roster beside them.
        assert len(people[0]) == 3
        assert all(group == people[0] for group in people)
        await back_to(before)
        assert not sight.ended


@pytest.mark.parametrize("safe", [True, False])
async def test_the_next_joining_goes_where_the_last_server_says(safe: bool) -> None:
    joins = []

    async def there(socket: web.WebSocketResponse) -> None:
        joins.append("there")
        await say(socket, JOIN)
        await socket.receive()

    async with fake_server(there) as other:

        async def here(socket: web.WebSocketResponse) -> None:
            joins.append("here")
            region = rtc.RegionInfo(url=other if safe else "file:///etc/passwd")
            leave = rtc.LeaveRequest(
                action=rtc.LeaveRequest.RECONNECT, regions=rtc.RegionSettings(regions=[region])
            )
            await say(socket, JOIN)
            await say(socket, rtc.SignalResponse(leave=leave))

        async with fake_server(here) as address:
            keys = {"LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "secret"}
            room = LIVEKIT.room(f"{address}#r", JoinOptions("Reactions", keys))
            async with room, following(room) as sight:
                await eventually(lambda: sight.ended)
            again = room.renewed()
            async with again, following(again) as sight:
                await eventually(lambda: sight.ended or "there" in joins)
    assert joins == (["here", "there"] if safe else ["here", "here"])


async def test_a_lost_connection_is_reported_at_once(tmp_path: Path) -> None:
    async with livekit(tmp_path) as server, seen(server, "lost") as sight:
        server.process.kill()
        await eventually(lambda: sight.ended, 20)
        assert isinstance(sight.failure, RoomError)
        assert not isinstance(sight.failure, RefusedError)


async def test_leaving_a_dead_server_takes_no_time(tmp_path: Path) -> None:
    encoder = Encoder(320, 180)
    async with livekit(tmp_path) as server:
        async with seen(server, "dead") as sight:
            await sight.room.publish(encoder)
            await eventually(lambda: states(sight.room) == ["connected"] * 2)
            server.process.kill()
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < LEAVING
        await eventually(lambda: not encoder.viewers)


@pytest.mark.soak
async def test_joining_and_leaving_leaves_nothing_behind(server: LiveKit) -> None:
    async def visit() -> None:
        async with seen(server, "visits") as sight:
            await sight.room.publish(encoder)
            await eventually(lambda: sight.shows("ada", LIGHT))

    async with joined(server.address, "visits", "ada") as ada, grey_composite(GREY) as encoder:
        await ada.publish(ColourTrack(LIGHT))
        await visit()
        before = await settled()
        for _ in range(JOINS):
            await visit()
        await back_to(before)
        await eventually(lambda: not ada.roster)


async def test_what_must_not_be_retried_is_not(server: LiveKit) -> None:
    async with (
        joined(server.address, "final", "ada"),
        ReconnectingRoom(lambda: LIVEKIT.room(server.url("final"), options(server))) as room,
        following(room) as sight,
    ):
        watcher = next(who for who in await identities(server, "final") if "watcher" in who)
        await call(server, "final", "RemoveParticipant", identity=watcher)
        await eventually(lambda: sight.ended)
        assert isinstance(sight.failure, RefusedError)
        assert room.rejoined == 0
