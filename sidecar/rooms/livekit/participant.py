"""One of our participants in a LiveKit room: its signalling, and the connections it leads to."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import structlog
from aiortc import RTCIceCandidate, RTCIceServer, RTCPeerConnection

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

log = structlog.get_logger(__name__)

CONNECTING: Final = 12.0
"""Seconds for media to find its way; the server itself waits for 15, and knows less of why."""
MAX_WAITING: Final = 256
"""Descriptions and candidates that wait for those before them."""


Waiting = TypeVar("Waiting")


class _Over(Exception):  # noqa: N818
    """Ends a participant's tasks: the meeting is over."""


class Participant:
    """Takes part while ``run`` runs; ``tell`` gets the events that concern the room."""

    def __init__(self, signal: Signal, tell: Callable[[Event], None]) -> None:
        self.signal = signal
        self.ice_servers: Sequence[RTCIceServer] = ()
        self.watch: Watch | None = None
        self.publication: Publication | None = None
        self._tell = tell
        self._descriptions: asyncio.Queue[Offered | Answered] = asyncio.Queue(MAX_WAITING)
        self._candidates: asyncio.Queue[Candidate] = asyncio.Queue(MAX_WAITING)
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
                group.create_task(self._collect(), name="LiveKit candidates")
                for part in (self.watch, self.publication):
                    if part is not None:
                        group.create_task(self._guard(part), name="LiveKit media")
                await self._follow()
                raise _Over
        except ExceptionGroup as failures:
            # The group's others are what followed from it; it keeps its own cause.
            first = failures.exceptions[0]
            if not isinstance(first, _Over):
                if self.publication is not None:
                    self.publication.fail(first)
                raise first from first.__cause__
        finally:
            self._group = None

    def publish(self, publication: Publication) -> None:
        """Take ``publication`` as ours."""
        self.publication = publication
        if self._group is not None:
            self._group.create_task(self._guard(publication), name="LiveKit media")

    async def close(self) -> None:
        """Say goodbye and free everything."""
        parts = [part.close() for part in (self.publication, self.watch) if part is not None]
        await asyncio.gather(self.signal.close(), *parts)

    async def _follow(self) -> None:
        async for event in self.signal.events():
            match event:
                case Offered() | Answered():
                    self._queue(event, self._descriptions)
                case Candidate():
                    self._queue(event, self._candidates)
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

    def _queue(self, event: Waiting, queue: asyncio.Queue[Waiting]) -> None:
        if queue.full():
            raise RoomError("the server negotiates without end", where=self._where)
        queue.put_nowait(event)

    async def _negotiate(self) -> None:
        """Take descriptions in one after another, as aiortc needs it."""
        while True:
            match await self._descriptions.get():
                case Offered() as offered if self.watch is not None:
                    await self.watch.offered(offered)
                case Answered() as answered if self.publication is not None:
                    await self.publication.answered(answered)

    async def _collect(self) -> None:
        """Take candidates in, each after the first description that it belongs to."""
        while True:
            candidate = await self._candidates.get()
            subscriber = candidate.side is Side.SUBSCRIBER
            part = self.watch if subscriber else self.publication
            if part is not None:
                await part.begun.wait()
                await _add(part.peer, candidate.candidate)

    async def _guard(self, part: Watch | Publication) -> None:
        peer = part.peer
        changed = asyncio.Event()
        peer.on("connectionstatechange", changed.set)
        await part.begun.wait()
        try:
            async with asyncio.timeout(CONNECTING):
                while peer.connectionState in ("new", "connecting"):
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            raise _no_way(self._where) from None
        connected = peer.connectionState == "connected"
        while peer.connectionState == "connected":
            changed.clear()
            await changed.wait()
        if not connected:
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


async def _add(peer: RTCPeerConnection, candidate: RTCIceCandidate) -> None:
    """Let ``peer`` know one more way to the server."""
    try:
        await peer.addIceCandidate(candidate)
    except Exception as error:
        # Whatever aiortc or the system finds wrong with an address: others may do.
        log.debug("candidate ignored", reason=repr(error))
