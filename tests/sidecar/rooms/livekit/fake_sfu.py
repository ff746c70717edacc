"""A LiveKit server with one room in this process: its signalling, and media by aiortc."""

import asyncio
import contextlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Self

import jwt
from aiohttp import WSMsgType, web
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCRtpTransceiver, RTCSessionDescription
from livekit.protocol import models, rtc

from sidecar.aio import TaskSet
from sidecar.media.peer_connection import close, peer_connection
from tests.servers.livekit import SECRET
from tests.servers.process import LOOPBACK
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.rooms.livekit.fake import say

ROOM: Final = "room"


@dataclass(eq=False)
class FakeClient:
    """A participant of our own, by its WebSocket."""

    info: models.ParticipantInfo
    socket: web.WebSocketResponse
    hidden: bool
    subscriber: RTCPeerConnection = field(default_factory=peer_connection)
    publisher: RTCPeerConnection = field(default_factory=peer_connection)
    sections: dict[str, RTCRtpTransceiver] = field(default_factory=dict)
    """The transceiver of each track that is subscribed to."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    async def aclose(self) -> None:
        for sender in self.subscriber.getSenders():
            if sender.track is not None:
                sender.track.stop()
        await asyncio.gather(close(self.subscriber), close(self.publisher))


class FakeLiveKit:
    """Listens from ``start`` to ``aclose``; other participants are made by its methods."""

    def __init__(self) -> None:
        self.secret = SECRET
        self.hanging = False
        self.composite_arrived = asyncio.Event()
        self._participants: dict[str, models.ParticipantInfo] = {}
        self._clients: list[FakeClient] = []
        self._numbers = itertools.count(1)
        self._tasks = TaskSet()
        self._port = 0
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.lose()
        await self._tasks.aclose()

    @property
    def url(self) -> str:
        """Of the room."""
        return f"ws://{LOOPBACK}:{self._port}#{ROOM}"

    async def start(self) -> None:
        """Listen, on the same port as before."""
        app = web.Application()
        app.router.add_get("/rtc", self._serve)
        app.router.add_get("/rtc/validate", self._validate)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, LOOPBACK, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def lose(self) -> None:
        """Cut all connections and listen no more; participants are gone."""
        runner, self._runner = self._runner, None
        self.composite_arrived.clear()
        clients, self._clients = self._clients, []
        self._participants.clear()
        for client in clients:
            if client.socket._req is not None and client.socket._req.transport is not None:
                client.socket._req.transport.abort()
            await client.aclose()
        if runner is not None:
            await runner.cleanup()

    async def join(self, name: str, mime: str = "video/VP8") -> str:
        """A participant joins with a camera; return their identity."""
        identity, number = name.lower(), next(self._numbers)
        camera = models.TrackInfo(
            sid=f"TR_{number}",
            type=models.TrackType.VIDEO,
            source=models.TrackSource.CAMERA,
            mime_type=mime,
        )
        self._participants[identity] = models.ParticipantInfo(
            sid=f"PA_{number}", identity=identity, name=name, tracks=[camera]
        )
        await self._announce(self._participants[identity])
        return identity

    async def leave(self, identity: str) -> None:
        """A participant leaves."""
        info = self._participants.pop(identity)
        info.state = models.ParticipantInfo.DISCONNECTED
        await self._announce(info)
        for client in self._clients:
            await self._subscribe(client, [info.tracks[0].sid], wanted=False)

    async def choose(self, identity: str, choice: str) -> None:
        """A participant sets their attribute ``reactions``."""
        info = self._participants[identity]
        info.version += 1
        info.attributes["reactions"] = choice
        await self._announce(info)

    async def put_out(self, reason: models.DisconnectReason) -> None:
        """Let all of our participants go."""
        for client in self._clients:
            leave = rtc.LeaveRequest(reason=reason)
            await say(client.socket, rtc.SignalResponse(leave=leave))

    async def _announce(self, info: models.ParticipantInfo) -> None:
        update = rtc.SignalResponse(update=rtc.ParticipantUpdate(participants=[info]))
        for client in self._clients:
            await say(client.socket, update)

    async def _validate(self, request: web.Request) -> web.Response:
        return web.Response(status=401, text="invalid token: no permission")

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        try:
            claims = jwt.decode(token, self.secret, algorithms=["HS256"])
        except jwt.InvalidTokenError:
            return web.Response(status=401)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        info = models.ParticipantInfo(
            sid=f"PA_{next(self._numbers)}", identity=claims["sub"], name=claims.get("name", "")
        )
        client = FakeClient(info, socket, claims["video"].get("hidden", False))
        others = [*self._participants.values(), *self._visible()]
        join = rtc.JoinResponse(
            room=models.Room(name=ROOM), participant=info, other_participants=others
        )
        await say(socket, rtc.SignalResponse(join=join))
        self._clients.append(client)
        async for message in socket:
            if message.type is WSMsgType.BINARY and not self.hanging:
                request_ = rtc.SignalRequest.FromString(message.data)
                self._tasks.create_task(self._react(client, request_))
        if client in self._clients:
            self._clients.remove(client)
            await client.aclose()
        return socket

    def _visible(self) -> list[models.ParticipantInfo]:
        return [client.info for client in self._clients if not client.hidden]

    async def _react(self, client: FakeClient, request: rtc.SignalRequest) -> None:
        match request.WhichOneof("message"):
            case "subscription":
                wanted = request.subscription
                await self._subscribe(client, wanted.track_sids, wanted=wanted.subscribe)
            case "answer":
                answer = RTCSessionDescription(request.answer.sdp, "answer")
                await client.subscriber.setRemoteDescription(answer)
                client.answered.set()
            case "add_track":
                await self._add_track(client, request.add_track)
            case "offer":
                await self._take(client, request.offer.sdp)
            case "ping_req":
                pong = rtc.Pong(last_ping_timestamp=request.ping_req.timestamp)
                await say(client.socket, rtc.SignalResponse(pong_resp=pong))

    async def _subscribe(self, client: FakeClient, tracks: Sequence[str], *, wanted: bool) -> None:
        async with client.turn:
            for sid in tracks:
                if wanted and sid not in client.sections:
                    track = ColourTrack()
                    track._id = sid
                    client.sections[sid] = client.subscriber.addTransceiver(track, "sendonly")
                elif not wanted and (section := client.sections.pop(sid, None)) is not None:
                    if section.sender.track is not None:
                        section.sender.track.stop()
                    section.sender.replaceTrack(None)
                    section.direction = "inactive"
            # aiortc never starts a sender that is negotiated during the DTLS handshake.
            await eventually(lambda: client.subscriber.connectionState != "connecting")
            if client.subscriber.connectionState in ("closed", "failed"):
                return
            await client.subscriber.setLocalDescription(await client.subscriber.createOffer())
            client.answered.clear()
            sdp = client.subscriber.localDescription.sdp
            offer = rtc.SessionDescription(type="offer", sdp=sdp, id=next(self._numbers))
            with contextlib.suppress(ConnectionError):
                await say(client.socket, rtc.SignalResponse(offer=offer))
                await client.answered.wait()

    async def _add_track(self, client: FakeClient, request: rtc.AddTrackRequest) -> None:
        track = models.TrackInfo(
            sid=f"TR_{next(self._numbers)}",
            name=request.name,
            type=request.type,
            source=request.source,
        )
        client.info.tracks.append(track)
        client.info.version += 1
        published = rtc.TrackPublishedResponse(cid=request.cid, track=track)
        await say(client.socket, rtc.SignalResponse(track_published=published))
        await self._announce(client.info)

    async def _take(self, client: FakeClient, sdp: str) -> None:
        peer = client.publisher
        peer.on("track", lambda track: self._tasks.create_task(self._receive(track)))
        await peer.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        await peer.setLocalDescription()
        answer = rtc.SessionDescription(type="answer", sdp=peer.localDescription.sdp)
        await say(client.socket, rtc.SignalResponse(answer=answer))

    async def _receive(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(Exception):
            while True:
                await track.recv()
                self.composite_arrived.set()
