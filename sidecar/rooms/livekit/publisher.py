"""The publisher's peer connection: the composite and data messages."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Final

import structlog
from aiortc import MediaStreamTrack, RTCIceServer

from config.errors import RefusedError, RoomError
from sidecar.media.packet_track import PacketTrack
from sidecar.media.peer import PeerOptions
from sidecar.media.send_peer import SendPeer
from sidecar.rooms.base import TrackSource
from sidecar.rooms.events import Answered, CandidateReceived, PublishRefused
from sidecar.rooms.livekit import messages
from sidecar.rooms.livekit.encryption import FrameEncryptor, KeyRing
from sidecar.rooms.livekit.protocol import PUBLISHER, LiveKitEvent, TrackPublished
from sidecar.rooms.livekit.transport import LiveKitTimeouts, LiveKitTransport

log = structlog.get_logger(__name__)

CHANNEL: Final = "_reliable"
"""The label of LiveKit's channel for messages that must arrive."""
MAX_PAYLOAD: Final = 15_000
"""Bytes; LiveKit's limit for a reliable message is 15 KiB."""
MAX_BACKLOG: Final = 256 * 1024
"""Bytes that wait to be sent, beyond which events are dropped: the server takes none then."""


def encrypt_track(track: MediaStreamTrack, ring: KeyRing) -> None:
    """Encrypt what ``track`` sends; raises RefusedError where it is not encoded by us."""
    if not isinstance(track, PacketTrack):
        raise RefusedError("a track that is not encoded here can't be encrypted", where="LiveKit")
    track.encrypt = FrameEncryptor(ring).encrypt


class LiveKitPublisher:
    """Publishes ``composite`` as a camera, until ``aclose``."""

    def __init__(
        self,
        transport: LiveKitTransport,
        composite: TrackSource,
        ice_servers: Iterable[RTCIceServer],
        *,
        relay_only: bool,
        data: bool,
        timeouts: LiveKitTimeouts,
        ring: KeyRing | None = None,
    ) -> None:
        track = composite.subscribe()
        if ring is not None:
            encrypt_track(track, ring)
        self._event_packet = (
            messages.event_packet if ring is None else messages.MessageEncryptor(ring).event_packet
        )
        options = PeerOptions(
            "LiveKit publisher", ice_servers, relay_only=relay_only, timeouts=timeouts.peer
        )
        self.peer = SendPeer(track, options, data_channel=CHANNEL if data else "")
        self._transport = transport
        self._timeouts = timeouts
        loop = asyncio.get_running_loop()
        self._accepted: asyncio.Future[None] = loop.create_future()
        self._answer: asyncio.Future[str] = loop.create_future()
        self.negotiated = asyncio.Event()
        """Our offer is answered: media may flow from now on."""

    async def publish(self) -> None:
        """Publish; raises RoomError if the server doesn't take it, RefusedError if never."""
        try:
            async with asyncio.timeout(self._timeouts.publish):
                with self._transport.send_context() as protocol:
                    protocol.add_composite(self.peer.track.id)
                await asyncio.shield(self._accepted)
                sdp = await self.peer.offer()
                with self._transport.send_context() as protocol:
                    protocol.offer(sdp)
                await self.peer.accept(await asyncio.shield(self._answer))
        except TimeoutError as error:
            raise RoomError("the server did not take the composite in time") from error
        self.negotiated.set()

    async def handle(self, event: LiveKitEvent) -> None:
        """React to what the server says of our track and connection."""
        match event:
            case TrackPublished(cid=cid) if cid == self.peer.track.id:
                if not self._accepted.done():
                    self._accepted.set_result(None)
            case PublishRefused():
                self.fail(event.error(self._transport.server))
            case Answered():
                if not self._answer.done():
                    self._answer.set_result(event.sdp)
            case CandidateReceived(stream=stream) if stream == PUBLISHER:
                await self.peer.add_candidate(event.candidate)

    def fail(self, error: Exception) -> None:
        """Let ``publish`` raise ``error``, if it still waits."""
        for step in (self._accepted, self._answer):
            if not step.done():
                step.set_exception(error)
                # It may be that no task waits for it.
                step.exception()

    def announce(self, event: Mapping[str, object]) -> None:
        """Send ``event`` to all participants, unless nothing can be sent now."""
        payload = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        if len(payload) > MAX_PAYLOAD:
            log.info("event not sent", reason=f"{len(payload)} bytes are more than {MAX_PAYLOAD}")
        else:
            self.peer.send_message(self._event_packet(payload), MAX_BACKLOG)

    async def aclose(self) -> None:
        """Take the composite away and free the connection."""
        await self.peer.aclose()
