"""The composite as one of the group's cameras: a stream of our own."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from aiortc import RTCIceCandidate, RTCIceServer, RTCPeerConnection, RTCSessionDescription

from config.errors import RoomError
from sidecar.media.peers import close, peer_connection, send_composite
from sidecar.rooms.base import TrackSource

ANSWERING: Final = 10.0
"""Seconds that the server may take to answer."""
STARTING: Final = 0.5
"""Seconds that it takes at most from coming to asking for streams, and from the connection to the
first packet."""
CONNECTING: Final = 15.0
"""Seconds that the connection may take after the answer."""


class Showing:
    """One attempt at showing ``composite``; after it failed, another has to be made."""

    def __init__(
        self,
        stream: str,
        composite: TrackSource,
        servers: Iterable[RTCIceServer],
        on_change: Callable[[], None],
        *,
        relay_only: bool = False,
    ) -> None:
        self.stream = stream
        self.peer: RTCPeerConnection = peer_connection(servers, relay_only=relay_only)
        self.peer.on("connectionstatechange", on_change)
        self.offered_at = asyncio.get_running_loop().time()
        """When the offer was made, on the loop's clock."""
        self.connected_at: float | None = None
        """When the connection came up."""
        self._track = composite.subscribe()
        self._early: list[RTCIceCandidate] = []
        self.described_at: float | None = None
        """When the server's answer was taken, on the loop's clock."""
        self._answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def failed(self) -> bool:
        """The connection is over."""
        return self.peer.connectionState in ("closed", "failed")

    def missed_by(self, arrival: float, now: float) -> bool:
        """Whether who came at ``arrival`` asked for streams while this one was starting.

        Galène tells them then that there is nothing in it, and never comes back to it. Known a
        moment after the connection is up.
        """
        up = self.connected_at
        if up is None or now < up + STARTING:
            return False
        return self.offered_at - STARTING < arrival < up + STARTING

    def stuck(self, now: float) -> bool:
        """Whether the connection should have come up before ``now``."""
        waiting = self.described_at is not None and now - self.described_at > CONNECTING
        return waiting and self.peer.connectionState != "connected"

    async def offer(self) -> str:
        """The offer, with all our candidates."""
        self.offered_at = asyncio.get_running_loop().time()
        send_composite(self.peer, self._track)
        await self.peer.setLocalDescription(await self.peer.createOffer())
        return self.peer.localDescription.sdp

    async def take(self, sdp: str) -> None:
        """Take the server's answer."""
        try:
            await self.peer.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        except Exception as error:
            # Whatever breaks in aiortc at an answer that it can't take: ValueError, KeyError, …
            self.refuse(f"its answer to the composite can't be used: {error!r}")
            return
        self.described_at = asyncio.get_running_loop().time()
        early, self._early = self._early, []
        for candidate in early:
            await self.peer.addIceCandidate(candidate)
        if not self._answered.done():
            self._answered.set_result(None)

    def refuse(self, why: str) -> None:
        """The server won't take it; whoever waits for the answer is told."""
        if not self._answered.done():
            self._answered.set_exception(RoomError(f"the composite can't be shown: {why}"))
            # It may be that nobody waits.
            self._answered.exception()

    async def answered(self) -> None:
        """Wait for the server's answer; raises RoomError where it won't have the composite."""
        try:
            async with asyncio.timeout(ANSWERING):
                await asyncio.shield(self._answered)
        except TimeoutError as error:
            raise RoomError("the server did not answer to the composite in time") from error

    async def trickle(self, candidate: RTCIceCandidate) -> None:
        """Try one more way to the server."""
        if self.described_at is not None:
            await self.peer.addIceCandidate(candidate)
        elif len(self._early) < 64:
            self._early.append(candidate)

    async def close(self) -> None:
        """Free the connection and the track."""
        self.refuse("it was taken away")
        self._track.stop()
        await close(self.peer)
