"""WHIP and WHEP clients for tests: real aiortc peers, spoken to over real HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fractions import Fraction
from urllib.parse import urljoin

import aiohttp
import av
import numpy as np
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription

from sidecar.media.peer_connection import close, peer_connection


class ColourTrack(MediaStreamTrack):
    """A camera that shows one luma value, 320x180 at 15 frames a second, until it is frozen."""

    kind = "video"

    def __init__(self, luma: int = 128) -> None:
        super().__init__()
        self.luma = luma
        self.frozen = False
        self._tick = 0

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(1 / 15)
        while self.frozen:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        frame = av.VideoFrame.from_ndarray(
            np.full((270, 320), self.luma, np.uint8), format="yuv420p"
        )
        frame.pts, frame.time_base = self._tick, Fraction(1, 15)
        self._tick += 1
        return frame


@dataclass(eq=False)
class Client:
    """One session: the peer, what the POST was answered, and the session's URL."""

    peer: RTCPeerConnection
    response: aiohttp.ClientResponse
    url: str
    track: MediaStreamTrack | None = None


async def offer_sdp(peer: RTCPeerConnection) -> str:
    """The peer's offer, with all its candidates."""
    await peer.setLocalDescription(await peer.createOffer())
    return peer.localDescription.sdp


async def post_offer(http: aiohttp.ClientSession, url: str, sdp: str) -> aiohttp.ClientResponse:
    """POST an offer; the body of the answer is read already."""
    async with http.post(
        url, data=sdp.encode(), headers={"Content-Type": "application/sdp"}
    ) as response:
        await response.read()
        return response


@asynccontextmanager
async def session(
    http: aiohttp.ClientSession, url: str, peer: RTCPeerConnection
) -> AsyncIterator[Client]:
    """Negotiate ``peer``'s offer at ``url``; the peer is closed on the way out, without DELETE."""
    received: list[MediaStreamTrack] = []
    peer.on("track", received.append)
    try:
        response = await post_offer(http, url, await offer_sdp(peer))
        assert response.status == 201, await response.text()
        answer = RTCSessionDescription(await response.text(), "answer")
        await peer.setRemoteDescription(answer)
        location = urljoin(str(response.url), response.headers["Location"])
        video = next((track for track in received if track.kind == "video"), None)
        yield Client(peer, response, location, video)
    finally:
        await close(peer)


@asynccontextmanager
async def publishing(
    http: aiohttp.ClientSession, url: str, track: MediaStreamTrack
) -> AsyncIterator[Client]:
    """Publish ``track`` by WHIP."""
    peer = peer_connection()
    peer.addTransceiver(track, direction="sendonly")
    try:
        async with session(http, url, peer) as client:
            yield client
    finally:
        track.stop()


@asynccontextmanager
async def watching(
    http: aiohttp.ClientSession, url: str, kinds: Iterable[str] = ("video",)
) -> AsyncIterator[Client]:
    """Watch by WHEP, asking for ``kinds`` in that order."""
    peer = peer_connection()
    for kind in kinds:
        peer.addTransceiver(kind, direction="recvonly")
    async with session(http, url, peer) as client:
        yield client


async def eventually(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until ``condition()`` is true; TimeoutError if that takes too long."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
