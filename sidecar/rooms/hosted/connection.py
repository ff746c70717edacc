"""One session's peer connection: the offer answered, and all of it freed again."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from aiortc import RTCIceCandidate, RTCIceServer, RTCRtpTransceiver, RTCSessionDescription

from config.errors import SignallingError
from sidecar.media.aiortc_patches import on_picture_loss
from sidecar.media.feed import Feed
from sidecar.media.packet_track import PacketTrack
from sidecar.media.peers import close, peer_connection
from sidecar.rooms.base import TrackSource
from sidecar.rooms.hosted.names import IceServer
from sidecar.rooms.hosted.offer import Offer

log = structlog.get_logger(__name__)

NEGOTIATION: Final = 10.0
"""Seconds for an answer: gathering from a STUN or TURN server that is down takes 5 s."""


class Connection:
    """A client's peer connection, from its offer to ``close``; subclasses say what flows."""

    def __init__(self, ice_servers: Sequence[IceServer], on_change: Callable[[], None]) -> None:
        self._peer = peer_connection(
            RTCIceServer(server.url, server.username, server.credential) for server in ice_servers
        )
        self._peer.on("connectionstatechange", on_change)

    @property
    def connected(self) -> bool:
        """Media can flow."""
        return self._peer.connectionState == "connected"

    @property
    def over(self) -> bool:
        """The client ended the connection, or ICE lost it (which takes aiortc half a minute)."""
        return self._peer.connectionState in ("closed", "failed")

    async def answer(self, offer: Offer) -> str:
        """The SDP answer, with every candidate in it; raises SignallingError 400 or 504."""
        try:
            async with asyncio.timeout(NEGOTIATION):
                await self._peer.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
                for transceiver in self._peer.getTransceivers():
                    if transceiver.kind == "video":
                        await self._carry(transceiver)
                    else:
                        transceiver.direction = "inactive"
                await self._peer.setLocalDescription()
        except TimeoutError as error:
            raise SignallingError("no ICE candidates in time", status=504) from error
        except Exception as error:
            # Whatever breaks in aiortc at an offer that it can't take: ValueError, KeyError, …
            log.info("offer refused", error=repr(error))
            raise SignallingError("the offer can't be answered", status=400) from error
        return self._peer.localDescription.sdp

    async def trickle(self, candidates: Sequence[RTCIceCandidate]) -> None:
        """Take more of the client's candidates."""
        for candidate in candidates:
            await self._peer.addIceCandidate(candidate)

    async def media_count(self) -> int:
        """A number that grows as long as the client's side of the media is alive."""
        raise NotImplementedError

    async def close(self) -> None:
        """Free the connection, its tasks and its sockets; more than once is harmless."""
        await close(self._peer)

    async def _carry(self, video: RTCRtpTransceiver) -> None:
        raise NotImplementedError


class CameraConnection(Connection):
    """A participant's camera coming in."""

    feed: Feed | None = None
    """Their frames, once the offer is answered."""

    async def media_count(self) -> int:
        """Frames, late ones too: they prove that somebody sends."""
        return self.feed.frames + self.feed.late if self.feed else 0

    async def close(self) -> None:
        if self.feed is not None:
            await self.feed.__aexit__()
        await super().close()

    async def _carry(self, video: RTCRtpTransceiver) -> None:
        video.direction = "recvonly"
        self.feed = await Feed(video.receiver.track).__aenter__()


class ViewerConnection(Connection):
    """The composite going out to one viewer."""

    def __init__(
        self,
        ice_servers: Sequence[IceServer],
        on_change: Callable[[], None],
        composite: TrackSource,
    ) -> None:
        super().__init__(ice_servers, on_change)
        self._track = composite.subscribe()

    async def media_count(self) -> int:
        """Bytes that the viewer sent us: its receiver reports come about once a second."""
        report = await self._peer.getStats()
        return sum(stats.bytesReceived for stats in report.values() if stats.type == "transport")

    async def close(self) -> None:
        self._track.stop()
        await super().close()

    async def _carry(self, video: RTCRtpTransceiver) -> None:
        # Only now: aiortc closes the transport of a transceiver that was there before an offer
        # whose first section is audio.
        video.sender.replaceTrack(self._track)
        video.direction = "sendonly"
        if isinstance(self._track, PacketTrack):
            on_picture_loss(video.sender, self._track.request_key_frame)
