"""Connections that are slow, silent or many, over real sockets."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeAlias

import aiohttp
import psutil
import pytest
from structlog.testing import capture_logs

from sidecar.rooms.hosted.sessions import Limits
from sidecar.server.connections import ConnectionLimits
from sidecar.server.event_stream import EventStreams, StreamTimeouts
from sidecar.server.quotas import ClientQuota
from sidecar.session.events import ParticipantLeft
from tests.sidecar.clients import ColourTrack, eventually, post_offer, publishing
from tests.sidecar.server.conftest import RunningServer, running_server

Streams: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]
REQUEST = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
QUICK = ConnectionLimits(header=0.3, idle=0.6, send=0.3)


@asynccontextmanager
async def connected(
    running: RunningServer,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", running.server.port)
    try:
        yield reader, writer
    finally:
        writer.close()


@asynccontextmanager
async def silent_reader(port: int) -> AsyncIterator[None]:
    """A client that asks for events and reads nothing, whose system keeps little for it."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, ("127.0.0.1", port))
        await loop.sock_sendall(
            client, b"GET /rooms/one/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
        )
        yield


async def rest(reader: asyncio.StreamReader) -> bytes:
    """What comes until the server closes the connection."""
    async with asyncio.timeout(20):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", b"\r\n" * 9])
async def test_a_header_that_does_not_end_ends_the_connection(sent: bytes) -> None:
    async with running_server(connections=QUICK) as running, connected(running) as (reader, writer):
        writer.write(sent)
        assert await rest(reader) == b""
        assert running.server.connections.timed_out == 1
        await eventually(lambda: running.server.connections.open == 0)


async def test_a_byte_now_and_then_does_not_buy_time() -> None:
    async with running_server(connections=QUICK) as running, connected(running) as (reader, writer):

        async def trickle() -> None:
            for byte in REQUEST * 10:
                writer.write(bytes([byte]))
                await asyncio.sleep(0.05)

        sending = asyncio.create_task(trickle())
        assert await rest(reader) == b""
        sending.cancel()
        assert running.server.connections.timed_out == 1


async def test_the_second_request_has_the_same_deadline() -> None:
    limits = ConnectionLimits(header=0.3, idle=60.0)
    async with (
        running_server(connections=limits) as running,
        connected(running) as (reader, writer),
    ):
        writer.write(REQUEST)
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        writer.write(REQUEST[:20])
        await rest(reader)
        assert running.server.connections.timed_out == 1


async def test_a_connection_without_a_next_request_is_closed() -> None:
    limits = ConnectionLimits(header=60.0, idle=0.3)
    async with (
        running_server(connections=limits) as running,
        connected(running) as (reader, writer),
    ):
        writer.write(REQUEST)
        assert b"200 OK" in await rest(reader)


async def test_a_body_that_does_not_come_is_answered_408() -> None:
    async with running_server(body_timeout=0.3) as running, connected(running) as (reader, writer):
        head = "POST /rooms/one/whip HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n"
        writer.write(f"{head}Content-Type: application/sdp\r\n\r\nv=0".encode())
        answer = await rest(reader)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"application/problem+json" in answer


async def test_a_response_that_is_not_read_ends_its_connection() -> None:
    async with running_server(connections=QUICK) as running, connected(running) as (_, writer):
        pipelined = b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20_000
        writer.write(pipelined)
        await eventually(lambda: running.server.connections.timed_out == 1)


async def test_connections_of_one_address_are_limited_and_the_reason_is_said() -> None:
    limits = ConnectionLimits(total=100, per_address=3)
    async with running_server(connections=limits) as running, AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(connected(running))
        await eventually(lambda: running.server.connections.open == 3)
        async with connected(running) as (reader, _):
            head, _, body = (await rest(reader)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 429 Too Many Requests")
        assert json.loads(body)["status"] == 429
        await stack.aclose()
        await eventually(lambda: running.server.connections.open == 0)
        async with connected(running) as (reader, writer):
            writer.write(REQUEST)
            assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        assert running.server.connections.refused == 1


async def test_connections_of_a_trusted_proxy_are_limited_in_all_only() -> None:
    limits = ConnectionLimits(total=6, per_address=2)
    proxies = ("127.0.0.0/8",)
    async with (
        running_server(connections=limits, proxies=proxies) as running,
        AsyncExitStack() as stack,
    ):
        for _ in range(6):
            await stack.enter_async_context(connected(running))
        await eventually(lambda: running.server.connections.open == 6)
        async with connected(running) as (reader, _):
            assert (await rest(reader)).startswith(b"HTTP/1.1 503")


async def test_event_streams_of_one_address_are_limited(http: aiohttp.ClientSession) -> None:
    streams = EventStreams(ClientQuota("event streams", 10, 2))
    async with running_server(streams=streams, proxies=("127.0.0.1",)) as running:
        url = running.url("/rooms/one/events")
        one, other = {"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "192.0.2.2"}
        async with (
            http.get(url, headers=one) as first,
            http.get(url, headers=one) as second,
            http.get(url, headers=one) as third,
            http.get(url, headers=other) as fourth,
        ):
            assert [first.status, second.status, third.status, fourth.status] == [
                200,
                200,
                429,
                200,
            ]
            assert third.content_type == "application/problem+json"
            assert third.headers["Retry-After"]
        await eventually(lambda: streams.quota.taken == 0)


async def test_200_readers_that_never_read_are_dropped_and_others_go_on(
    http: aiohttp.ClientSession,
) -> None:
    streams = EventStreams(ClientQuota("event streams", 300, 300), StreamTimeouts(send=0.5))
    limits = ConnectionLimits(per_address=300)
    async with (
        running_server(streams=streams, connections=limits, listeners=256) as running,
        AsyncExitStack() as stack,
    ):
        await running.rooms.enter("one")
        bus = running.meetings["one"].events
        for _ in range(200):
            await stack.enter_async_context(silent_reader(running.server.port))
        await eventually(lambda: streams.quota.taken == 200)
        before = psutil.Process().memory_info().rss
        async with http.get(running.url("/rooms/one/events")) as response:
            await eventually(lambda: streams.quota.taken == 201)
            seen = 0
            for number in range(120):
                bus.publish(ParticipantLeft(float(number), "p-1", "x" * 4000, "left"))
                while seen <= number:
                    seen += b"event: " in await response.content.readline()
            grown = psutil.Process().memory_info().rss - before
            await eventually(lambda: streams.quota.taken == 1)
        assert streams.dropped == 200
        assert grown < 64 << 20


async def test_a_second_session_of_one_address_is_answered_429(
    http: aiohttp.ClientSession,
) -> None:
    async with running_server(limits=Limits(per_client=1)) as running:
        url = running.url("/rooms/one/whip")
        async with publishing(http, url, ColourTrack()) as client:
            sdp = client.peer.localDescription.sdp
            refused = await post_offer(http, url, sdp)
            assert refused.status == 429
            assert refused.content_type == "application/problem+json"
            await http.delete(client.url)
            assert (await post_offer(http, url, sdp)).status == 201


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorizati\xc9n: Bearer sesame\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 sesame\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nsesame: " + b"x" * 20_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_answered_400_without_a_traceback(
    running: RunningServer, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    with capture_logs() as logs:
        async with connected(running) as (reader, writer):
            writer.write(sent)
            head, _, body = (await rest(reader)).partition(b"\r\n\r\n")
    assert b" 400 " in head
    assert json.loads(body)["status"] == 400
    assert [one["event"] for one in logs if "reason" in one] == ["request not readable"]
    # aiohttp's own lines go to the standard library's log.
    assert caplog.records == []
    assert "sesame" not in str(logs)
