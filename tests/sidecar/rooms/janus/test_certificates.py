"""The certificates that a real Janus may have for its media."""

from pathlib import Path

import pytest

from sidecar.rooms.base import HasPeerConnections
from tests.servers.janus import JanusServer, Setup
from tests.servers.tls import self_signed
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.rooms.janus.attending import attending
from tests.sidecar.rooms.janus.client import camera, client

pytestmark = pytest.mark.servers


@pytest.mark.parametrize("kind", ["its own", "RSA", "ECDSA"])
async def test_cameras_and_the_composite_get_through(tmp_path: Path, kind: str) -> None:
    files = None if kind == "its own" else self_signed(tmp_path, with_rsa=kind == "RSA")
    setup = Setup(rooms={"1234": {"publishers": 6}}, media_certificate=files)
    async with (
        JanusServer(tmp_path / "janus", setup) as server,
        client(server.ports["ws"]) as someone,
        camera(someone, 1234, "Ada", ColourTrack(90)),
        attending(server.url(), publishing=True) as sidecar,
    ):
        await eventually(lambda: sidecar.shows("Ada", 90))
        assert isinstance(sidecar.room, HasPeerConnections)
        peers = sidecar.room.peers()
        await eventually(lambda: {peer.connectionState for peer in peers} == {"connected"})
        assert len(peers) == 2
