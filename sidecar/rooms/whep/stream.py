"""One WHEP stream: watched, lost, and watched again, as one feed."""

import asyncio

import aiohttp
from aiortc import RTCPeerConnection

from sidecar.aio import cancel_and_wait
from sidecar.media.feed import Feed
from sidecar.rooms.whep.client.endpoint import Endpoint
from sidecar.rooms.whep.client.reconnecting_session import ReconnectingSession
from sidecar.rooms.whep.client.session import CallOptions, WhipSession


class Stream(ReconnectingSession):
    """A stream whose frames are in ``feed`` while ``run`` runs.

    The feed outlives a session: while the stream is away, it is a camera that stands still. It ends
    with ``run``, where the server will never let us have the stream.
    """

    def __init__(
        self, http: aiohttp.ClientSession, endpoint: Endpoint, name: str, options: CallOptions
    ) -> None:
        super().__init__(http, endpoint, name, options)
        self.feed = Feed()
        self.over = asyncio.Event()
        """Set when there will be no more frames."""

    async def run(self) -> None:
        await self.feed.start()
        try:
            await super().run()
        finally:
            await self.feed.aclose()
            self.over.set()

    def _prepare(self, peer: RTCPeerConnection) -> None:
        peer.addTransceiver("video", direction="recvonly")

    async def _attend(self, call: WhipSession) -> str:
        assert call.peer is not None
        (transceiver,) = call.peer.getTransceivers()
        track = transceiver.receiver.track
        ended = asyncio.Event()
        track.on("ended", ended.set)
        self.feed.attach(track)
        end = asyncio.create_task(ended.wait(), name=f"end of {self.name}")
        life = asyncio.create_task(call.last(), name=f"life of {self.name}")
        try:
            await asyncio.wait([end, life], return_when=asyncio.FIRST_COMPLETED)
            return life.result() if life.done() else "the server ended the stream"
        finally:
            await cancel_and_wait(end, life)
