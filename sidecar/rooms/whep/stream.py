"""One WHEP stream: watched, lost, and watched again, as one feed."""

import asyncio
from collections.abc import Sequence

import aiohttp
from aiortc import RTCIceServer

from sidecar.media.feed import Feed
from sidecar.media.peers import ReceivePeer
from sidecar.rooms.whep.client.endpoint import WhipEndpoint
from sidecar.rooms.whep.client.reconnecting_session import ReconnectingSession
from sidecar.rooms.whep.client.session import CallOptions


class Stream(ReconnectingSession):
    """A stream whose frames are in ``feed`` while ``run`` runs.

    The feed outlives a session: while the stream is away, it is a camera that stands still. It ends
    with ``run``, where the server will never let us have the stream.
    """

    def __init__(
        self, http: aiohttp.ClientSession, endpoint: WhipEndpoint, name: str, options: CallOptions
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

    def make_peer(self, servers: Sequence[RTCIceServer]) -> ReceivePeer:
        return ReceivePeer(
            servers,
            participant=self.name,
            relay_only=self._options.relay_only,
            timeouts=self._options.peer_timeouts,
            feed=self.feed,
        )
