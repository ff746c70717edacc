"""One camera as the server sends it to us: its own connection, answered, watched and freed."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from typing import Final

import structlog
from aiortc import MediaStreamTrack, RTCDataChannel, RTCIceServer, RTCSessionDescription

from config.errors import RoomError
from sidecar.media.feed import Feed
from sidecar.media.peers import close, peer_connection
from sidecar.rooms.janus.candidates import add_candidate

log = structlog.get_logger(__name__)

CHANNEL: Final = "JanusDataChannel"
"""The label that Janus' own client uses: what other clients send and listen on."""
NO_MEDIA: Final = "no media from the server: open UDP to it, or name a TURN server"
NEGOTIATION: Final = 10.0
"""Seconds for an answer: gathering from a STUN or TURN server that is down takes 5 s."""
CONNECTING: Final = 15.0
"""Seconds until media can flow."""


class Viewing:
    """A subscriber's connection; ``feed`` is there once it is ``connected``."""

    def __init__(
        self,
        ice_servers: Iterable[RTCIceServer],
        *,
        relay_only: bool,
        on_text: Callable[[str], None],
    ) -> None:
        self.peer = peer_connection(ice_servers, relay_only=relay_only)
        self.feed: Feed | None = None
        self.over = asyncio.Event()
        """The connection was up, or was to come up, and isn't any more."""
        self._on_text = on_text
        self._track: MediaStreamTrack | None = None
        self._up = asyncio.Event()
        self._life = AsyncExitStack()
        self._life.push_async_callback(close, self.peer)
        self.peer.on("connectionstatechange", self._look)
        self.peer.on("datachannel", self._listen)

    async def answer(self, offer: str, mid: str) -> str:
        """Our answer to the server's offer, with every candidate in it, for the media line ``mid``.

        Raises RoomError.
        """
        try:
            async with asyncio.timeout(NEGOTIATION):
                await self.peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
                for transceiver in self.peer.getTransceivers():
                    if transceiver.kind == "video" and transceiver.mid == mid:
                        self._track = transceiver.receiver.track
                    else:
                        # Sound, or a second camera: not sent, and so not decoded either.
                        transceiver.direction = "inactive"
                if self.peer.sctp is not None:
                    # Janus sends no data before the subscriber has opened a channel.
                    self._listen(self.peer.createDataChannel(CHANNEL))
                await self.peer.setLocalDescription()
        except TimeoutError as error:
            raise RoomError("no ICE candidates in time") from error
        except Exception as error:
            # Whatever breaks in aiortc at an offer that it can't take: ValueError, KeyError, …
            raise RoomError(f"the server's offer can't be answered: {error!r}") from error
        if self._track is None:
            raise RoomError("the server's offer has no video that can be decoded")
        return self.peer.localDescription.sdp

    async def connected(self) -> Feed:
        """Wait until media can flow; raises RoomError if that fails."""
        assert self._track is not None, "answer comes first"
        try:
            async with asyncio.timeout(CONNECTING):
                await self._up.wait()
        except TimeoutError:
            self.over.set()
        if self.over.is_set():
            raise RoomError(NO_MEDIA)
        self.feed = await self._life.enter_async_context(Feed(self._track))
        return self.feed

    async def trickle(self, candidate: Mapping[str, object]) -> None:
        """Take a candidate that came after the description."""
        await add_candidate(self.peer, candidate)

    async def close(self) -> None:
        """Free the feed and the connection."""
        await self._life.aclose()

    def _look(self) -> None:
        if self.peer.connectionState == "connected":
            self._up.set()
        elif self.peer.connectionState in ("closed", "failed"):
            self.over.set()
            self._up.set()

    def _listen(self, channel: RTCDataChannel) -> None:
        channel.on("message", self._hear)

    def _hear(self, message: str | bytes) -> None:
        if isinstance(message, str):
            self._on_text(message)
