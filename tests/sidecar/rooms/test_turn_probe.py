"""Real TURN servers, and which of them is used."""

from pathlib import Path

import pytest
from aiortc import RTCIceServer

from config.errors import RoomError
from sidecar.rooms.turn_probe import reachable_servers
from tests.servers.coturn import coturn
from tests.servers.process import LOOPBACK, free_ports

pytestmark = pytest.mark.servers


async def test_where_udp_is_blocked_the_relay_is_reached_by_tcp(tmp_path: Path) -> None:
    async with coturn(tmp_path, udp=False) as relay:
        both = [relay.ice_server("udp"), relay.ice_server("tcp")]
        stun = RTCIceServer("stun:127.0.0.1")
        given = [
            stun,
            RTCIceServer([str(each.urls) for each in both], both[0].username, both[0].credential),
        ]
        chosen = await reachable_servers(given, relay_only=False)
        assert [server.urls for server in chosen] == [stun.urls, both[1].urls]


async def test_no_relay_to_be_had_is_one_clear_line(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    absent = RTCIceServer(f"turn:{LOOPBACK}:{port}?transport=tcp", "ada", "turn-password")
    async with coturn(tmp_path) as relay:
        refused = relay.ice_server("udp", password="wrong-password")
        with pytest.raises(RoomError, match=f"{LOOPBACK}:{port}") as error:
            await reachable_servers([absent, refused], relay_only=True)
    assert "wrong-password" not in str(error.value)
    assert "transport=tcp" in error.value.do


async def test_relay_only_without_a_relay_is_reported() -> None:
    with pytest.raises(RoomError, match="no TURN server is given"):
        await reachable_servers([RTCIceServer("stun:127.0.0.1")], relay_only=True)


async def test_the_only_relay_is_not_tried_beforehand() -> None:
    only = RTCIceServer("turn:203.0.113.1", "ada", "turn-password")
    chosen = await reachable_servers([only], relay_only=False)
    assert [server.urls for server in chosen] == [only.urls]
