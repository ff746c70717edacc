"""One of our participants in a LiveKit room: its signalling, and the connections it leads to."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from aiortc import RTCPeerConnection

from config.errors import RoomError
from sidecar.rooms.livekit.leaving import Leaving, Verdict
from sidecar.rooms.livekit.protocol import (
    Answered,
    Candidate,
    Event,
    Offered,
    Published,
    Side,
    Unpublishable,
)
from sidecar.rooms.livekit.publication import Publication
from sidecar.rooms.livekit.signal import Signal, failure
from sidecar.rooms.livekit.watch import Watch

CONNECTING: Final = 15.0
"""Seconds for media to find its way; the server itself waits as long."""
MAX_WAITING: Final = 256
"""Descriptions and candidates that wait for those before them."""


class _Over(Exception):  # noqa: N818
    """Ends a participant's tasks: the meeting is over."""


class Participant:
    """Takes part while ``run`` runs; ``tell`` gets the events that concern the room."""

    def __init__(self, signal: Signal, tell: Callable[[Event], None]) -> None:
        self.signal = signal
        self.watch: Watch | None = None
        self.publication: Publication | None = None
        self.connected = False
        """Media found its way at least once."""
        self._tell = tell
        self._steps: asyncio.Queue[Offered | Answered | Candidate] = asyncio.Queue(MAX_WAITING)
        self._group: asyncio.TaskGroup | None = None

    def peers(self) -> Sequence[RTCPeerConnection]:
        """The connections of this moment."""
        return [part.peer for part in (self.watch, self.publication) if part is not None]

    async def run(self) -> None:
        """Take part until the meeting is over; raises RoomError for any other end."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                group.create_task(self._negotiate(), name="LiveKit negotiation")
                for peer in self.peers():
                    group.create_task(self._guard(peer), name="LiveKit media")
                await self._follow()
                raise _Over
        except ExceptionGroup as failures:
            # The group's others are what followed from it; it keeps its own cause.
            first = failures.exceptions[0]
            if not isinstance(first, _Over):
                raise first from first.__cause__
        finally:
            self._group = None

    def publish(self, publication: Publication) -> None:
        """Take ``publication`` as ours."""
        self.publication = publication
        if self._group is not None:
            self._group.create_task(self._guard(publication.peer), name="LiveKit media")

    async def close(self) -> None:
        """Say goodbye and free everything."""
        await self.signal.close()
        parts = [part.close() for part in (self.publication, self.watch) if part is not None]
        await asyncio.gather(*parts)

    async def _follow(self) -> None:
        async for event in self.signal.events():
            match event:
                case Offered() | Answered() | Candidate():
                    if self._steps.full():
                        raise RoomError("the server negotiates without end", where=self._where)
                    self._steps.put_nowait(event)
                case Published() if self.publication is not None:
                    self.publication.published(event)
                case Unpublishable() if self.publication is not None:
                    self.publication.refused(event)
                case Leaving(verdict=Verdict.OVER):
                    return
                case Leaving():
                    self._tell(event)
                    raise failure(event, self._where)
                case _:
                    self._tell(event)

    async def _negotiate(self) -> None:
        """Take descriptions and candidates in one after another, as aiortc needs it."""
        while True:
            match await self._steps.get():
                case Offered() as offered if self.watch is not None:
                    await self.watch.offered(offered)
                case Answered() as answered if self.publication is not None:
                    await self.publication.answered(answered)
                case Candidate(side=Side.SUBSCRIBER) as candidate if self.watch is not None:
                    await self.watch.take(candidate)
                case Candidate(side=Side.PUBLISHER) as candidate if self.publication is not None:
                    await self.publication.take(candidate)

    async def _guard(self, peer: RTCPeerConnection) -> None:
        changed = asyncio.Event()
        peer.on("connectionstatechange", changed.set)
        # Media has time from the first description on: until then there is nothing to connect to.
        while peer.connectionState == "new":
            changed.clear()
            await changed.wait()
        try:
            async with asyncio.timeout(CONNECTING):
                while peer.connectionState == "connecting":
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            raise _no_way(self._where) from None
        while peer.connectionState == "connected":
            self.connected = True
            changed.clear()
            await changed.wait()
        if not self.connected:
            raise _no_way(self._where)
        raise RoomError("the media connection was lost", where=self._where)

    @property
    def _where(self) -> str:
        return self.signal.server


def _no_way(server: str) -> RoomError:
    return RoomError(
        "media finds no way to the server",
        where=server,
        do="let UDP through to its ports, or give it a TURN server over TCP or TLS",
    )
