"""Media through a real TURN server that the LiveKit server names, and no other way."""

from pathlib import Path

import pytest
from aioice.ice import get_host_addresses
from aiortc import RTCPeerConnection

from config.errors import RoomError
from sidecar.media.peer import PeerTimeouts
from sidecar.rooms.livekit.adapter import LiveKitAdapter
from sidecar.rooms.livekit.transport import LiveKitTimeouts
from tests.servers.coturn import coturn
from tests.servers.livekit import livekit
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.rooms.attendance import following
from tests.sidecar.rooms.composites import grey_composite
from tests.sidecar.rooms.livekit.conftest import options, seen
from tests.sidecar.rooms.livekit.guest import joined

pytestmark = pytest.mark.servers

LIGHT, GREY = 220, 130


def candidate_types(peer: RTCPeerConnection) -> set[str]:
    """The types of all candidates that a connection has sent."""
    lines = peer.localDescription.sdp.splitlines()
    return {line.split(" typ ")[1].split()[0] for line in lines if " typ " in line}


@pytest.mark.parametrize("udp", [True, False])
async def test_cameras_and_composite_go_through_the_relay_that_the_server_names(
    tmp_path: Path, udp: bool
) -> None:
    own = next(iter(get_host_addresses(use_ipv4=True, use_ipv6=False)))
    for name in ("turn", "sfu"):
        (tmp_path / name).mkdir()
    async with coturn(tmp_path / "turn", udp=udp) as relay:
        relays = [relay.ice_server("udp"), relay.ice_server("tcp")]
        async with (
            livekit(tmp_path / "sfu", media=own, relays=relays) as server,
            joined(server.address, "relay", "ada", watch=True) as ada,
            grey_composite(GREY) as encoder,
        ):
            await ada.publish(ColourTrack(LIGHT))
            async with seen(server, "relay", relay_only=True) as sight:
                await sight.room.publish(encoder)
                await eventually(lambda: sight.shows("ada", LIGHT))
                await eventually(lambda: ada.sees(GREY))
                peers = sight.room.peers()
                assert [candidate_types(peer) for peer in peers] == [{"relay"}, {"relay"}]


async def test_a_relay_that_gives_no_address_is_one_clear_line(tmp_path: Path) -> None:
    async with coturn(tmp_path) as relay, livekit(tmp_path) as server:
        wrong = relay.ice_server("udp", password="wrong-password")
        with pytest.raises(RoomError, match="no TURN server gives us an address") as failure:
            async with seen(server, "relay", relay_only=True, ice_servers=[wrong]):
                pass
        assert "wrong-password" not in str(failure.value)


async def test_media_without_a_path_is_one_clear_line(tmp_path: Path) -> None:
    hurried = LiveKitTimeouts(peer=PeerTimeouts(connection=0.5))
    async with coturn(tmp_path) as relay, livekit(tmp_path) as server:
        # The relay doesn't send to loopback, which is where this server is.
        useless = [relay.ice_server()]
        how = options(server, relay_only=True, ice_servers=useless)
        room = LiveKitAdapter(hurried).room(server.url("blocked"), how)
        async with room, following(room) as sight:
            await eventually(lambda: sight.ended)
    assert isinstance(sight.failure, RoomError)
    assert "no media path" in str(sight.failure)
    assert "TURN" in sight.failure.do
