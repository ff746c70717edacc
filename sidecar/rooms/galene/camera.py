"""One participant's stream: its own peer connection, from the first offer until it is closed."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from aiortc import (
    MediaStreamTrack,
    RTCIceCandidate,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.sdp import SessionDescription

from sidecar.media.feed import Feed, VideoSource
from sidecar.media.peers import close, peer_connection
from sidecar.rooms.galene.descriptions import UnfitError, camera_section, follows, read_offer

NEGOTIATION: Final = 10.0
"""Seconds for an answer: gathering from a TURN server that is down takes 5 s."""
MAX_SECTIONS: Final = 12
"""Each change of layer adds a section to the description; after so many a new connection is due."""
MAX_EARLY: Final = 64
"""Candidates kept until the offer that they belong to is taken."""


class Switch:
    """A camera's frames from whichever track brings them now (a ``VideoSource``)."""

    def __init__(self) -> None:
        self._frames: asyncio.Queue[object] = asyncio.Queue(maxsize=1)
        self._track: VideoSource | None = None
        self._pump: asyncio.Task[None] | None = None

    def turn(self, track: VideoSource) -> None:
        """Take frames from ``track`` from now on, and no more from the one before."""
        if track is not self._track:
            self._track = track
            self._stop()
            self._pump = asyncio.create_task(self._read(track), name="camera")

    async def recv(self) -> object:
        frame = await self._frames.get()
        if frame is None:
            raise MediaStreamError
        return frame

    async def close(self) -> None:
        pump = self._pump
        self._stop()
        if pump is not None:
            await asyncio.gather(pump, return_exceptions=True)

    def _stop(self) -> None:
        if self._pump is not None:
            self._pump.cancel()

    async def _read(self, track: VideoSource) -> None:
        try:
            while True:
                await self._frames.put(await track.recv())
        except MediaStreamError:
            await self._frames.put(None)


class Camera:
    """The connection that brings one stream; ``feed`` has its frames while it is entered."""

    def __init__(
        self,
        servers: Iterable[RTCIceServer],
        on_change: Callable[[], None],
        *,
        relay_only: bool = False,
    ) -> None:
        self.peer: RTCPeerConnection = peer_connection(servers, relay_only=relay_only)
        self.peer.on("connectionstatechange", on_change)
        self._switch = Switch()
        self.feed = Feed(self._switch)
        self._offer: SessionDescription | None = None
        self._early: list[RTCIceCandidate] = []
        self._described = False
        self._opened = self._closed = False
        self._turn = asyncio.Lock()

    @property
    def connected(self) -> bool:
        """Media flows."""
        return self.peer.connectionState == "connected"

    @property
    def failed(self) -> bool:
        """The connection is over (which aiortc notices half a minute late)."""
        return self.peer.connectionState in ("closed", "failed")

    async def answer(self, sdp: str) -> str:
        """The answer to an offer, the first or a later one; raises UnfitError if there is none."""
        async with self._turn:
            if self._closed:
                raise UnfitError("closed")
            if not self._opened:
                self._opened = True
                await self.feed.__aenter__()
            offer = read_offer(sdp)
            if len(offer.media) > MAX_SECTIONS:
                raise UnfitError("their offer has too many sections")
            if self._offer is not None and not follows(offer, self._offer):
                raise UnfitError("their offer begins anew")
            try:
                async with asyncio.timeout(NEGOTIATION):
                    await self._take(sdp)
                self._watch(offer)
            except Exception as error:
                # Whatever breaks in aiortc at an offer that it can't take: ValueError, KeyError, …
                raise UnfitError(f"their offer can't be answered: {error!r}") from error
            self._offer = offer
            return self.peer.localDescription.sdp

    async def trickle(self, candidate: RTCIceCandidate) -> None:
        """Try one more way to the server; kept until there is an offer that it belongs to."""
        if self._described:
            await self.peer.addIceCandidate(candidate)
        elif len(self._early) < MAX_EARLY:
            self._early.append(candidate)

    async def close(self) -> None:
        """Free the connection, its tasks and its sockets."""
        self._closed = True
        await self.feed.__aexit__()
        await self._switch.close()
        await close(self.peer)

    async def _take(self, sdp: str) -> None:
        await self.peer.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        self._described = True
        early, self._early = self._early, []
        for candidate in early:
            await self.peer.addIceCandidate(candidate)
        for transceiver in self.peer.getTransceivers():
            transceiver.direction = "recvonly" if transceiver.kind == "video" else "inactive"
        await self.peer.setLocalDescription()

    def _watch(self, offer: SessionDescription) -> None:
        section = camera_section(offer)
        for transceiver in self.peer.getTransceivers():
            track: MediaStreamTrack | None = transceiver.receiver.track
            if section is not None and transceiver.mid == section.rtp.muxId and track is not None:
                self._switch.turn(track)
