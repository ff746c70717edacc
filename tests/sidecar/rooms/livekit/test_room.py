"""LiveKit rooms with a server that does not keep to its protocol."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import WSMsgType, web
from livekit.protocol import models, rtc

from config.errors import RefusedError, RoomError
from sidecar.media.encoder import Encoder
from sidecar.rooms.base import JoinOptions
from sidecar.rooms.livekit.adapter import LiveKitAdapter
from sidecar.rooms.livekit.room import LiveKitRoom
from sidecar.rooms.livekit.transport import LiveKitTimeouts
from tests.sidecar.clients import eventually
from tests.sidecar.rooms.attendance import Attendance, following
from tests.sidecar.rooms.livekit.fake import JOIN, fake_server, say

KEYS = {"LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "a-secret-of-at-least-32-characters"}


@asynccontextmanager
async def facing(
    react: Callable[[web.WebSocketResponse, rtc.SignalRequest], Awaitable[None]],
    *greeting: rtc.SignalResponse,
    timeouts: LiveKitTimeouts | None = None,
) -> AsyncIterator[Attendance[LiveKitRoom]]:
    """A room whose server says ``greeting`` and then reacts to what it receives."""

    async def act(socket: web.WebSocketResponse) -> None:
        for response in (JOIN, *greeting):
            await say(socket, response)
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                await react(socket, rtc.SignalRequest.FromString(message.data))

    async with fake_server(act) as address:
        room = LiveKitAdapter(timeouts).room(f"{address}#r", JoinOptions("Reactions", KEYS))
        async with room, following(room) as sight:
            yield sight


async def ignore(socket: web.WebSocketResponse, request: rtc.SignalRequest) -> None:
    """Answer no message."""


def offered(sdp: str) -> rtc.SignalResponse:
    return rtc.SignalResponse(offer=rtc.SessionDescription(type="offer", sdp=sdp))


async def take(socket: web.WebSocketResponse, request: rtc.SignalRequest) -> None:
    """Take any track."""
    if request.HasField("add_track"):
        taken = rtc.TrackPublishedResponse(cid=request.add_track.cid)
        await say(socket, rtc.SignalResponse(track_published=taken))


@pytest.mark.parametrize("sdp", ["", "nonsense", "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"])
async def test_an_offer_that_makes_no_sense_loses_the_meeting(sdp: str) -> None:
    async with facing(ignore, offered(sdp)) as sight:
        await eventually(lambda: sight.ended)
        assert isinstance(sight.failure, RoomError)
        assert "offer can't be answered" in str(sight.failure)


async def test_a_refused_track_is_reported_at_once() -> None:
    async def refuse(socket: web.WebSocketResponse, request: rtc.SignalRequest) -> None:
        if request.HasField("add_track"):
            no = rtc.RequestResponse(
                reason="NOT_ALLOWED", message="no cameras here", add_track=request.add_track
            )
            await say(socket, rtc.SignalResponse(request_response=no))

    async with facing(refuse) as sight:
        with pytest.raises(RefusedError, match="no cameras here"):
            await sight.room.publish(Encoder(160, 90))


async def test_a_track_that_is_never_taken_is_given_up() -> None:
    async with facing(ignore, timeouts=LiveKitTimeouts(publish=0.1)) as sight:
        with pytest.raises(RoomError, match="did not take the composite"):
            await sight.room.publish(Encoder(160, 90))


async def test_a_malformed_answer_is_reported() -> None:
    async def answer(socket: web.WebSocketResponse, request: rtc.SignalRequest) -> None:
        await take(socket, request)
        if request.HasField("offer"):
            nonsense = rtc.SessionDescription(type="answer", sdp="nonsense")
            await say(socket, rtc.SignalResponse(answer=nonsense))

    encoder = Encoder(160, 90)
    async with facing(answer) as sight:
        with pytest.raises(RoomError, match="answer can't be used"):
            await sight.room.publish(encoder)
    assert encoder.viewers == 0


async def test_a_publisher_that_is_removed_while_it_publishes_is_reported() -> None:
    async def put_out(socket: web.WebSocketResponse, request: rtc.SignalRequest) -> None:
        if request.HasField("add_track"):
            leave = rtc.LeaveRequest(reason=models.DisconnectReason.PARTICIPANT_REMOVED)
            await say(socket, rtc.SignalResponse(leave=leave))

    async with facing(put_out) as sight:
        async with asyncio.timeout(30):
            with pytest.raises(RefusedError, match="removed"):
                await sight.room.publish(Encoder(160, 90))
        await eventually(lambda: sight.ended)
        assert isinstance(sight.failure, RefusedError)
