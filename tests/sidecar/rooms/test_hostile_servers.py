"""Servers that do harm: they cost little, end only their own room, and block nothing."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from config.errors import RefusedError, RoomError
from sidecar.rooms.base import JoinOptions, Room
from sidecar.rooms.galene.adapter import ADAPTER as GALENE
from sidecar.rooms.galene.room import GaleneRoom
from sidecar.rooms.galene.transport import GaleneTimeouts
from sidecar.rooms.galene.url import GroupCredentials, parse_group_url
from sidecar.rooms.janus.adapter import ADAPTER as JANUS
from sidecar.rooms.janus.adapter import JanusAdapter
from sidecar.rooms.janus.messages import MAX_BYTES
from sidecar.rooms.janus.transport import JanusTimeouts
from sidecar.rooms.livekit.adapter import ADAPTER as LIVEKIT
from sidecar.rooms.livekit.adapter import LiveKitAdapter
from sidecar.rooms.livekit.protocol import MAX_MESSAGE
from sidecar.rooms.livekit.transport import LiveKitTimeouts
from sidecar.rooms.registry import find_adapter
from sidecar.rooms.sidecar_room.adapter import ADAPTER as SIDECAR
from sidecar.rooms.whep.client.session import CallOptions, WhipTimeouts
from sidecar.rooms.whip import ReconnectingWhip
from tests.sidecar.clients import eventually
from tests.sidecar.leaks import back_to, held
from tests.sidecar.rooms.attendance import entered
from tests.sidecar.rooms.composites import grey_composite
from tests.sidecar.rooms.hostile import (
    DEEP,
    SYSTEMS,
    Endless,
    flood,
    redirecting,
    room_at,
    sending,
    serving,
)

LEAVING = 3.0
"""Seconds that leaving may take at most: for its last message, the WebSocket and the client."""
PASSWORD = "Pa55-w0rd-and-more"


@pytest.fixture(params=SYSTEMS)
def system(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def left_in_time(room: Room) -> None:
    began = time.perf_counter()
    async with asyncio.timeout(30):
        await room.__aexit__(None, None, None)
    assert time.perf_counter() - began < LEAVING


async def test_a_server_that_pings_without_end_and_reads_nothing_is_left(system: str) -> None:
    adapter, server = SYSTEMS[system]
    async with server(flood) as url:
        before = held()
        room = room_at(adapter, url)
        await room.__aenter__()
        await asyncio.sleep(0.7)
        await left_in_time(room)
        await back_to(before)


async def test_a_message_above_the_limit_ends_the_room_with_one_reason(system: str) -> None:
    adapter, server = SYSTEMS[system]
    huge = "x" * (max(MAX_MESSAGE, MAX_BYTES) + 1)
    async with server(sending(huge if system != "livekit" else huge.encode())) as url:
        async with asyncio.timeout(20), entered(room_at(adapter, url)) as attendance:
            await eventually(lambda: attendance.ended)
        assert isinstance(attendance.failure, RoomError)
        assert "\n" not in str(attendance.failure)


async def test_nested_json_is_ignored(system: str, caplog: pytest.LogCaptureFixture) -> None:
    adapter, server = SYSTEMS[system]
    act = sending(DEEP, json.dumps({"janus": DEEP}))
    async with server(act) as url, entered(room_at(adapter, url)) as attendance:
        await asyncio.sleep(0.5)
        assert not attendance.ended
    assert not [record for record in caplog.records if record.exc_info]


SHORT = CallOptions(timeouts=WhipTimeouts(negotiation=0.6))


async def enter_galene(place: str) -> None:
    url, name = parse_group_url(f"http://{place}/group/room/"), GroupCredentials("Reactions")
    room = GaleneRoom(url, name, JoinOptions("Reactions"), GaleneTimeouts(request=0.6))
    async with room:
        pass


async def enter_janus(place: str) -> None:
    adapter = JanusAdapter(JanusTimeouts(connect=0.6, enter=2.0))
    async with adapter.room(f"janus+http://{place}/1234", JoinOptions("Reactions")):
        pass


async def enter_livekit(place: str) -> None:
    adapter = LiveKitAdapter(LiveKitTimeouts(join=0.6))
    async with room_at(adapter, f"livekit://{place}/room"):
        pass


async def enter_room_of_another_sidecar(place: str) -> None:
    async with room_at(SIDECAR, f"http://{place}/rooms/room"):
        pass


# WHEP is spoken by the same client as WHIP; its rooms wait for streams that are not there yet.
async def publish_by_whip(place: str) -> None:
    async with (
        grey_composite() as composite,
        ReconnectingWhip(f"http://{place}/whip", options=SHORT) as outlet,
    ):
        await outlet.publish(composite)


@pytest.mark.parametrize("answer", [Endless(), Endless(1, 0.02)], ids=["fast", "slow"])
@pytest.mark.parametrize(
    "enter",
    [enter_galene, enter_janus, enter_livekit, enter_room_of_another_sidecar, publish_by_whip],
)
async def test_an_answer_without_end_is_given_up(
    enter: Callable[[str], Awaitable[None]], answer: Endless
) -> None:
    before = answer.sent
    async with serving(("*", "/{any:.*}", answer.handle)) as place:
        async with asyncio.timeout(10):
            with pytest.raises(RoomError) as refused:
                await enter(place)
    assert "\n" not in str(refused.value)
    # The rest is what the system's buffers hold.
    assert answer.sent - before < 16 << 20


@pytest.mark.parametrize("enter", [enter_galene, enter_janus, enter_livekit, publish_by_whip])
async def test_a_body_of_nested_json_is_one_line(
    enter: Callable[[str], Awaitable[None]], caplog: pytest.LogCaptureFixture
) -> None:
    async def nested(request: web.Request) -> web.StreamResponse:
        return web.Response(text=DEEP, content_type="application/json", status=400)

    async with serving(("*", "/{any:.*}", nested)) as place:
        async with asyncio.timeout(10):
            with pytest.raises(RoomError) as refused:
                await enter(place)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 500
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("kind", ["livekit", "janus", "janus+http", "galene"])
async def test_a_redirect_to_another_server_gets_no_credentials(kind: str, status: int) -> None:
    seen: list[str] = []

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        seen.append(f"{request.path_qs} {dict(request.headers)} {await request.text()}")
        return web.Response(status=404)

    async with serving(("*", "/{any:.*}", elsewhere)) as other:
        answer = redirecting(f"http://{other}/group/room/", status)
        async with serving(("*", "/{any:.*}", answer)) as place:
            adapter, url = {
                "livekit": (LIVEKIT, f"livekit://{place}/room"),
                "janus": (JANUS, f"janus://{place}/1234?pin={PASSWORD}"),
                "janus+http": (JANUS, f"janus+http://{place}/1234?pin={PASSWORD}"),
                "galene": (GALENE, f"http://{place}/group/room/"),
            }[kind]
            names = ("GALENE_PASSWORD", "JANUS_TOKEN", "JANUS_API_SECRET")
            room = room_at(adapter, url, **dict.fromkeys(names, PASSWORD))
            with pytest.raises(RoomError, match="redirects") as refused:
                async with asyncio.timeout(10), room:
                    pass
    assert PASSWORD not in str(refused.value)
    assert not seen


async def test_metadata_services_and_link_local_addresses_are_not_connected_to() -> None:
    for url in (
        "livekit://169.254.169.254/room",
        "janus://[fe80::1]/1234",
        "https://metadata.google.internal/group/room/",
        "whep+http://169.254.169.254/latest",
    ):
        adapter = await find_adapter(url)
        with pytest.raises(RefusedError, match="refused"):
            async with asyncio.timeout(10), room_at(adapter, url):
                pass
