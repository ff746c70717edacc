"""Another client in the room: an independent Janus client over a WebSocket, with aiortc's media."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import aiohttp
from aiortc import (
    MediaStreamTrack,
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import AudioStreamTrack

from sidecar.media.peer_connection import closing, peer_connection

Json: TypeAlias = dict[str, Any]


class JanusClient:
    """One session; messages of the server that answer no request are kept in ``events``."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, **signature: str) -> None:
        self._socket = socket
        self._signature = signature
        self._numbers = itertools.count()
        self._answers: dict[str, asyncio.Future[Json]] = {}
        self.session = 0
        self.events: list[Json] = []

    async def listen(self) -> None:
        """Take what comes, for as long as the connection lasts."""
        async for message in self._socket:
            said = message.json()
            waiting = self._answers.get(said.get("transaction", ""))
            if said["janus"] == "ack":
                continue
            if waiting is not None and not waiting.done():
                waiting.set_result(said)
            else:
                self.events.append(said)

    async def stay(self) -> None:
        """Keep the session alive, which Janus ends after a minute of silence."""
        while True:
            await asyncio.sleep(20)
            keepalive = {"janus": "keepalive", "session_id": self.session, "transaction": "stay"}
            await self._socket.send_json({**keepalive, **self._signature})

    async def ask(self, kind: str, **fields: object) -> Json:
        """Make a request; its answer."""
        transaction = f"client-{next(self._numbers)}"
        answer = self._answers[transaction] = asyncio.get_running_loop().create_future()
        request: Json = {"janus": kind, "transaction": transaction, **fields, **self._signature}
        if self.session:
            request["session_id"] = self.session
        await self._socket.send_json(request)
        async with asyncio.timeout(20):
            said: Json = await answer
            return said

    async def release(self, kind: str, **fields: object) -> None:
        """Free a session or handle of a server that may be dead."""
        if not self._socket.closed:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                await self.ask(kind, **fields)

    async def attach(self) -> int:
        """A new handle of the VideoRoom plugin."""
        said = await self.ask("attach", plugin="janus.plugin.videoroom")
        return int(said["data"]["id"])

    async def say(
        self, handle: int, request: str, *, jsep: Json | None = None, **body: Any
    ) -> Json:
        """Make a request of the plugin; what it says, with the description it brings as jsep."""
        fields: Json = {"handle_id": handle, "body": {"request": request, **body}}
        if jsep is not None:
            fields["jsep"] = jsep
        said = await self.ask("message", **fields)
        answer: Json = dict(said.get("plugindata", {}).get("data", {}))
        if "jsep" in said:
            answer["jsep"] = said["jsep"]
        return answer

    async def create(self, room: int | str, **settings: Any) -> None:
        """Make a room that lasts until the server ends."""
        answer = await self.say(await self.attach(), "create", room=room, **settings)
        assert answer["videoroom"] == "created", answer

    async def people(self, room: int | str) -> list[Json]:
        """All participants that the server lists in the room."""
        answer = await self.say(await self.attach(), "listparticipants", room=room)
        return list(answer["participants"])

    def plugin_events(self) -> list[Json]:
        """The plugin's events that answer no request."""
        return [said["plugindata"]["data"] for said in self.events if "plugindata" in said]


@dataclass(eq=False)
class Camera:
    """A published camera."""

    handle: int
    id: int | str
    peer: RTCPeerConnection
    channel: RTCDataChannel | None


@asynccontextmanager
async def client(port: int, **signature: str) -> AsyncIterator[JanusClient]:
    """A session of its own, destroyed on the way out; ``signature`` goes with every request."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        socket = await stack.enter_async_context(
            http.ws_connect(f"ws://127.0.0.1:{port}/", protocols=["janus-protocol"])
        )
        someone = JanusClient(socket, **signature)
        tasks = [asyncio.create_task(someone.listen())]
        try:
            someone.session = (await someone.ask("create"))["data"]["id"]
            tasks.append(asyncio.create_task(someone.stay()))
            yield someone
            await someone.release("destroy")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def camera(
    someone: JanusClient,
    room: int | str,
    display: str,
    track: MediaStreamTrack,
    *,
    pin: str | None = None,
    codec: str | None = None,
    alias: str = "",
    sound: bool = False,
    data: bool = False,
) -> AsyncIterator[Camera]:
    """Publish ``track`` until left, alone or with sound and a data channel.

    ``alias`` is what its codec is called in our description, which Janus believes.
    """
    extra: Json = {} if pin is None else {"pin": pin}
    handle = await someone.attach()
    said = await someone.say(handle, "join", ptype="publisher", room=room, display=display, **extra)
    assert said["videoroom"] == "joined", said
    async with closing(peer_connection()) as peer:
        transceiver = peer.addTransceiver(track, direction="sendonly")
        if codec is not None:
            codecs = RTCRtpSender.getCapabilities("video").codecs
            transceiver.setCodecPreferences([each for each in codecs if each.name == codec])
        if sound:
            peer.addTransceiver(AudioStreamTrack(), direction="sendonly")
        channel = peer.createDataChannel("JanusDataChannel") if data else None
        await publish(someone, handle, peer, alias)
        try:
            yield Camera(handle, said["id"], peer, channel)
        finally:
            track.stop()
            await someone.release("detach", handle_id=handle)


async def publish(
    someone: JanusClient,
    handle: int,
    peer: RTCPeerConnection,
    alias: str = "",
) -> None:
    """Publish what ``peer`` sends over a handle that has joined."""
    await peer.setLocalDescription(await peer.createOffer())
    sdp = peer.localDescription.sdp.replace("VP8/90000", f"{alias or 'VP8'}/90000")
    jsep = {"type": "offer", "sdp": sdp, "trickle": False}
    said = await someone.say(handle, "publish", jsep=jsep)
    assert "jsep" in said, said
    answer = said["jsep"]["sdp"].replace(f"{alias or 'VP8'}/90000", "VP8/90000")
    await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))


@asynccontextmanager
async def watching(
    someone: JanusClient,
    room: int | str,
    feed: int | str,
    *,
    texts: list[str] | None = None,
    **extra: Any,
) -> AsyncIterator[MediaStreamTrack]:
    """Receive a participant's camera; messages of their data channel go to ``texts``."""
    handle = await someone.attach()
    said = await someone.say(
        handle, "join", ptype="subscriber", room=room, streams=[{"feed": feed}], **extra
    )
    tracks: list[MediaStreamTrack] = []
    async with closing(peer_connection()) as peer:
        peer.on("track", tracks.append)
        heard = [] if texts is None else texts
        peer.on("datachannel", lambda channel: channel.on("message", heard.append))
        await peer.setRemoteDescription(RTCSessionDescription(said["jsep"]["sdp"], "offer"))
        if peer.sctp is not None:
            peer.createDataChannel("JanusDataChannel").on("message", heard.append)
        await peer.setLocalDescription()
        jsep = {"type": "answer", "sdp": peer.localDescription.sdp, "trickle": False}
        await someone.say(handle, "start", jsep=jsep)
        yield next(track for track in tracks if track.kind == "video")
        await someone.release("detach", handle_id=handle)
