"""One WHEP stream as one feed, connected again when it is lost."""

import asyncio
from collections.abc import Callable, Sequence

import aiohttp
from aiortc import RTCIceServer, RTCPeerConnection

from sidecar.media.feed import Feed
from sidecar.media.peer import PeerOptions
from sidecar.media.receive_peer import ReceivePeer
from sidecar.rooms.whep.client.endpoint import WhipEndpoint
from sidecar.rooms.whep.client.failures import Failure, Retry
from sidecar.rooms.whep.client.reconnecting_session import ReconnectingSession
from sidecar.rooms.whep.client.session import CallOptions


class Stream:
    """A stream whose frames are in ``feed`` while ``run`` runs.

    The feed outlives a session: while the stream is away, it is a camera that stands still. It ends
    with ``run``, where the server finally refuses the stream. ``on_change`` is called after
    each change of ``failure``, and when the feed has ended.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        endpoint: WhipEndpoint,
        name: str,
        options: CallOptions,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self._options = options
        self._on_change = on_change
        self._session = ReconnectingSession(
            http, endpoint, name, options, self._make_peer, on_change=on_change
        )
        self.feed = Feed()

    @property
    def tried(self) -> asyncio.Event:
        """Set once there was a connection, or the first attempt failed."""
        return self._session.tried

    @property
    def failure(self) -> Failure | None:
        """Why there is no connection now; None while there is, or nothing is known yet."""
        return self._session.failure

    @property
    def problem(self) -> str:
        """Why it can't be watched until a person acts; empty where it is watched, or waited
        for."""
        failure = self.failure
        return "" if failure is None or failure.retry is Retry.SOON else str(failure)

    @property
    def peer(self) -> RTCPeerConnection | None:
        """The connection of this moment."""
        return self._session.peer

    async def run(self) -> None:
        """Watch until cancelled, or until the server says that trying again can't help."""
        await self.feed.start()
        try:
            await self._session.run()
        finally:
            await self.feed.aclose()
            self._on_change()

    def _make_peer(self, servers: Sequence[RTCIceServer]) -> ReceivePeer:
        options = PeerOptions(
            self.name,
            servers,
            relay_only=self._options.relay_only,
            timeouts=self._options.peer_timeouts,
        )
        return ReceivePeer(options, feed=self.feed)
