"""Two real connections of this machine, looked at from one side."""

from collections.abc import AsyncIterator

import pytest
from aiortc import RTCPeerConnection

from sidecar.doctor.check import Check, Verdict
from sidecar.doctor.connection import check_candidates, check_codecs, check_pair, connection_checks
from sidecar.media.peer_connection import closing, peer_connection
from tests.sidecar.clients import eventually

pytestmark = pytest.mark.peers


@pytest.fixture
async def connected() -> AsyncIterator[RTCPeerConnection]:
    async with closing(peer_connection()) as ours, closing(peer_connection()) as theirs:
        ours.addTransceiver("video", direction="recvonly")
        await ours.setLocalDescription(await ours.createOffer())
        await theirs.setRemoteDescription(ours.localDescription)
        await theirs.setLocalDescription(await theirs.createAnswer())
        await ours.setRemoteDescription(theirs.localDescription)
        await eventually(lambda: ours.connectionState == "connected")
        yield ours


async def test_the_media_path_is_reported_with_its_round_trip(
    connected: RTCPeerConnection,
) -> None:
    check = await check_pair(connected)
    assert check.verdict is Verdict.FINE
    assert "host udp to" in check.found
    assert "ms" in check.found


async def test_a_connection_that_never_was_has_no_way() -> None:
    async with closing(peer_connection()) as peer:
        assert (await check_pair(peer)).verdict is Verdict.WRONG


async def test_every_check_of_a_connection_is_reported(connected: RTCPeerConnection) -> None:
    checks = await connection_checks(connected)
    assert [check.what for check in checks] == ["codecs", "candidates", "media path"]
    assert checks[0].found == "offered: H264, VP8"
    assert "host udp" in checks[1].found


async def test_a_server_without_a_common_codec_is_reported(connected: RTCPeerConnection) -> None:
    sdp = connected.remoteDescription.sdp.replace(" VP8/", " VP9/").replace(" H264/", " AV1/")
    check = check_codecs(sdp)
    assert (check.verdict, check.found) == (Verdict.WRONG, "offered: AV1, VP9")


def test_a_relay_is_noticed() -> None:
    host = "a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host\r\n"
    relay = "a=candidate:2 1 UDP 16777215 192.0.2.9 6000 typ relay raddr 0.0.0.0 rport 9\r\n"
    assert check_candidates(host).verdict is Verdict.WORTH_KNOWING
    assert check_candidates(host + relay) == Check(
        "candidates", Verdict.FINE, "1 host udp, 1 relay udp"
    )


def test_missing_candidates_are_reported() -> None:
    assert check_candidates("v=0\r\n").verdict is Verdict.WRONG
