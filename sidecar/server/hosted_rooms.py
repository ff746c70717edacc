"""Hosted rooms of ``sidecar serve``: supervised as any other room, in the API's own process.

Their participants publish and watch at ``/rooms/NAME`` of the same server. The room exists from
``POST /v1/rooms`` with ``room:NAME`` to its ``DELETE``.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final

import aiohttp
import structlog
from aiohttp import web
from aiortc import RTCIceServer

from config.errors import ConfigError, HttpRefusalError, RoomError
from config.settings import ServerSettings
from sidecar.aio import Broadcast, TaskSet
from sidecar.inference.detector import Detector
from sidecar.rooms.base import Adapter, Consent, JoinOptions, Room
from sidecar.rooms.hosted.names import room_name
from sidecar.rooms.hosted.room import HostedRoom, check_sharing
from sidecar.rooms.hosted.sessions import Limits
from sidecar.server.api.tokens import Authenticator
from sidecar.server.camera_routes import Cameras
from sidecar.server.event_stream import EventStreams
from sidecar.server.pages import Pages
from sidecar.server.room_access import RoomAccess
from sidecar.server.room_directory import OpenRoom, PlayedTable
from sidecar.server.sse_routes import Streams
from sidecar.server.whip import Signalling
from sidecar.supervisor.child_room import MAX_REPORTS, ReportQueue
from sidecar.supervisor.control import Begin, ChangeParticipant, Operation, StateReport
from sidecar.supervisor.handle import Report, Usage
from sidecar.supervisor.room_runner import RoomRunner
from sidecar.supervisor.room_tokens import ROOM_TOKEN, is_token, token_digest
from sidecar.supervisor.values import RoomState

SCHEME: Final = "room:"
CALL: Final = 5.0
"""Seconds until an operation must be carried out."""
LEAVE: Final = 5.0
"""Seconds until a room that is to be left must have ended."""
MAKE: Final = "POST /v1/rooms makes one"


def hosted_name(url: str) -> str | None:
    """The NAME of ``room:NAME``, None for any other URL; raises ConfigError for no name."""
    if not url.startswith(SCHEME):
        return None
    try:
        return room_name(url.removeprefix(SCHEME))
    except HttpRefusalError as error:
        raise ConfigError("names no room", where="url", do=error.do) from None


def hosted_limits(wanted: ServerSettings) -> Limits:
    """The limits of one hosted room."""
    return Limits(
        wanted.max_participants,
        wanted.max_viewers,
        wanted.heartbeat_s,
        wanted.max_sessions_per_address,
    )


def hosted_routes(
    rooms: "HostedRooms", pages: Pages, authenticator: Authenticator, streams: EventStreams
) -> list[web.RouteDef]:
    """The routes of the participants: WHIP, WHEP, events and the page, below ``/rooms/NAME``.

    All but the page need the token of the room, or one of ``authenticator``.
    """
    access = RoomAccess(rooms, authenticator)
    parts = (Signalling(rooms), Streams(rooms, streams), Cameras(rooms, streams))
    routes = [*(route for part in parts for route in part.routes()), *pages.legend_routes()]
    return [*map(access.guard, routes), *access.routes(), *pages.page_routes()]


class HostedRooms:
    """Implements ``RoomDirectory`` for the hosted rooms that the supervisor runs with ``handle``.

    A room that is over, or not live yet, has no place in it.
    """

    def __init__(
        self,
        detector: Detector,
        *,
        limits: Limits | None = None,
        ice_servers: Sequence[RTCIceServer] = (),
        share_cameras: bool = False,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """``environ`` has the secrets of the sinks that the settings name."""
        self._detector = detector
        self._limits = limits
        self.ice_servers = tuple(ice_servers)
        self._share_cameras = share_cameras
        self._environ = environ or {}
        self._names: dict[str, bytes | None] = {}
        """The digest of each room's token; None where it has none and all may join."""
        self._rooms: dict[str, OpenRoom] = {}
        self._changed = Broadcast()

    @property
    def first(self) -> str:
        return next(iter(self._rooms), "main")

    def check(self, name: str) -> str:
        if room_name(name) not in self._names:
            raise HttpRefusalError("no such room", status=404, do=MAKE)
        return name

    async def enter(self, name: str, client: str = "") -> OpenRoom:
        return self.find(name)

    def find(self, name: str) -> OpenRoom:
        self.check(name)
        if (found := self._rooms.get(name)) is None:
            raise HttpRefusalError("the room is not live", status=503, do="try again in a moment")
        return found

    def is_open(self, name: str) -> bool:
        return name in self._rooms

    async def opened(self, name: str) -> OpenRoom:
        self.check(name)
        await self._changed.wait_for(lambda: name in self._rooms or name not in self._names)
        return self.find(name)

    def check_sharing(self) -> None:
        check_sharing(self._share_cameras)

    def handle(self) -> "HostedRoomHandle":
        """One life of a room, not started yet."""
        return HostedRoomHandle(self, self._detector, self._environ)

    def reserve(self, name: str, digest: bytes | None = None) -> None:
        """Take the name until ``release``; raises RoomError where another room has it.

        ``digest`` is that of the token that lets clients in; None lets all in.
        """
        if name in self._names:
            do = "leave that room first, or take another name"
            raise RoomError("another room has this name", where=f"{SCHEME}{name}", do=do)
        self._names[name] = digest

    def admits(self, name: str, token: str) -> bool:
        """Whether a client that shows ``token`` (empty: none) may take part."""
        digest = self._names.get(name)
        return digest is None or is_token(token, digest)

    def make_room(self, name: str) -> HostedRoom:
        """A room that is not open yet."""
        return HostedRoom(
            name,
            limits=self._limits,
            ice_servers=self.ice_servers,
            share_cameras=self._share_cameras,
        )

    def open(self, room: OpenRoom) -> None:
        """Clients may join ``room`` from now on."""
        self._rooms[room.room.name] = room
        self._changed.notify()

    def close(self, name: str) -> None:
        """No client may join the room any more."""
        self._rooms.pop(name, None)
        self._changed.notify()

    def release(self, name: str) -> None:
        """The room is over, and another may have its name."""
        self._names.pop(name, None)
        self.close(name)


class HostedRoomHandle:
    """Implements ``RoomHandle`` in this process; ``rooms`` leads its clients to the room."""

    def __init__(self, rooms: HostedRooms, detector: Detector, environ: Mapping[str, str]) -> None:
        self._rooms = rooms
        self._detector = detector
        self._environ = environ
        self._reports = ReportQueue(MAX_REPORTS)
        self._tasks = TaskSet(lambda _: self._reports.end())
        self._running: asyncio.Task[None] | None = None
        self._runner: RoomRunner | None = None
        self._room: HostedRoom | None = None
        self._name = ""

    @property
    def pid(self) -> int | None:
        running = self._running is not None and not self._running.done()
        return os.getpid() if running else None

    async def start(self, begin: Begin) -> None:
        name = hosted_name(begin.request.url)
        assert name is not None, "a hosted room's URL is room:NAME"
        token = begin.secrets.get(ROOM_TOKEN)
        self._rooms.reserve(name, None if token is None else token_digest(token))
        self._name = name
        runner = self._runner = RoomRunner(
            begin, self._detector, self._report, find=self._find, environ=self._environ
        )
        self._running = self._tasks.create_task(self._run(begin, runner), name=f"room {name}")

    async def reports(self) -> AsyncIterator[Report]:
        async for report in self._reports:
            yield report

    async def call(self, operation: Operation) -> Any:
        if self._runner is None or self.pid is None:
            raise RoomError("the room is over", where=f"{SCHEME}{self._name}")
        async with asyncio.timeout(CALL):
            result = await self._runner.call(operation)
        if isinstance(operation, ChangeParticipant) and operation.patch.opted_out is not None:
            # The room too: it shares no camera of a participant who opted out.
            consent = Consent.OPT_OUT if operation.patch.opted_out else Consent.OPT_IN
            if self._room is not None:
                self._room.choose(operation.participant, consent)
        return result

    def usage(self) -> Usage | None:
        """None: it has no process of its own, and its declared cost counts."""
        return None

    async def aclose(self) -> None:
        if self._runner is not None and self._running is not None:
            self._runner.leave()
            await asyncio.wait([self._running], timeout=LEAVE)
        await self._tasks.aclose()
        if self._name:
            self._rooms.release(self._name)
        self._reports.end()

    async def _find(self, url: str) -> Adapter:
        return HostedAdapter(self._make_room)

    def _make_room(self) -> HostedRoom:
        """The room to enter, also in place of one that broke down."""
        self._room = self._rooms.make_room(self._name)
        self._open()
        return self._room

    async def _run(self, begin: Begin, runner: RoomRunner) -> None:
        structlog.contextvars.bind_contextvars(room=begin.room)
        try:
            await runner.run()
        finally:
            self._rooms.close(self._name)
            self._reports.end()

    def _report(self, report: Report) -> None:
        if isinstance(report, StateReport) and report.state is RoomState.LIVE:
            self._open()
        self._reports.put(report)

    def _open(self) -> None:
        """Lead clients to the room, if its session runs."""
        runner = self._runner
        if runner is not None and runner.session is not None and self._room is not None:
            self._rooms.open(OpenRoom(self._room, runner.session, lambda: played_table(runner)))


def played_table(runner: RoomRunner) -> PlayedTable:
    """What a room plays at this moment."""
    return PlayedTable(runner.table, runner.sticker_folders)


class HostedAdapter:
    """Implements ``Adapter`` for one hosted room, made by ``make``."""

    system = "hosted"
    forms: Sequence[str] = ("room:NAME",)

    def __init__(self, make: Callable[[], HostedRoom]) -> None:
        self._make = make

    def recognises(self, url: str) -> bool:
        return url.startswith(SCHEME)

    async def confirms(self, url: str, http: aiohttp.ClientSession) -> bool:
        """There is no server to ask."""
        return self.recognises(url)

    def room(self, url: str, options: JoinOptions) -> Room:
        return self._make()
