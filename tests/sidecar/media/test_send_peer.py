"""How the composite is offered and answered."""

import pytest
from aiortc import RTCRtpReceiver
from aiortc.sdp import SessionDescription

from sidecar.media.encoder import Encoder
from sidecar.media.peer_connection import closing, peer_connection
from sidecar.media.send_peer import send_composite

pytestmark = pytest.mark.peers


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
