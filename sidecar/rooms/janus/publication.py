"""The composite's own connection to the server, and the data channel beside it."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Final

import structlog
from aiortc import MediaStreamTrack, RTCDataChannel, RTCIceServer, RTCSessionDescription

from config.errors import RoomError
from sidecar.media.peers import close, peer_connection, send_composite
from sidecar.rooms.janus.candidates import add_candidate
from sidecar.rooms.janus.viewing import CHANNEL

log = structlog.get_logger(__name__)

NEGOTIATION: Final = 10.0
"""Seconds for either description."""
BACKLOG: Final = 64 * 1024
"""Bytes that may wait in the channel; beyond that, events are left out."""


class Publication:
    """Sends ``track``, which is stopped on the way out."""

    def __init__(
        self,
        track: MediaStreamTrack,
        ice_servers: Iterable[RTCIceServer],
        *,
        relay_only: bool,
        data_channel: bool,
    ) -> None:
        self.peer = peer_connection(ice_servers, relay_only=relay_only)
        self.over = asyncio.Event()
        """The connection is lost."""
        self._track = track
        self._transceiver = send_composite(self.peer, track)
        self._channel: RTCDataChannel | None = None
        if data_channel:
            self._channel = self.peer.createDataChannel(CHANNEL)
        self.peer.on("connectionstatechange", self._look)

    async def offer(self) -> tuple[str, str]:
        """The offer with every candidate, and the media line of the composite in it."""
        try:
            async with asyncio.timeout(NEGOTIATION):
                await self.peer.setLocalDescription(await self.peer.createOffer())
        except TimeoutError as error:
            raise RoomError("no ICE candidates in time") from error
        return self.peer.localDescription.sdp, self._transceiver.mid or "0"

    async def accept(self, answer: str) -> None:
        """Take the server's answer; raises RoomError."""
        try:
            async with asyncio.timeout(NEGOTIATION):
                await self.peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        except Exception as error:
            # Whatever breaks in aiortc at an answer that it can't take: ValueError, KeyError, …
            raise RoomError(f"the server's answer can't be used: {error!r}") from error

    async def trickle(self, candidate: Mapping[str, object]) -> None:
        """Take a candidate that came after the description."""
        await add_candidate(self.peer, candidate)

    def announce(self, event: Mapping[str, object]) -> None:
        """Send ``event`` to whoever subscribed to our data; nobody waits for it."""
        channel = self._channel
        if channel is None or channel.readyState != "open" or channel.bufferedAmount > BACKLOG:
            return
        channel.send(json.dumps(event))

    async def close(self) -> None:
        """Stop the track and free the connection."""
        self._track.stop()
        await close(self.peer)

    def _look(self) -> None:
        if self.peer.connectionState in ("closed", "failed"):
            self.over.set()
