"""Connections made and closed in the one way that holds up."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import structlog
from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
)

from sidecar.media.aiortc_patches import on_picture_loss, use_own_decoding, use_video_buffer
from sidecar.media.packet_track import PacketTrack

log = structlog.get_logger(__name__)

CLOSE_TIMEOUT = 5.0


def peer_connection(
    ice_servers: Iterable[RTCIceServer] = (), *, relay_only: bool = False
) -> RTCPeerConnection:
    """A new connection that uses ``ice_servers`` and no others; close it with ``close``.

    ``relay_only`` lets media go through a TURN server and no other way.

    Left to itself, aiortc asks a public STUN server, and waits up to 5 s where that can't be
    reached. Without the bundle policy, an offer that adds video lines to a connection whose first
    line is data delivers nothing.
    """
    use_video_buffer()
    use_own_decoding()
    return RTCPeerConnection(
        RTCConfiguration(
            iceServers=list(ice_servers),
            bundlePolicy=RTCBundlePolicy.MAX_BUNDLE,
            iceTransportPolicy=(
                RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL
            ),
        )
    )


async def close(connection: RTCPeerConnection) -> None:
    """Close ``connection`` and free what it holds; gives up (and says so) after 5 s.

    What goes wrong on the way out is logged: nobody could do anything about it any more.
    """
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT):
            await connection.close()
    except TimeoutError:
        log.warning("a connection did not close", seconds=CLOSE_TIMEOUT)
    except Exception:
        log.exception("a connection did not close")


@asynccontextmanager
async def closing(connection: RTCPeerConnection) -> AsyncIterator[RTCPeerConnection]:
    """``connection``, closed on the way out whatever happens: one that only made an offer leaks
    descriptors otherwise."""
    try:
        yield connection
    finally:
        await close(connection)


def send_composite(connection: RTCPeerConnection, track: MediaStreamTrack) -> RTCRtpTransceiver:
    """Send ``track``, from an encoder's ``subscribe``, over ``connection``: VP8 and nothing else.

    Call it before any description is made or set, because aiortc ignores a codec preference that
    comes later; not for an offer whose first line is audio, of which aiortc closes the transport
    then. A viewer that lost the picture gets a key frame at once.
    """
    transceiver = connection.addTransceiver(track, direction="sendonly")
    capabilities = RTCRtpSender.getCapabilities("video")
    transceiver.setCodecPreferences(
        [
            codec
            for codec in capabilities.codecs
            if codec.mimeType.lower() in {"video/vp8", "video/rtx"}
        ]
    )
    if isinstance(track, PacketTrack):
        on_picture_loss(transceiver.sender, track.request_key_frame)
    return transceiver
