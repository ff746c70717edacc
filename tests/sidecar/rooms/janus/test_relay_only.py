"""A Janus room through a real TURN server and no other way."""

from pathlib import Path

import pytest
from aiortc import RTCPeerConnection

from tests.servers.coturn import coturn
from tests.servers.janus import JanusServer
from tests.servers.tls import self_signed
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.rooms.janus.attending import attending, options
from tests.sidecar.rooms.janus.client import JanusClient, camera

pytestmark = pytest.mark.servers


def candidate_types(peer: RTCPeerConnection) -> set[str]:
    """The types of all candidates that a connection has told of."""
    lines = peer.localDescription.sdp.splitlines()
    return {line.split(" typ ")[1].split()[0] for line in lines if " typ " in line}


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_cameras_and_composite_go_through_a_relay_alone(
    server: JanusServer,
    someone: JanusClient,
    room: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    transport: str,
) -> None:
    certificate = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    async with (
        coturn(tmp_path, udp=transport == "udp", certificate=certificate) as relay,
        camera(someone, room, "Ada", ColourTrack()),
    ):
        how = options(ice_servers=[relay.ice_server(transport)], relay_only=True)
        async with attending(server.url(str(room)), how, publishing=True) as sidecar:
            await eventually(lambda: sidecar.frames("Ada") > 5)
            peers = sidecar.room.peers()  # type: ignore[attr-defined]
            assert [candidate_types(peer) for peer in peers] == [{"relay"}, {"relay"}]
            await eventually(lambda: peers[0].connectionState == "connected")
