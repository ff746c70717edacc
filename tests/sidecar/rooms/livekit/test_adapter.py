from importlib.metadata import entry_points

import aiohttp
import pytest
from aiohttp import web

from config.errors import ConfigError
from sidecar.rooms.base import GROUP, HasPeerConnections, JoinOptions, SupportsDataMessages
from sidecar.rooms.livekit.adapter import ADAPTER
from tests.servers.livekit import LiveKit
from tests.sidecar.rooms.livekit.guest import token

KEYS = {"LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "a-secret-of-at-least-32-characters"}


def test_it_is_found_by_its_entry_point() -> None:
    (point,) = entry_points(group=GROUP, name="livekit")
    assert point.load() is ADAPTER


def test_it_makes_rooms_that_can_be_announced_to_and_looked_at() -> None:
    room = ADAPTER.room("wss://sfu.example#standup", JoinOptions("Reactions", KEYS))
    assert room.name == "standup"
    assert isinstance(room, SupportsDataMessages)
    assert isinstance(room, HasPeerConnections)
    assert room.peers() == []


def test_a_room_that_only_the_token_names_is_called_by_that() -> None:
    url = f"https://meet.example/custom?liveKitUrl=wss://sfu.example&token={token('standup', 'me')}"
    assert ADAPTER.recognises(url)
    assert ADAPTER.room(url, JoinOptions("Reactions")).name == "standup"


def test_an_address_without_credentials_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="LIVEKIT_API_KEY"):
        ADAPTER.room("wss://sfu.example#standup", JoinOptions("Reactions"))


@pytest.mark.servers
async def test_the_real_server_is_confirmed(server: LiveKit) -> None:
    async with aiohttp.ClientSession() as http:
        assert await ADAPTER.confirms(server.url("room"), http)


async def test_another_server_is_not_confirmed() -> None:
    runner = web.AppRunner(web.Application())
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        async with aiohttp.ClientSession() as http:
            assert not await ADAPTER.confirms(f"ws://127.0.0.1:{port}#room", http)
    finally:
        await runner.cleanup()
