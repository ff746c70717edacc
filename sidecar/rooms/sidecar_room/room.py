"""Another sidecar's room, watched from outside: its cameras, or its composite alone."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Final, Self

import aiohttp
import structlog
from aiortc import RTCPeerConnection

from config.errors import LostError, ProtocolError, RefusedError, RoomError
from sidecar.aio import TaskSet, cancel_and_wait
from sidecar.media.feed import Feed
from sidecar.rooms.base import (
    Consent,
    ConsentChanged,
    Joined,
    Left,
    ReceiverConstraints,
    RoomChange,
    TrackSource,
)
from sidecar.rooms.sidecar_room.address import SidecarRoomUrl
from sidecar.rooms.sidecar_room.protocol import (
    MAX_LINE,
    ListedParticipant,
    ParticipantAdded,
    ParticipantChanged,
    ParticipantList,
    ParticipantRemoved,
)
from sidecar.rooms.whep.client.endpoint import EndpointKind, endpoint
from sidecar.rooms.whep.client.session import CallOptions
from sidecar.rooms.whep.stream import Stream
from sidecar.rooms.whip import WhipOutlet

log = structlog.get_logger(__name__)

SILENCE: Final = 8.0
"""Seconds without a sign of life, which the server gives every two, after which it is lost."""
OPTED_OUT: Final = "opted out"


class _WatchedCamera:
    """One camera of the room, watched on its own."""

    def __init__(self, http: aiohttp.ClientSession, url: str, name: str, how: CallOptions) -> None:
        self.name = name
        self.stream = Stream(http, endpoint(EndpointKind.WHEP, url), name, how)
        self.feed = self.stream.feed
        self._task: asyncio.Task[None] | None = None

    async def enter(self) -> None:
        self._task = asyncio.create_task(self.stream.run(), name=f"stream {self.name}")

    async def leave(self) -> None:
        if self._task is not None:
            await cancel_and_wait(self._task)


class SidecarRoom:
    """Implements ``Room``. Where the server's operator doesn't share the cameras, the composite is
    the one participant, and nothing is published: it would show itself."""

    def __init__(self, address: SidecarRoomUrl, name: str, options: CallOptions) -> None:
        self._address = address
        self._visible_as = name
        self._options = options
        self._roster = ParticipantList()
        self._cameras: dict[str, _WatchedCamera] = {}
        self._tasks = TaskSet()
        self._life = AsyncExitStack()
        self._http: aiohttp.ClientSession | None = None
        self._news: aiohttp.ClientResponse | None = None
        self._outlet: WhipOutlet | None = None

    @property
    def name(self) -> str:
        return self._address.name

    async def __aenter__(self) -> Self:
        """Ask who is there; raises RefusedError where there is no such room, RoomError where the
        server can't be reached."""
        async with AsyncExitStack() as stack:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=SILENCE, sock_read=SILENCE)
            self._http = await stack.enter_async_context(aiohttp.ClientSession(timeout=timeout))
            stack.push_async_callback(self._close_cameras)
            self._news = await self._ask(self._http, stack)
            if self._news is None:
                await self._add_camera(self.name, self._address.composite, self.name)
            self._life = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._life.aclose()

    async def changes(self) -> AsyncGenerator[RoomChange]:
        if self._news is None:
            (camera,) = self._cameras.values()
            yield Joined(self.name, self.name, camera.feed)
            await camera.stream.over.wait()
            raise RefusedError(str(camera.stream.failure), where=self._address.url)
        async for line in _lines(self._news):
            us = "" if self._outlet is None else self._outlet.participant
            for event in self._roster.receive(line, us):
                match event:
                    case ParticipantAdded(person):
                        if person.consent is Consent.OPT_OUT:
                            yield ConsentChanged(person.participant, person.consent)
                        yield await self._welcome(person)
                    case ParticipantChanged(person):
                        self._part(person.participant)
                        yield ConsentChanged(person.participant, person.consent)
                        yield await self._welcome(person)
                    case ParticipantRemoved(participant):
                        self._part(participant)
                        yield Left(participant, "left")
        raise LostError("the server ended the room", where=self._address.url)

    async def publish(self, composite: TrackSource) -> None:
        """Take part as one more camera, which says that it wants to be left alone."""
        if self._news is None:
            log.warning("the composite isn't published: this server shares no cameras")
            return
        url = self._address.publish(self._visible_as)
        self._outlet = WhipOutlet(url, options=self._options)
        await self._life.enter_async_context(self._outlet)
        await self._outlet.publish(composite)

    def constrain(self, participant: str, want: ReceiverConstraints) -> None:
        """A shared camera has one layer."""

    def peers(self) -> Sequence[RTCPeerConnection]:
        """The connections of the cameras that are watched now."""
        streams = (camera.stream for camera in self._cameras.values())
        return [stream.peer for stream in streams if stream.peer is not None]

    async def _ask(
        self, http: aiohttp.ClientSession, stack: AsyncExitStack
    ) -> aiohttp.ClientResponse | None:
        """The stream of who is there; None where we aren't to know."""
        headers = {"Accept": "text/event-stream"}
        where = self._address.url
        try:
            news = await stack.enter_async_context(
                http.get(self._address.participants, headers=headers, read_bufsize=MAX_LINE)
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            what = f"can't be reached: {type(error).__name__}"
            raise RoomError(what, where=where, do="check the address") from error
        if news.status == 403:
            log.info("this room shares its composite alone", room=self.name)
            return None
        if news.status == 404:
            raise RefusedError("there is no such room", where=where, do="check the address")
        if news.status != 200 or news.content_type != "text/event-stream":
            raise ProtocolError(f"HTTP {news.status}, {news.content_type}", where=where)
        return news

    async def _welcome(self, person: ListedParticipant) -> Joined:
        if person.consent is Consent.OPT_OUT:
            # Their server does not share the camera.
            return Joined(person.participant, person.name, None, OPTED_OUT)
        url = self._address.camera(person.participant)
        feed = await self._add_camera(person.participant, url, person.name)
        return Joined(person.participant, person.name, feed)

    async def _add_camera(self, participant: str, url: str, name: str) -> Feed:
        assert self._http is not None
        camera = self._cameras[participant] = _WatchedCamera(self._http, url, name, self._options)
        await camera.enter()
        return camera.feed

    def _part(self, participant: str) -> None:
        """Stop watching in a task of its own: closing a WHEP session takes a request."""
        if (camera := self._cameras.pop(participant, None)) is not None:
            self._tasks.create_cleanup(camera.leave(), name=f"leaving {participant}")

    async def _close_cameras(self) -> None:
        for participant in tuple(self._cameras):
            self._part(participant)
        await self._tasks.aclose()


async def _lines(news: aiohttp.ClientResponse) -> AsyncIterator[str]:
    """The lines of the stream, without their ends; RoomError where it falls silent or breaks."""
    where = str(news.url.with_query(None))

    try:
        while line := await news.content.readline():
            yield line.decode(errors="replace").rstrip("\r\n")
    except ValueError as error:
        raise ProtocolError(f"a line has more than {MAX_LINE} bytes", where=where) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise LostError("the connection to the server is lost", where=where) from error
