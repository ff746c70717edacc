"""The WebSocket's shell, against a server that does what a real one rarely does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from livekit.protocol import models, rtc

from config.errors import RefusedError, RoomError
from sidecar.rooms.events import Offered, ParticipantsChanged, Refused
from sidecar.rooms.livekit.protocol import LiveKitEvent
from sidecar.rooms.livekit.transport import (
    LiveKitTimeouts,
    LiveKitTransport,
    SecondsRange,
    redirect_target,
    refusal,
)
from tests.sidecar.clients import eventually
from tests.sidecar.rooms.livekit.fake import JOIN, fake_server, say


@asynccontextmanager
async def connected(
    address: str, timeouts: LiveKitTimeouts | None = None
) -> AsyncIterator[LiveKitTransport]:
    async with aiohttp.ClientSession() as http:
        transport = LiveKitTransport(
            http, address, "a.secret.token", watches=True, timeouts=timeouts
        )
        try:
            yield transport
        finally:
            await transport.aclose()


async def events_of(transport: LiveKitTransport) -> list[LiveKitEvent]:
    """All events until the end, but for those of the roster."""
    async with asyncio.timeout(30):
        return [
            event
            async for event in transport.events()
            if not isinstance(event, ParticipantsChanged)
        ]


async def test_what_comes_before_the_join_or_makes_no_sense_does_no_harm() -> None:
    async def act(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\xff\xff\xff")
        await socket.send_str("{}")
        await say(socket, JOIN)
        await say(socket, rtc.SignalResponse(offer=rtc.SessionDescription(type="offer", sdp="x")))
        await say(socket, rtc.SignalResponse(leave=rtc.LeaveRequest()))

    async with fake_server(act) as address, connected(address) as transport:
        assert (await transport.enter()).room == "room"
        offered, ended = await events_of(transport)
        assert isinstance(offered, Offered)
        assert isinstance(ended, Refused)


async def test_messages_are_sent_in_their_order_with_pings() -> None:
    timeouts = LiveKitTimeouts(ping_interval=SecondsRange(0, 0.05, 1))
    got: list[rtc.SignalRequest] = []

    async def act(socket: web.WebSocketResponse) -> None:
        await say(socket, JOIN)
        async for message in socket:
            got.append(rtc.SignalRequest.FromString(message.data))
            if got[-1].HasField("ping_req"):
                break

    async with fake_server(act) as address, connected(address, timeouts) as transport:
        await transport.enter()
        with transport.send_context() as protocol:
            protocol.answer("one", 1)
            protocol.answer("two", 2)
        (ended,) = await events_of(transport)
        assert isinstance(ended, Refused)
    assert [request.answer.sdp for request in got[:2]] == ["one", "two"]
    assert got[-1].ping_req.timestamp > 0


async def test_a_server_that_falls_silent_is_lost() -> None:
    timeouts = LiveKitTimeouts(ping_timeout=SecondsRange(0, 0.1, 1))

    async def act(socket: web.WebSocketResponse) -> None:
        await say(socket, JOIN)
        await socket.receive()

    async with fake_server(act) as address, connected(address, timeouts) as transport:
        await transport.enter()
        (ended,) = await events_of(transport)
        assert isinstance(ended, Refused)
        assert not ended.final
        assert "silent" in ended.what


async def test_a_server_that_never_lets_us_in_is_given_up() -> None:
    timeouts = LiveKitTimeouts(join=0.1)

    async def act(socket: web.WebSocketResponse) -> None:
        await socket.receive()

    async with fake_server(act) as address, connected(address, timeouts) as transport:
        with pytest.raises(RoomError, match="doesn't answer"):
            await transport.enter()


async def test_a_server_that_hangs_up_at_once_is_lost() -> None:
    async def act(socket: web.WebSocketResponse) -> None:
        await socket.close()

    async with fake_server(act) as address, connected(address) as transport:
        with pytest.raises(RoomError, match="closed the connection") as error:
            await transport.enter()
        assert not isinstance(error.value, RefusedError)


async def test_a_leave_instead_of_the_join_is_reported() -> None:
    async def act(socket: web.WebSocketResponse) -> None:
        reason = models.DisconnectReason.PARTICIPANT_REMOVED
        await say(socket, rtc.SignalResponse(leave=rtc.LeaveRequest(reason=reason)))

    async with fake_server(act) as address, connected(address) as transport:
        with pytest.raises(RefusedError, match="removed"):
            await transport.enter()


async def test_a_server_may_send_us_to_another() -> None:
    async def there(socket: web.WebSocketResponse) -> None:
        await say(socket, JOIN)

    async with fake_server(there) as other:

        async def here(socket: web.WebSocketResponse) -> None:
            await say(socket, rtc.SignalResponse(join=rtc.JoinResponse(alternative_url=other)))

        async with fake_server(here) as address, connected(address) as transport:
            assert (await transport.enter()).room == "room"
            assert transport.server == other


async def test_servers_that_send_us_in_circles_are_given_up() -> None:
    asked: list[str] = []

    async def act(socket: web.WebSocketResponse) -> None:
        join = rtc.JoinResponse(alternative_url=asked[-1])
        await say(socket, rtc.SignalResponse(join=join))

    async with fake_server(act) as address, connected(address) as transport:
        asked.append(address)
        with pytest.raises(RoomError, match="redirect too often"):
            await transport.enter()


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (401, RefusedError, "refused the token: 401, no permission"),
        (404, RefusedError, "has no such room"),
        (400, RefusedError, "refused the request"),
        (503, RoomError, "HTTP 503, no permission"),
        (500, RoomError, "HTTP 500"),
    ],
)
async def test_a_refusal_is_reported_with_the_server_s_reason(
    status: int, kind: type[RoomError], message: str
) -> None:
    async with (
        fake_server(None, status, "no\n permission") as address,
        connected(address) as transport,
    ):
        with pytest.raises(RoomError, match=message) as error:
            await transport.enter()
        assert type(error.value) is kind
        assert "secret" not in f"{error.value!r}{error.value.__cause__!r}"


async def test_a_server_that_takes_no_messages_is_lost() -> None:
    over = asyncio.Event()

    async def act(socket: web.WebSocketResponse) -> None:
        await say(socket, JOIN)
        await over.wait()

    timeouts = LiveKitTimeouts(send=0.2)
    async with fake_server(act) as address, connected(address, timeouts) as transport:
        await transport.enter()
        with transport.send_context() as protocol:
            for _ in range(64):
                protocol.offer("x" * 1_000_000)
        (ended,) = await events_of(transport)
        over.set()
    assert isinstance(ended, Refused)
    assert not ended.final
    assert "takes no messages" in ended.what


async def test_leaving_says_so() -> None:
    got: list[rtc.SignalRequest] = []

    async def act(socket: web.WebSocketResponse) -> None:
        await say(socket, JOIN)
        got.extend([rtc.SignalRequest.FromString(message.data) async for message in socket])

    async with fake_server(act) as address:
        async with connected(address) as transport:
            await transport.enter()
        await eventually(lambda: bool(got))
    assert [request.WhichOneof("message") for request in got] == ["leave"]


def test_what_a_server_asks_for_stays_within_reason() -> None:
    timeouts = LiveKitTimeouts()
    assert [timeouts.ping_interval.within(n) for n in (0, 7, 100_000, -5)] == [5, 7, 60, 1]
    assert [timeouts.ping_timeout.within(n) for n in (0, 20, 100_000, -5)] == [15, 20, 120, 3]


def test_a_reason_that_cannot_be_had_leaves_the_status() -> None:
    assert "HTTP 502" in str(refusal(502, "", "wss://sfu.example"))


@pytest.mark.parametrize(
    ("server_", "other", "result"),
    [
        ("wss://a", "wss://b/rtc?x=1", "wss://b"),
        ("wss://a", "https://b", "wss://b"),
        ("ws://a", "http://b:7880/", "ws://b:7880"),
        ("ws://a", "wss://b", "wss://b"),
    ],
)
def test_where_a_server_sends_us_is_an_address_to_connect_to(
    server_: str, other: str, result: str
) -> None:
    assert redirect_target(server_, other) == result


@pytest.mark.parametrize("other", ["ws://b", "http://b", "file:///etc", "b", ""])
def test_our_token_goes_nowhere_less_safe(other: str) -> None:
    with pytest.raises(RoomError, match="isn't safe"):
        redirect_target("wss://a", other)
