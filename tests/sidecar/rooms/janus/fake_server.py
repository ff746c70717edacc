"""A Janus with one VideoRoom in this process: its WebSocket API, and media by aiortc."""

import asyncio
import contextlib
import itertools
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias

import aiohttp
from aiohttp import web
from aiortc import MediaStreamTrack, RTCDataChannel, RTCPeerConnection, RTCSessionDescription

from sidecar.aio import TaskSet
from sidecar.media.peer_connection import close, peer_connection
from tests.servers.process import LOOPBACK
from tests.sidecar.clients import ColourTrack

Json: TypeAlias = dict[str, Any]
ROOM = 1234
DATA = "plugindata"


@dataclass(eq=False)
class FakePublisher:
    """A participant who publishes."""

    display: str
    codec: str = "vp8"
    broken: bool = False
    """Subscribers get offers that can't be answered."""
    channels: list[RTCDataChannel] = field(default_factory=list)
    """The data channels of the subscribers."""


@dataclass(eq=False)
class FakeHandle:
    """A plugin handle of a session."""

    number: int
    peer: RTCPeerConnection | None = None
    publisher: int | None = None
    """The id of the participant that it is, if it has joined as one."""


@dataclass(eq=False)
class FakeSession:
    """A session and the WebSocket that it is used over."""

    socket: web.WebSocketResponse
    request: web.Request
    handles: dict[int, FakeHandle] = field(default_factory=dict)


class FakeJanusServer:
    """Listens from ``start`` to ``aclose``; other participants are made by its methods."""

    def __init__(self) -> None:
        self.pin = ""
        self.full = False
        """Nothing more can be published."""
        self.hanging = False
        self.reclaim = False
        """Sessions outlive their WebSocket."""
        self.destroyed = False
        self.requests: list[Json] = []
        """All that came."""
        self.participants: dict[int, FakePublisher] = {}
        self.composite_arrived = asyncio.Event()
        self._numbers = itertools.count(1_000_000)
        self._sessions: dict[int, FakeSession] = {}
        self._tasks = TaskSet()
        self._port = 0
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    @property
    def url(self) -> str:
        """Of the room."""
        return f"janus://{LOOPBACK}:{self._port}/{ROOM}"

    async def start(self) -> None:
        """Listen, on the same port as before."""
        app = web.Application()
        app.router.add_get("/", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, LOOPBACK, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def lose(self) -> None:
        """Cut all connections and listen no more; sessions and participants are gone."""
        runner, self._runner = self._runner, None
        self.composite_arrived.clear()
        self.cut()
        for session in list(self._sessions.values()):
            await self._free(session)
        self._sessions.clear()
        self.participants.clear()
        if runner is not None:
            await runner.cleanup()

    def cut(self) -> None:
        """Break all connections; new ones are taken."""
        for session in self._sessions.values():
            if session.request.transport is not None:
                session.request.transport.abort()

    async def aclose(self) -> None:
        await self.lose()
        await self._tasks.aclose()

    def join(self, display: str, codec: str = "vp8") -> int:
        """A participant publishes a camera; return their id."""
        number = next(self._numbers)
        self.participants[number] = FakePublisher(display, codec)
        return number

    def bodies(self, request: str) -> list[Json]:
        """The bodies of the requests of one kind to the plugin."""
        bodies = (sent["body"] for sent in self.requests if sent["janus"] == "message")
        return [body for body in bodies if body["request"] == request]

    async def hang_up(self) -> None:
        """End the connections of all that our clients publish."""
        for session, handle in self._publishers():
            event = {"janus": "hangup", "sender": handle.number, "reason": "DTLS alert"}
            await session.socket.send_json(event)

    async def kick(self) -> None:
        """Put all publishers of our clients out."""
        for session, handle in self._publishers():
            data = {"videoroom": "event", "leaving": "ok", "reason": "kicked"}
            await self._push(session, handle, data)

    async def destroy(self) -> None:
        """End the meeting."""
        self.destroyed = True
        for session, handle in self._publishers():
            await self._push(session, handle, {"videoroom": "destroyed", "room": ROOM})

    def _publishers(self) -> list[tuple[FakeSession, FakeHandle]]:
        return [
            (session, handle)
            for session in self._sessions.values()
            for handle in session.handles.values()
            if handle.publisher is not None
        ]

    async def _push(self, session: FakeSession, handle: FakeHandle, data: Json) -> None:
        event = {"janus": "event", "sender": handle.number, DATA: {"data": data}}
        await session.socket.send_json(event)

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=["janus-protocol"])
        await socket.prepare(request)
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT and not self.hanging:
                self.requests.append(message.json())
                for answer in await self._answer(socket, request, message.json()):
                    with contextlib.suppress(ConnectionError):
                        await socket.send_json(answer)
        for number, session in list(self._sessions.items()):
            if session.socket is socket and not self.reclaim:
                del self._sessions[number]
                await self._free(session)
        return socket

    async def _free(self, session: FakeSession) -> None:
        for handle in session.handles.values():
            await self._detach(handle)
        session.handles.clear()

    async def _detach(self, handle: FakeHandle) -> None:
        self.participants.pop(handle.publisher or 0, None)
        if handle.peer is not None:
            for sender in handle.peer.getSenders():
                if sender.track is not None:
                    sender.track.stop()
            await close(handle.peer)

    async def _answer(
        self, socket: web.WebSocketResponse, http: web.Request, request: Json
    ) -> list[Json]:
        about = {"transaction": request["transaction"]}
        session = self._sessions.get(request.get("session_id", 0))
        match request["janus"]:
            case "info":
                info = {"version": 1102, "data_channels": False}
                return [{"janus": "server_info", **info, **about}]
            case "create":
                number = next(self._numbers)
                self._sessions[number] = FakeSession(socket, http)
                return [{"janus": "success", "data": {"id": number}, **about}]
            case _ if session is None:
                return [{"janus": "error", "error": {"code": 458, "reason": "No session"}, **about}]
            case "claim":
                session.socket, session.request = socket, http
                return [{"janus": "success", **about}]
            case "attach":
                number = next(self._numbers)
                session.handles[number] = FakeHandle(number)
                return [{"janus": "success", "data": {"id": number}, **about}]
            case "detach":
                if (handle := session.handles.pop(request["handle_id"], None)) is not None:
                    await self._detach(handle)
                return [{"janus": "success", **about}]
            case "message":
                handle = session.handles[request["handle_id"]]
                data, jsep = await self._plugin(handle, request)
                event: Json = {"janus": "event", "sender": handle.number, DATA: {"data": data}}
                if jsep:
                    event["jsep"] = jsep
                return [event | about]
            case _:
                return [{"janus": "success", **about}]

    async def _plugin(self, handle: FakeHandle, request: Json) -> tuple[Json, Json]:
        body = request["body"]
        if self.destroyed and body["request"] == "listparticipants":
            return _error(426, "No such room"), {}
        match body:
            case {"request": "listparticipants"}:
                return {"videoroom": "participants", "participants": self._rows()}, {}
            case {"request": "join"} if body.get("pin", "") != self.pin:
                return _error(433 if "pin" in body else 429, "PIN"), {}
            case {"request": "join", "ptype": "subscriber", "streams": [{"feed": feed}]}:
                return await self._subscribe(handle, feed)
            case {"request": "join", "ptype": "publisher", "display": display}:
                handle.publisher = self.join(display)
                return {"videoroom": "joined", "id": handle.publisher, "private_id": 7}, {}
            case {"request": "publish"} if self.full:
                return _error(432, "Maximum number of publishers (1) already reached"), {}
            case {"request": "publish"}:
                return await self._publish(handle, request["jsep"]["sdp"])
            case {"request": "start"} if handle.peer is not None:
                answer = RTCSessionDescription(request["jsep"]["sdp"], "answer")
                await handle.peer.setRemoteDescription(answer)
                return {"videoroom": "event", "started": "ok"}, {}
            case _:
                return {"videoroom": "event", "configured": "ok"}, {}

    def _rows(self) -> list[Json]:
        return [
            {"id": number, "display": each.display, "publisher": True}
            for number, each in self.participants.items()
        ]

    async def _subscribe(self, handle: FakeHandle, feed: int) -> tuple[Json, Json]:
        publisher = self.participants.get(feed)
        if publisher is None:
            return _error(428, "No such feed"), {}
        ours = any(handle.publisher == feed for _, handle in self._publishers())
        handle.peer = peer_connection()
        handle.peer.addTransceiver(ColourTrack(), direction="sendonly")
        handle.peer.createDataChannel("JanusDataChannel")
        handle.peer.on("datachannel", publisher.channels.append)
        await handle.peer.setLocalDescription(await handle.peer.createOffer())
        stream = {"type": "video", "mid": "0", "codec": publisher.codec, "active": True}
        if ours:
            stream["feed_description"] = "reaction-sidecar composite"
        sdp = handle.peer.localDescription.sdp
        if publisher.broken:
            sdp = sdp.replace("a=ice-pwd", "a=ice-")
        jsep = {"type": "offer", "sdp": sdp}
        return {"videoroom": "attached", "streams": [stream]}, jsep

    async def _publish(self, handle: FakeHandle, offer: str) -> tuple[Json, Json]:
        peer = handle.peer = peer_connection()
        peer.on("track", lambda track: self._tasks.create_task(self._receive(track)))
        await peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await peer.setLocalDescription()
        streams = [{"type": "video", "mid": "0", "codec": "vp8"}]
        jsep = {"type": "answer", "sdp": peer.localDescription.sdp}
        return {"videoroom": "event", "configured": "ok", "streams": streams}, jsep

    async def _receive(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(Exception):
            while True:
                await track.recv()
                self.composite_arrived.set()


def _error(code: int, text: str) -> Json:
    return {"videoroom": "event", "error_code": code, "error": text}
