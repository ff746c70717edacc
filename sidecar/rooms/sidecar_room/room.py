"""Another sidecar's room, watched from outside: its cameras, or its composite alone."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final, Self

import aiohttp
import structlog
from aiortc import RTCPeerConnection

from config.errors import LostError, ProtocolError, RefusedError
from sidecar.aio import TaskSet, cancel_and_wait
from sidecar.plain_text import clean_text
from sidecar.redaction import shown_url
from sidecar.rooms.base import (
    Consent,
    Joined,
    ReceiverConstraints,
    RoomChange,
    TrackSource,
)
from sidecar.rooms.changes import RoomChanges, failed_room
from sidecar.rooms.http import open_http, unreachable
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
from sidecar.rooms.whip import ReconnectingWhip

log = structlog.get_logger(__name__)

SILENCE: Final = 8.0
"""Seconds without a sign of life, which the server gives every two, after which it is lost."""
OPTED_OUT: Final = "opted out"


@dataclass(slots=True, eq=False)
class _WatchedCamera:
    """One camera of the room, or its composite, watched by a session of its own."""

    name: str
    stream: Stream
    task: asyncio.Task[None]
    problem: str = ""
    """What was reported of ``stream.problem``."""


class SidecarRoom:
    """Implements ``Room``. Where the server's operator doesn't share the cameras, the composite is
    the one participant, and nothing is published: it would show itself."""

    def __init__(
        self, address: SidecarRoomUrl, name: str, options: CallOptions, token: str = ""
    ) -> None:
        self._address = address
        self._token = token
        self._visible_as = name
        self._options = options
        self._participants = ParticipantList()
        self._cameras: dict[str, _WatchedCamera] = {}
        self._changes = RoomChanges()
        self._tasks = TaskSet(self._fail)
        self._life = AsyncExitStack()
        self._http: aiohttp.ClientSession | None = None
        self._news: aiohttp.ClientResponse | None = None
        self._outlet: ReconnectingWhip | None = None

    @property
    def name(self) -> str:
        return self._address.name

    async def __aenter__(self) -> Self:
        """Ask who is there; raises RefusedError where there is no such room, RoomError where the
        server can't be reached."""
        async with AsyncExitStack() as stack:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=SILENCE, sock_read=SILENCE)
            self._http = await stack.enter_async_context(open_http(timeout))
            self._news = await self._ask(self._http, stack)
            # The reader ends before its connection is closed.
            stack.push_async_callback(self._leave_all)
            if self._news is None:
                self._watch(self.name, self._address.composite, self.name)
            else:
                self._tasks.create_task(self._read(self._news), name=f"participants of {self.name}")
            self._life = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._changes.end()
        await self._life.aclose()

    def changes(self) -> AsyncGenerator[RoomChange]:
        return self._changes.follow()

    async def publish(self, composite: TrackSource) -> None:
        """Take part as one more camera, which says that it wants to be left alone."""
        if self._news is None:
            log.warning("composite not published", reason="this server shares no cameras")
            return
        url = self._address.publish(self._visible_as)
        self._outlet = ReconnectingWhip(url, token=self._token, options=self._options)
        await self._life.enter_async_context(self._outlet)
        await self._outlet.publish(composite)

    def constrain(self, participant: str, want: ReceiverConstraints) -> None:
        """A shared camera has one layer."""

    def peers(self) -> Sequence[RTCPeerConnection]:
        """The connections of the cameras that are watched now."""
        peers = (camera.stream.peer for camera in self._cameras.values())
        return [peer for peer in peers if peer is not None]

    async def _ask(
        self, http: aiohttp.ClientSession, stack: AsyncExitStack
    ) -> aiohttp.ClientResponse | None:
        """The stream of who is there; None where we aren't to know."""
        headers = {"Accept": "text/event-stream"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        where = self._address.url
        try:
            news = await stack.enter_async_context(
                http.get(self._address.participants, headers=headers, read_bufsize=MAX_LINE)
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreachable(error, where) from error
        if news.status == 403:
            log.info("cameras not shared, composite watched", room=self.name)
            return None
        if news.status == 401:
            what = "the room refuses this token" if self._token else "the room needs its token"
            raise RefusedError(what, where=where, do="set ROOM_TOKEN")
        if news.status == 404:
            raise RefusedError("there is no such room", where=where, do="check the address")
        if news.status != 200 or news.content_type != "text/event-stream":
            kind = clean_text(news.content_type, 40)
            raise ProtocolError(f"HTTP {news.status}, {kind}", where=where)
        return news

    async def _read(self, news: aiohttp.ClientResponse) -> None:
        """Report the participants as the server names them; raises LostError when it stops."""
        async for line in _lines(news):
            us = "" if self._outlet is None else self._outlet.participant
            for event in self._participants.receive(line, us):
                match event:
                    case ParticipantAdded(person):
                        if person.consent is Consent.OPT_OUT:
                            self._changes.choose(person.participant, person.consent)
                        self._add(person)
                    case ParticipantChanged(person):
                        self._changes.choose(person.participant, person.consent)
                        self._stop_watching(person.participant)
                        self._add(person)
                    case ParticipantRemoved(participant):
                        self._changes.forget(participant, "left")
                        self._stop_watching(participant)
        raise LostError("the server ended the room", where=self._address.url)

    def _add(self, person: ListedParticipant) -> None:
        if person.consent is Consent.OPT_OUT:
            # Their server does not share the camera.
            self._changes.join(Joined(person.participant, person.name, None, OPTED_OUT))
        else:
            url = self._address.camera(person.participant)
            self._watch(person.participant, url, person.name)

    def _watch(self, participant: str, url: str, name: str) -> None:
        assert self._http is not None, "watch while the room is entered"
        stream = Stream(
            self._http,
            endpoint(EndpointKind.WHEP, url, self._token),
            name,
            self._options,
            lambda: self._look(participant, stream),
        )
        # Cancelled by _stop_watching alone: a second time would break off the end of its session.
        task = asyncio.create_task(stream.run(), name=f"stream {name}")
        self._cameras[participant] = _WatchedCamera(name, stream, task)
        self._changes.join(Joined(participant, name, stream.feed))

    def _look(self, participant: str, stream: Stream) -> None:
        """Report what has changed of a stream, if it is still watched."""
        camera = self._cameras.get(participant)
        if camera is None or camera.stream is not stream:
            return
        if stream.problem != camera.problem:
            problem = camera.problem = stream.problem
            feed = None if problem else stream.feed
            self._changes.join(Joined(participant, camera.name, feed, problem))
        if self._news is None and stream.feed.ended:
            self._changes.end(RefusedError(str(stream.failure), where=self._address.url))

    def _stop_watching(self, participant: str) -> None:
        """Stop watching in a task: the end of a session takes a request."""
        if (camera := self._cameras.pop(participant, None)) is not None:
            ending = cancel_and_wait(camera.task)
            self._tasks.create_cleanup(ending, name=f"end of stream {camera.name}")

    def _fail(self, error: Exception) -> None:
        """A task failed: the room is lost."""
        self._changes.end(failed_room(error, self._address.url))

    async def _leave_all(self) -> None:
        for participant in tuple(self._cameras):
            self._stop_watching(participant)
        await self._tasks.aclose()


async def _lines(news: aiohttp.ClientResponse) -> AsyncIterator[str]:
    """The lines of the stream, without their ends; RoomError where it falls silent or breaks."""
    where = shown_url(str(news.url))
    try:
        while line := await news.content.readline():
            yield line.decode(errors="replace").rstrip("\r\n")
    except ValueError as error:
        raise ProtocolError(f"a line has more than {MAX_LINE} bytes", where=where) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise LostError("the connection to the server is lost", where=where) from error
