"""A server over rooms whose session shows a grey picture and reports who joins and leaves."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import av
import numpy as np
import pytest
from aiohttp import web
from aiortc import RTCIceServer

from config.reaction_rule import ReactionRule
from sidecar.media.encoder import Encoder
from sidecar.rooms.base import Consent, ConsentChanged, Joined, Left
from sidecar.rooms.hosted.room import HostedRoom
from sidecar.rooms.hosted.sessions import Limits
from sidecar.server.app import create_app
from sidecar.server.camera_routes import Cameras
from sidecar.server.connections import ConnectionLimits
from sidecar.server.event_stream import EventStreams
from sidecar.server.listener import SHUTDOWN, HttpListener
from sidecar.server.pages import Pages
from sidecar.server.sse_routes import Streams
from sidecar.server.whip import Signalling
from sidecar.session.events import EventBus, ParticipantJoined, ParticipantLeft
from sidecar.session.stats import SessionStats
from tests.sidecar.server.grey_rooms import GreyRooms

GREY = 200


class GreyMeeting:
    """A session without detection: the simplest that a server can serve."""

    def __init__(self, room: HostedRoom, *, publishes: bool = True, listeners: int = 3) -> None:
        self.room = room
        self.publishes = publishes
        self.events = EventBus(listeners=listeners)
        self.present: dict[str, Joined] = {}
        self.consents: dict[str, Consent] = {}
        self.frames_out = 0
        self.over = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["GreyMeeting"]:
        encoder = Encoder(160, 90)
        async with AsyncExitStack() as stack:
            stack.callback(self.events.close)
            await stack.enter_async_context(self.room)
            stack.callback(encoder.close)
            if self.publishes:
                await self.room.publish(encoder)
            tasks = asyncio.create_task(self.attend()), asyncio.create_task(self.draw(encoder))
            try:
                yield self
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def ended(self) -> None:
        await self.over.wait()

    async def attend(self) -> None:
        names: dict[str, str] = {}
        async for change in self.room.changes():
            match change:
                case Joined(participant, name):
                    self.present[participant] = change
                    names[participant] = name
                    self.events.publish(ParticipantJoined(0.0, participant, name))
                case Left(participant, reason):
                    del self.present[participant]
                    self.events.publish(
                        ParticipantLeft(1.0, participant, names[participant], reason)
                    )
                case ConsentChanged(participant, consent):
                    self.consents[participant] = consent

    async def draw(self, encoder: Encoder) -> None:
        while True:
            await asyncio.sleep(0.04)
            picture = np.full((135, 160), GREY, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            encoder.publish(encoder.encode(frame, self.frames_out))
            self.frames_out += 1

    def stats(self) -> SessionStats:
        return SessionStats(self.room.name, 0.0, self.frames_out, 0, 0, 0, ())


def grey_routes(rooms: GreyRooms, streams: EventStreams | None = None) -> list[web.RouteDef]:
    """The routes of participants, and one that says that the server lives."""

    async def live(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    streams = streams or EventStreams()
    parts = (Signalling(rooms), Streams(rooms, streams), Cameras(rooms, streams))
    return [web.get("/livez", live), *(route for part in parts for route in part.routes())]


def grey_server(host: str = "127.0.0.1", port: int = 0, **options: Any) -> HttpListener:
    """A server of grey rooms, with ``options`` of ``HttpListener``."""
    rooms = GreyRooms(lambda room: GreyMeeting(room).running())
    return HttpListener(create_app(grey_routes(rooms)), host, port, inner=rooms, **options)


class RunningServer:
    """A running server with the meetings that it opened."""

    def __init__(
        self, server: HttpListener, rooms: GreyRooms, meetings: dict[str, GreyMeeting]
    ) -> None:
        self.server = server
        self.rooms = rooms
        self.meetings = meetings

    def url(self, path: str) -> str:
        return self.server.url(path)


@asynccontextmanager
async def running_server(
    *,
    fixed: tuple[str, ...] = (),
    limits: Limits | None = None,
    origins: tuple[str, ...] = (),
    ice_servers: tuple[RTCIceServer, ...] = (),
    table: Mapping[str, ReactionRule] | None = None,
    folders: Sequence[Path] = (),
    port: int = 0,
    publishes: bool = True,
    share_cameras: bool = False,
    host: str = "",
    streams: EventStreams | None = None,
    connections: ConnectionLimits | None = None,
    proxies: tuple[str, ...] = (),
    body_timeout: float = 30.0,
    listeners: int = 3,
    shutdown: float = SHUTDOWN,
) -> AsyncIterator[RunningServer]:
    """Serve on ``port`` of this machine (0: any free one); with the page if there is a table."""
    meetings: dict[str, GreyMeeting] = {}

    def open_meeting(room: HostedRoom) -> AbstractAsyncContextManager[GreyMeeting]:
        meetings[room.name] = GreyMeeting(room, publishes=publishes, listeners=listeners)
        return meetings[room.name].running()

    rooms = GreyRooms(
        open_meeting,
        fixed=fixed,
        limits=limits,
        ice_servers=ice_servers,
        share_cameras=share_cameras,
    )
    pages = Pages(rooms, table, folders).routes() if table else []
    app = create_app(
        [*grey_routes(rooms, streams), *pages],
        host=host,
        origins=origins,
        proxies=proxies,
        body_timeout=body_timeout,
    )
    async with HttpListener(
        app, "127.0.0.1", port, inner=rooms, shutdown=shutdown, limits=connections
    ) as server:
        yield RunningServer(server, rooms, meetings)


@pytest.fixture
async def running() -> AsyncIterator[RunningServer]:
    async with running_server() as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as http:
        yield http
