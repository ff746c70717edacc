"""The WebSocket's shell, against a server that does what a real one does only on bad days."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from livekit.protocol import models, rtc

from config.errors import RefusedError, RoomError
from sidecar.rooms.livekit import messages, protocol, signal
from sidecar.rooms.livekit.leaving import Leaving, Verdict
from sidecar.rooms.livekit.protocol import Event, Offered
from sidecar.rooms.livekit.signal import Signal, refusal, sent_on
from tests.sidecar.rooms.livekit.fake import JOIN, fake_server, say


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[Signal]:
    async with aiohttp.ClientSession() as http:
        talking = Signal(http, address, "a.secret.token", messages.query(watches=True))
        try:
            yield talking
        finally:
            await talking.close()


async def heard(talking: Signal) -> list[Event]:
    async with asyncio.timeout(30):
        return [event async for event in talking.events()]


async def test_what_comes_before_the_join_or_makes_no_sense_does_no_harm() -> None:
    async def act(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\xff\xff\xff")
        await socket.send_str("{}")
        await say(socket, JOIN)
        await say(socket, rtc.SignalResponse(offer=rtc.SessionDescription(type="offer", sdp="x")))
        await say(socket, rtc.SignalResponse(leave=rtc.LeaveRequest()))

    async with fake_server(act) as address, connected(address) as talking:
        assert (await talking.enter()).room == "room"
        offered, leaving = await heard(talking)
        assert isinstance(offered, Offered)
        assert isinstance(leaving, Leaving)


async def test_messages_are_sent_in_their_order_with_signs_of_life(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protocol, "PING_EVERY", (0, 0.05, 1))
    got: list[rtc.SignalRequest] = []

    async def act(socket: web.WebSocketResponse) -> None:
        await say(socket, JOIN)
        async for message in socket:
            got.append(rtc.SignalRequest.FromString(message.data))
            if got[-1].HasField("ping_req"):
                break

    async with fake_server(act) as address, connected(address) as talking:
        await talking.enter()
        talking.send(messages.answer("one", 1))
        talking.send(messages.answer("two", 2))
        (leaving,) = await heard(talking)
        assert isinstance(leaving, Leaving)
    assert [request.answer.sdp for request in got[:2]] == ["one", "two"]
    assert got[-1].ping_req.timestamp > 0


async def test_a_server_that_falls_silent_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "PING_TIMEOUT", (0, 0.1, 1))

    async def act(socket: web.WebSocketResponse) -> None:
        await say(socket, JOIN)
        await socket.receive()

    async with fake_server(act) as address, connected(address) as talking:
        await talking.enter()
        (leaving,) = await heard(talking)
        assert isinstance(leaving, Leaving)
        assert leaving.verdict is Verdict.LOST
        assert "silent" in leaving.why


async def test_a_server_that_never_lets_us_in_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "JOINING", 0.1)

    async def act(socket: web.WebSocketResponse) -> None:
        await socket.receive()

    async with fake_server(act) as address, connected(address) as talking:
        with pytest.raises(RoomError, match="doesn't answer"):
            await talking.enter()


async def test_a_server_that_hangs_up_at_once_is_lost() -> None:
    async def act(socket: web.WebSocketResponse) -> None:
        await socket.close()

    async with fake_server(act) as address, connected(address) as talking:
        with pytest.raises(RoomError, match="closed the connection") as error:
            await talking.enter()
        assert not isinstance(error.value, RefusedError)


async def test_a_goodbye_instead_of_the_join_is_told() -> None:
    async def act(socket: web.WebSocketResponse) -> None:
        reason = models.DisconnectReason.PARTICIPANT_REMOVED
        await say(socket, rtc.SignalResponse(leave=rtc.LeaveRequest(reason=reason)))

    async with fake_server(act) as address, connected(address) as talking:
        with pytest.raises(RefusedError, match="removed"):
            await talking.enter()


async def test_a_server_may_send_us_to_another() -> None:
    async def there(socket: web.WebSocketResponse) -> None:
        await say(socket, JOIN)

    async with fake_server(there) as other:

        async def here(socket: web.WebSocketResponse) -> None:
            await say(socket, rtc.SignalResponse(join=rtc.JoinResponse(alternative_url=other)))

        async with fake_server(here) as address, connected(address) as talking:
            assert (await talking.enter()).room == "room"
            assert talking.server == other


async def test_servers_that_send_us_in_circles_are_given_up() -> None:
    asked: list[str] = []

    async def act(socket: web.WebSocketResponse) -> None:
        join = rtc.JoinResponse(alternative_url=asked[-1])
        await say(socket, rtc.SignalResponse(join=join))

    async with fake_server(act) as address, connected(address) as talking:
        asked.append(address)
        with pytest.raises(RoomError, match="from one to the next"):
            await talking.enter()


@pytest.mark.parametrize(
    ("status", "kind", "told"),
    [
        (401, RefusedError, "refused our token: 401, no permission"),
        (404, RefusedError, "has no such room"),
        (400, RefusedError, "refused our request"),
        (503, RoomError, "answered 503, no permission"),
        (500, RoomError, "answered 500"),
    ],
)
async def test_a_refusal_is_told_with_the_servers_reason(
    status: int, kind: type[RoomError], told: str
) -> None:
    async with (
        fake_server(None, status, "no\n permission") as address,
        connected(address) as talking,
    ):
        with pytest.raises(RoomError, match=told) as error:
            await talking.enter()
        assert type(error.value) is kind
        assert "secret" not in f"{error.value!r}{error.value.__cause__!r}"


def test_a_reason_that_cannot_be_had_leaves_the_status() -> None:
    assert "answered 502" in str(refusal(502, "", "wss://sfu.example"))


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
    assert sent_on(server_, other) == result


@pytest.mark.parametrize("other", ["ws://b", "http://b", "file:///etc", "b", ""])
def test_our_token_goes_nowhere_less_safe(other: str) -> None:
    with pytest.raises(RoomError, match="isn't safe"):
        sent_on("wss://a", other)
