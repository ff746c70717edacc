"""Servers that do harm by what they send, or by not reading: one a system, on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from aiohttp import web
from livekit.protocol import models, rtc

from sidecar.rooms.base import Adapter, JoinOptions, Room
from sidecar.rooms.galene.adapter import ADAPTER as GALENE
from sidecar.rooms.janus.adapter import ADAPTER as JANUS
from sidecar.rooms.livekit.adapter import ADAPTER as LIVEKIT

Json: TypeAlias = dict[str, Any]
Act: TypeAlias = Callable[[web.WebSocketResponse], Awaitable[None]]
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
DEEP: Final = "[" * 100_000
"""JSON that is nested deeper than any parser goes."""


@asynccontextmanager
async def serving(*routes: tuple[str, str, Handler]) -> AsyncIterator[str]:
    """A server with ``routes`` of a method, a path and a handler; its ``HOST:PORT``."""
    app = web.Application()
    for method, path, handler in routes:
        app.router.add_route(method, path, handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def flood(socket: web.WebSocketResponse) -> None:
    """Send pings without end, and read nothing: not the answers either."""
    while True:
        await socket.ping(b"x" * 125)


async def idle(socket: web.WebSocketResponse) -> None:
    """Send nothing more, and read."""
    async for _ in socket:
        pass


def sending(*messages: str | bytes, then: Act = idle) -> Act:
    """Send ``messages``, as text or binary, and go on with ``then``."""

    async def act(socket: web.WebSocketResponse) -> None:
        for message in messages:
            if isinstance(message, str):
                await socket.send_str(message)
            else:
                await socket.send_bytes(message)
        await then(socket)

    return act


@dataclass
class Endless:
    """Answers 200 and a body that never ends: ``size`` bytes, and again after ``pause`` seconds."""

    size: int = 1 << 16
    pause: float = 0.0
    sent: int = 0
    """Bytes that were taken from it."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        while True:
            await response.write(b"[" * self.size)
            self.sent += self.size
            await asyncio.sleep(self.pause)


def redirecting(location: str, status: int = 307) -> Handler:
    """A redirect to ``location``."""

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": location})

    return handler


def websocket(act: Act) -> Handler:
    """A WebSocket whose handler is ``act``."""

    async def handler(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=("janus-protocol",), autoping=False)
        await socket.prepare(request)
        with suppress(ConnectionError):
            await act(socket)
        return socket

    return handler


@asynccontextmanager
async def livekit(
    act: Act, participants: tuple[models.ParticipantInfo, ...] = ()
) -> AsyncIterator[str]:
    """A LiveKit server that lets us in and goes on with ``act``; the URL of its room."""
    room = models.Room(name="room")
    join = rtc.SignalResponse(join=rtc.JoinResponse(room=room, other_participants=participants))
    behaviour = sending(join.SerializeToString(), then=act)
    async with serving(("GET", "/rtc", websocket(behaviour))) as place:
        yield f"livekit://{place}/room"


@asynccontextmanager
async def janus(
    act: Act, participants: tuple[Json, ...] = (), reason: str = "No such feed"
) -> AsyncIterator[str]:
    """A Janus that lets us in and goes on with ``act``; the room's URL.

    It refuses subscriptions to ``participants``, for ``reason``.
    """

    async def answer(socket: web.WebSocketResponse) -> None:
        asked: list[str] = []
        # The list is asked for again once we are in.
        while asked.count("listparticipants") < 2:
            request = json.loads(await socket.receive_str())
            asked.append(request.get("body", {}).get("request", ""))
            await socket.send_json(janus_answer(request, participants, reason))
        await act(socket)

    async with serving(("GET", "/", websocket(answer))) as place:
        yield f"janus://{place}/1234"


def janus_answer(request: Mapping[str, Any], participants: tuple[Json, ...], reason: str) -> Json:
    """What a Janus with one room answers."""
    answer: Json = {"janus": "success", "transaction": request["transaction"]}
    match request["janus"]:
        case "info":
            return answer | {"janus": "server_info", "version": 1102}
        case "message" if request["body"]["request"] == "join":
            data = {"videoroom": "event", "error_code": 499, "error": reason}
            return answer | {"sender": 2, "plugindata": {"data": data}}
        case "message":
            listed = {"videoroom": "participants", "participants": participants}
            return answer | {"sender": 2, "plugindata": {"data": listed}}
    return answer | {"data": {"id": 1 if request["janus"] == "create" else 2}}


@asynccontextmanager
async def galene(act: Act) -> AsyncIterator[str]:
    """A Galène that lets us in and goes on with ``act``; the group's URL."""
    joined = {"type": "joined", "kind": "join", "permissions": ["present", "message"]}
    shaken = {"type": "handshake", "version": ["2"]}
    behaviour = sending(json.dumps(shaken), json.dumps(joined), then=act)

    async def status(request: web.Request) -> web.StreamResponse:
        return web.json_response({"name": "room", "endpoint": f"ws://{request.host}/ws"})

    routes = (("GET", "/group/room/.status", status), ("GET", "/ws", websocket(behaviour)))
    async with serving(*routes) as place:
        yield f"http://{place}/group/room/"


Server: TypeAlias = Callable[[Act], AbstractAsyncContextManager[str]]
SYSTEMS: Final[Mapping[str, tuple[Adapter, Server]]] = {
    "livekit": (LIVEKIT, livekit),
    "janus": (JANUS, janus),
    "galene": (GALENE, galene),
}
"""The adapters that speak by WebSocket, and their servers."""
ENVIRON: Final = {"LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "s" * 32}


def room_at(adapter: Adapter, url: str, **environ: str) -> Room:
    """The room of ``adapter`` at ``url``."""
    return adapter.room(url, JoinOptions("Reactions", environ={**ENVIRON, **environ}))
