import asyncio
import threading

import pytest
from aiortc import RTCBundlePolicy, RTCPeerConnection, RTCRtpReceiver
from aiortc.sdp import SessionDescription
from structlog.testing import capture_logs

from sidecar.media import peer_connection as module
from sidecar.media.encoder import Encoder
from sidecar.media.peer_connection import close, closing, peer_connection, send_composite
from tests.sidecar.media.pictures import descriptors


async def test_a_connection_bundles_everything_and_asks_no_stranger() -> None:
    async with closing(peer_connection()) as connection:
        configuration = vars(connection)["_RTCPeerConnection__configuration"]
        assert configuration.iceServers == []
        assert configuration.bundlePolicy is RTCBundlePolicy.MAX_BUNDLE


async def test_the_composite_is_offered_in_vp8_alone() -> None:
    encoder = Encoder(320, 180)
    async with closing(peer_connection()) as connection:
        send_composite(connection, encoder.subscribe())
        offer = await connection.createOffer()
    (line,) = SessionDescription.parse(offer.sdp).media
    assert line.direction == "sendonly"
    assert {codec.mimeType.lower() for codec in line.rtp.codecs} == {"video/vp8", "video/rtx"}
    encoder.close()


async def test_the_composite_is_answered_in_vp8_to_one_who_prefers_h264() -> None:
    encoder = Encoder(320, 180)
    async with closing(peer_connection()) as viewer, closing(peer_connection()) as sender:
        line = viewer.addTransceiver("video", direction="recvonly")
        capabilities = RTCRtpReceiver.getCapabilities("video")
        assert capabilities is not None
        codecs = capabilities.codecs
        line.setCodecPreferences(sorted(codecs, key=lambda codec: "VP8" in codec.mimeType))
        await viewer.setLocalDescription(await viewer.createOffer())
        send_composite(sender, encoder.subscribe())
        await sender.setRemoteDescription(viewer.localDescription)
        answer = await sender.createAnswer()
    (answered,) = SessionDescription.parse(answer.sdp).media
    assert answered.rtp.codecs[0].mimeType == "video/VP8"
    encoder.close()


async def test_a_connection_that_only_made_an_offer_frees_everything() -> None:
    async def offer() -> None:
        async with closing(peer_connection()) as connection:
            connection.addTransceiver("video", direction="recvonly")
            await connection.setLocalDescription(await connection.createOffer())

    await offer()
    before = descriptors(), threading.active_count(), len(asyncio.all_tasks())
    for _ in range(3):
        await offer()
    await asyncio.sleep(0)
    assert (descriptors(), threading.active_count(), len(asyncio.all_tasks())) == before


async def test_a_failure_inside_still_closes_the_connection() -> None:
    connection = peer_connection()
    with pytest.raises(RuntimeError, match="mine"):
        async with closing(connection):
            raise RuntimeError("mine")
    assert connection.connectionState == "closed"


async def test_a_connection_that_hangs_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Hanging(RTCPeerConnection):
        async def close(self) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr(module, "CLOSE_TIMEOUT", 0.01)
    with capture_logs() as logs:
        await close(Hanging())
    assert [log["log_level"] for log in logs] == ["warning"]


async def test_a_connection_that_fails_to_close_is_logged_and_disturbs_nobody() -> None:
    class Failing(RTCPeerConnection):
        async def close(self) -> None:
            raise RuntimeError("the transport is gone")

    with capture_logs() as logs:
        await close(Failing())
    assert [log["log_level"] for log in logs] == ["error"]
