"""The publisher's connection: the composite, and data messages."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import structlog
from aiortc import RTCIceServer, RTCPeerConnection, RTCSessionDescription
from livekit.protocol.models import DataPacket, UserPacket

from config.errors import RefusedError, RoomError
from sidecar.media.peers import close, peer_connection, send_composite
from sidecar.rooms.base import TrackSource
from sidecar.rooms.livekit import messages
from sidecar.rooms.livekit.protocol import Answered, Published, Unpublishable

log = structlog.get_logger(__name__)

PUBLISHING: Final = 12.0
"""Seconds for the server to take the track and to answer."""
TOPIC: Final = "reactions"
"""The topic of our data messages, whose payload is an event as JSON."""
MAX_PAYLOAD: Final = 15_000
"""Bytes; LiveKit's limit for a reliable message is 15 KiB."""
MAX_WAITING: Final = 256 * 1024
"""Bytes that wait to be sent, beyond which events are dropped: nobody takes them then."""


class Publication:
    """Publishes ``composite`` as a camera, from ``start`` to ``close``."""

    def __init__(
        self,
        composite: TrackSource,
        ice_servers: Iterable[RTCIceServer],
        *,
        relay_only: bool,
        data: bool,
        send: Callable[[bytes], None],
    ) -> None:
        self.peer: RTCPeerConnection = peer_connection(ice_servers, relay_only=relay_only)
        self.begun = asyncio.Event()
        """The server answered: from now on media may look for its way."""
        self._send = send
        self._track = composite.subscribe()
        send_composite(self.peer, self._track)
        self._channel = self.peer.createDataChannel("_reliable") if data else None
        self._accepted = asyncio.Event()
        self._answered = asyncio.Event()
        self._failure: Exception | None = None

    async def start(self) -> None:
        """Publish; raises RoomError where the server doesn't take it, RefusedError if it won't."""
        try:
            async with asyncio.timeout(PUBLISHING):
                self._send(messages.add_composite(self._track.id))
                await self._reached(self._accepted)
                await self.peer.setLocalDescription(await self.peer.createOffer())
                self._send(messages.offer(self.peer.localDescription.sdp))
                await self._reached(self._answered)
        except TimeoutError as error:
            raise RoomError("the server did not take the composite in time") from error

    def published(self, published: Published) -> None:
        """The server knows the track now."""
        if published.cid == self._track.id:
            self._accepted.set()

    def refused(self, refusal: Unpublishable) -> None:
        """The server won't have the track."""
        what = f"the composite can't be published: {refusal.why}"
        self.fail(RefusedError(what, do="grant the token canPublish, with the source camera"))

    def fail(self, error: Exception) -> None:
        """Let ``start`` raise ``error``, if it is still at it."""
        self._failure = error
        self._accepted.set()
        self._answered.set()

    async def answered(self, answered: Answered) -> None:
        """Take the server's answer; raises RoomError where aiortc can't."""
        try:
            description = RTCSessionDescription(answered.sdp, "answer")
            await self.peer.setRemoteDescription(description)
        except Exception as error:
            # Whatever breaks in aiortc at an answer that it can't take: ValueError, KeyError, …
            raise RoomError(f"the server's answer can't be used: {error!r}") from error
        self.begun.set()
        self._answered.set()

    def announce(self, event: Mapping[str, object]) -> None:
        """Send ``event`` to everybody, unless nothing can be sent now."""
        channel = self._channel
        if channel is None or channel.readyState != "open":
            return
        payload = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        if len(payload) > MAX_PAYLOAD or channel.bufferedAmount > MAX_WAITING:
            log.debug("event not sent", bytes=len(payload), waiting=channel.bufferedAmount)
            return
        packet = DataPacket(user=UserPacket(payload=payload, topic=TOPIC))
        channel.send(packet.SerializeToString())

    async def close(self) -> None:
        """Take the composite away and free the connection."""
        self._track.stop()
        await close(self.peer)

    async def _reached(self, step: asyncio.Event) -> None:
        await step.wait()
        if self._failure is not None:
            raise self._failure
