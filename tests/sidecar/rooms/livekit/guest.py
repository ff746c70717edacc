"""Another participant of a LiveKit room: a client that shares no code with the adapter.

It says and hears protobuf by itself, sends a camera through an aiortc peer, and keeps the roster
that its server tells it, as every client does.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import aiohttp
import av
import jwt
from aiortc import MediaStreamTrack, RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from aiortc.sdp import candidate_from_sdp
from livekit.protocol import models, rtc

from sidecar.media.peer_connection import close, peer_connection
from tests.servers.livekit import KEY, SECRET


def token(room: str, identity: str, *, seconds: float = 600, **video: object) -> str:
    """A token that lets ``identity`` do everything, but for what ``video`` says."""
    claims = {
        "iss": KEY,
        "sub": identity,
        "name": identity.capitalize(),
        "exp": int(time.time() + seconds),
        "video": {"roomJoin": True, "room": room, "canUpdateOwnMetadata": True, **video},
    }
    return jwt.encode(claims, SECRET, algorithm="HS256")


class Guest:
    """A participant; ``joined`` makes one."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.roster: dict[str, models.ParticipantInfo] = {}
        """The other participants, as this client's user would see them."""
        self.changes: list[str] = []
        """The identities that updates named, in their order."""
        self.data: list[models.DataPacket] = []
        self.frames: dict[str, av.VideoFrame] = {}
        """The newest picture of every track, by its id."""
        self.qualities: list[rtc.SubscribedQualityUpdate] = []
        self.left: rtc.LeaveRequest | None = None
        self._socket = socket
        self._identity = ""
        self._turn = asyncio.Lock()
        self._codec = "VP8"
        self._publisher = peer_connection()
        self._subscriber = peer_connection()
        self._subscriber.on("track", self._receive)
        self._subscriber.on("datachannel", self._listen)
        self._channel: RTCDataChannel | None = None
        self._published: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def names(self) -> list[str]:
        """The names in the roster."""
        return sorted(info.name for info in self.roster.values())

    def sees(self, luma: int) -> bool:
        """Whether any track shows pictures as light as ``luma``."""
        pictures = [frame.to_ndarray() for frame in self.frames.values()]
        return any(abs(int(picture[10, 10]) - luma) < 6 for picture in pictures)

    async def publish(self, track: MediaStreamTrack, *, codec: str = "VP8", **fields: Any) -> str:
        """Publish ``track`` as a camera; the server's id of it.

        With another ``codec`` the server gets packets declared as that codec.
        """
        self._publisher.addTransceiver(track, direction="sendonly")
        if self._channel is None:
            self._channel = self._publisher.createDataChannel("_reliable")
        request: dict[str, Any] = {
            "cid": track.id,
            "name": "camera",
            "type": models.TrackType.VIDEO,
            "source": models.TrackSource.CAMERA,
            **fields,
        }
        await self._say(rtc.SignalRequest(add_track=rtc.AddTrackRequest(**request)))
        await self._until(lambda: track.id in self._published)
        await self._publisher.setLocalDescription(await self._publisher.createOffer())
        sdp = self._publisher.localDescription.sdp.replace(" VP8/", f" {codec}/")
        self._codec = codec
        offer = rtc.SessionDescription(type="offer", sdp=sdp)
        await self._say(rtc.SignalRequest(offer=offer))
        await self._until(lambda: self._publisher.signalingState == "stable")
        return self._published[track.id]

    async def mute(self, track: str, *, muted: bool) -> None:
        """Turn the camera off or on, without taking it away."""
        await self._say(rtc.SignalRequest(mute=rtc.MuteTrackRequest(sid=track, muted=muted)))

    async def set_attributes(self, **attributes: str) -> None:
        """Change our own attributes."""
        update = rtc.UpdateParticipantMetadata(attributes=attributes)
        await self._say(rtc.SignalRequest(update_metadata=update))

    async def set_metadata(self, metadata: str) -> None:
        """Change our own metadata."""
        update = rtc.UpdateParticipantMetadata(metadata=metadata)
        await self._say(rtc.SignalRequest(update_metadata=update))

    async def chat(self, text: str) -> None:
        """Write to the room's chat as today's clients do."""
        stream = str(uuid4())
        header = models.DataStream.Header(
            stream_id=stream,
            topic="lk.chat",
            total_length=len(text),
            text_header=models.DataStream.TextHeader(),
        )
        chunk = models.DataStream.Chunk(stream_id=stream, content=text.encode())
        trailer = models.DataStream.Trailer(stream_id=stream)
        await self.send(models.DataPacket(stream_header=header))
        await self.send(models.DataPacket(stream_chunk=chunk))
        await self.send(models.DataPacket(stream_trailer=trailer))

    async def send(self, packet: models.DataPacket) -> None:
        """Send a data message to all participants."""
        channel = self._channel
        assert channel is not None, "publish first"
        await self._until(lambda: channel.readyState == "open")
        channel.send(packet.SerializeToString())

    async def leave(self) -> None:
        """Send the leave request."""
        await self._say(rtc.SignalRequest(leave=rtc.LeaveRequest()))

    async def run(self) -> None:
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                await self._hear(rtc.SignalResponse.FromString(message.data))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(close(self._publisher), close(self._subscriber))

    async def _hear(self, message: rtc.SignalResponse) -> None:
        match message.WhichOneof("message"):
            case "join":
                self._identity = message.join.participant.identity
                self._update(message.join.other_participants)
            case "update":
                self._update(message.update.participants)
            case "track_published":
                self._published[message.track_published.cid] = message.track_published.track.sid
            case "answer":
                sdp = message.answer.sdp.replace(f" {self._codec}/", " VP8/")
                await self._publisher.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
            case "offer":
                self._spawn(self._answer(message.offer))
            case "trickle":
                self._spawn(self._trickle(message.trickle))
            case "subscribed_quality_update":
                self.qualities.append(message.subscribed_quality_update)
            case "leave":
                self.left = message.leave

    async def _answer(self, offer: rtc.SessionDescription) -> None:
        async with self._turn:
            # aiortc never starts a receiver that is negotiated during the DTLS handshake.
            await self._until(lambda: self._subscriber.connectionState != "connecting")
            description = RTCSessionDescription(offer.sdp, "offer")
            await self._subscriber.setRemoteDescription(description)
            await self._subscriber.setLocalDescription()
            sdp = self._subscriber.localDescription.sdp
            answer = rtc.SessionDescription(type="answer", sdp=sdp, id=offer.id)
            await self._say(rtc.SignalRequest(answer=answer))

    def _update(self, people: Any) -> None:
        for info in people:
            if info.identity == self._identity:
                continue
            self.changes.append(info.identity)
            if info.state == models.ParticipantInfo.DISCONNECTED:
                self.roster.pop(info.identity, None)
            else:
                self.roster[info.identity] = info

    async def _trickle(self, trickle: rtc.TrickleRequest) -> None:
        init = json.loads(trickle.candidateInit)
        candidate = candidate_from_sdp(init["candidate"].removeprefix("candidate:"))
        if candidate.protocol != "udp":
            return
        candidate.sdpMLineIndex = 0
        of_publisher = trickle.target == rtc.SignalTarget.PUBLISHER
        peer: RTCPeerConnection = self._publisher if of_publisher else self._subscriber
        await self._until(lambda: peer.remoteDescription is not None)
        await peer.addIceCandidate(candidate)

    def _receive(self, track: MediaStreamTrack) -> None:
        async def read() -> None:
            try:
                while True:
                    frame = await track.recv()
                    if isinstance(frame, av.VideoFrame):
                        self.frames[track.id] = frame
            except MediaStreamError:
                pass

        self._spawn(read())

    def _listen(self, channel: RTCDataChannel) -> None:
        channel.on("message", lambda data: self.data.append(models.DataPacket.FromString(data)))

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _say(self, request: rtc.SignalRequest) -> None:
        await self._socket.send_bytes(request.SerializeToString())

    @staticmethod
    async def _until(condition: Any) -> None:
        async with asyncio.timeout(30):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@asynccontextmanager
async def joined(
    address: str,
    room: str,
    identity: str,
    *,
    watch: bool = False,
    leave: bool = True,
    query: Mapping[str, str] | None = None,
    **video: Any,
) -> AsyncIterator[Guest]:
    """Take part in ``room``; ``watch`` receives all participants' tracks.

    Without ``leave`` the client closes its connections without a leave request.
    """
    headers = {"Authorization": f"Bearer {token(room, identity, **video)}"}
    asked = {"protocol": "16", "auto_subscribe": str(int(watch)), **(query or {})}
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{address}/rtc", params=asked, headers=headers) as socket,
    ):
        guest = Guest(socket)
        running = asyncio.create_task(guest.run())
        try:
            yield guest
            if leave:
                # The server may have been faster.
                with contextlib.suppress(aiohttp.ClientError):
                    await guest.leave()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await guest.close()
