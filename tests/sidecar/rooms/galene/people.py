"""Other participants of a group: real peers with an implementation of the protocol of their own."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import av
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from aiortc.sdp import candidate_from_sdp

from sidecar.media.peer_connection import close, peer_connection
from tests.sidecar.clients import eventually


class NotLetInError(Exception):
    """The server refused a person."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        super().__init__(answer)
        self.answer = answer


class Watched:
    """A stream that a person watches, with its newest picture."""

    def __init__(self, offer: Mapping[str, Any]) -> None:
        self.source: str = offer["source"]
        self.username: str = offer.get("username", "")
        self.label: str = offer.get("label", "")
        self.peer = peer_connection()
        self.frames = 0
        self.picture: av.VideoFrame | None = None
        self.task: asyncio.Task[None] | None = None
        self.peer.on("track", self._begin)

    def _begin(self, track: MediaStreamTrack) -> None:
        self.task = asyncio.create_task(self._watch(track))

    async def _watch(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.VideoFrame)
                self.picture = frame
                self.frames += 1
        except MediaStreamError:
            pass

    async def close(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        await close(self.peer)


class Person:
    """One client of a group: what it received, and what it shows and watches."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, client: str, name: str) -> None:
        self.id = client
        self.name = name
        self.received: list[dict[str, Any]] = []
        self.users: dict[str, str] = {}
        self.watched: dict[str, Watched] = {}
        self._socket = socket
        self._shown: dict[str, RTCPeerConnection] = {}
        self._joined: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._reader = asyncio.create_task(self._read())

    async def send(self, message: str, /, **fields: Any) -> None:
        await self._socket.send_json({"type": message, **fields})

    async def joined(self) -> dict[str, Any]:
        """What the server made of the wish to join."""
        async with asyncio.timeout(30):
            return await self._joined

    async def say(self, text: str, **fields: Any) -> None:
        await self.send("chat", source=self.id, username=self.name, value=text, **fields)

    async def act(self, kind: str, dest: str, value: Any = "") -> None:
        """An operator's doing."""
        await self.send(
            "useraction", kind=kind, source=self.id, username=self.name, dest=dest, value=value
        )

    async def watch(self, what: str = "video") -> None:
        """Ask for all participants' streams."""
        await self.send("request", request={"": [what]})

    async def show(
        self, track: MediaStreamTrack, label: str = "camera", codec: str = "VP8", **fields: Any
    ) -> str:
        """Publish ``track``; the stream's id. ``codec`` is what is said: what is sent is VP8."""
        stream = secrets.token_hex(8)
        peer = self._shown[stream] = peer_connection()
        peer.addTransceiver(track, direction="sendonly")
        await peer.setLocalDescription(await peer.createOffer())
        sdp = peer.localDescription.sdp.replace("VP8/90000", f"{codec}/90000")
        await self.offer(stream, sdp, label, **fields)
        return stream

    async def offer(self, stream: str, sdp: str, label: str = "camera", **fields: Any) -> None:
        await self.send(
            "offer", id=stream, label=label, source=self.id, username=self.name, sdp=sdp, **fields
        )

    async def hide(self, stream: str) -> None:
        """Take a stream away."""
        await self.send("close", id=stream)
        await close(self._shown.pop(stream))

    async def invite(self, **value: Any) -> str:
        """The token of an invitation, which only operators can make."""
        may = {"permissions": ["present", "message"], "expires": "2100-01-01T00:00:00Z"}
        value = {"group": "room", **may, **value}
        who = {"source": self.id, "username": self.name}
        await self.send("groupaction", kind="maketoken", value=value, **who)
        await eventually(self._tokens)
        return self._tokens()[-1]

    def _tokens(self) -> list[str]:
        return [m["value"]["token"] for m in self.received if m.get("kind") == "token"]

    def chat(self) -> list[str]:
        """All messages to all participants or to this one."""
        return [m["value"] for m in self.received if m["type"] in ("chat", "chathistory")]

    async def close(self, *, leave: bool = True) -> None:
        if leave:
            await self._socket.close()
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        for peer in self._shown.values():
            await close(peer)
        for watched in self.watched.values():
            await watched.close()
        await self._socket.close()

    async def _read(self) -> None:
        async for message in self._socket:
            data = message.json()
            self.received.append(data)
            match data["type"]:
                case "joined" if not self._joined.done():
                    self._joined.set_result(data)
                case "user":
                    await self._note_user(data)
                case "ping":
                    await self.send("pong")
                case "answer":
                    await self._settle(data)
                case "offer":
                    await self._take(data)
                case "ice":
                    await self._trickle(data)
                case "close":
                    if (watched := self.watched.pop(data["id"], None)) is not None:
                        # aiortc can't go on with a close that was cancelled.
                        await asyncio.shield(watched.close())

    async def _note_user(self, data: Mapping[str, Any]) -> None:
        if data["kind"] == "delete":
            self.users.pop(data["id"], None)
        else:
            self.users[data["id"]] = data.get("username", "")

    async def _settle(self, data: Mapping[str, Any]) -> None:
        sdp = data["sdp"].replace("VP9/90000", "VP8/90000")
        if (shown := self._shown.get(data["id"])) is not None:
            await shown.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    async def _take(self, data: Mapping[str, Any]) -> None:
        watched = self.watched.get(data["id"])
        if watched is None:
            watched = self.watched[data["id"]] = Watched(data)
        await watched.peer.setRemoteDescription(RTCSessionDescription(data["sdp"], "offer"))
        await watched.peer.setLocalDescription()
        await self.send("answer", id=data["id"], sdp=watched.peer.localDescription.sdp)

    async def _trickle(self, data: Mapping[str, Any]) -> None:
        watched = self.watched.get(data["id"])
        peer = watched.peer if watched is not None else self._shown.get(data["id"])
        if peer is not None and peer.signalingState == "stable":
            candidate = candidate_from_sdp(
                data["candidate"]["candidate"].removeprefix("candidate:")
            )
            candidate.sdpMLineIndex = data["candidate"]["sdpMLineIndex"]
            await peer.addIceCandidate(candidate)


@asynccontextmanager
async def person(
    url: str, name: str | None, *, client: str = "", password: str = "", **fields: Any
) -> AsyncIterator[Person]:
    """A person in the group at ``url`` until the end."""
    client = client or secrets.token_hex(8)
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{url}.status") as response:
            status = await response.json()
        socket = await http.ws_connect(status["endpoint"])
        guest = Person(socket, client, name or "")
        try:
            await guest.send("handshake", version=["2"], id=client)
            join = {"group": status["name"], "username": name, "password": password, **fields}
            await guest.send("join", kind="join", **join)
            answer = await guest.joined()
            if answer["kind"] != "join":
                raise NotLetInError(answer)
            yield guest
        finally:
            await guest.close()


def sees(guest: Person, name: str) -> bool:
    """Whether a picture came of the stream of ``name``."""
    return any(
        watched.username == name and watched.frames > 3 for watched in guest.watched.values()
    )
