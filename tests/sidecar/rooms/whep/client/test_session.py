"""One session over real sockets."""

import asyncio
from collections.abc import Sequence

import aiohttp
import pytest
from aiohttp import web
from aiortc import RTCIceServer

from sidecar.media.peer import PeerOptions
from sidecar.media.receive_peer import ReceivePeer
from sidecar.rooms.whep.client.endpoint import EndpointKind, endpoint
from sidecar.rooms.whep.client.failures import Failure
from sidecar.rooms.whep.client.session import CallOptions, MakePeer, WhipSession, WhipTimeouts
from tests.sidecar.rooms.test_whip import serving

pytestmark = pytest.mark.peers

STUN = RTCIceServer("stun:own.example")
TURN = '<turn:theirs.example>; rel="ice-server"; username="ada"; credential="sesame"'


def receive(servers: Sequence[RTCIceServer]) -> ReceivePeer:
    return ReceivePeer(PeerOptions("stream", servers))


async def failed(
    url: str, options: CallOptions | None = None, make_peer: MakePeer = receive
) -> Failure:
    async with aiohttp.ClientSession() as http:
        call = WhipSession(
            http, endpoint(EndpointKind.WHEP, url), options or CallOptions(), make_peer
        )
        try:
            failure = await call.connect()
            assert failure is not None
            return failure
        finally:
            await call.leave()


async def test_the_servers_own_ice_servers_are_there_before_the_offer_is() -> None:
    used: list[RTCIceServer] = []

    def made(servers: Sequence[RTCIceServer]) -> ReceivePeer:
        used.extend(servers)
        return receive([])

    async def options(request: web.Request) -> web.Response:
        return web.Response(status=204, headers={"Link": TURN})

    async def post(request: web.Request) -> web.Response:
        return web.Response(status=404)

    routes = (("OPTIONS", "/whep", options), ("POST", "/whep", post))
    async with serving(*routes) as address:
        failure = await failed(f"{address}/whep", CallOptions([STUN]), made)
    assert failure.status == 404
    assert used == [STUN, RTCIceServer("turn:theirs.example", "ada", "sesame")]


async def test_an_endless_answer_is_not_read_to_its_end() -> None:

    async def post(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=201, headers={"Content-Type": "application/sdp"})
        await response.prepare(request)
        while True:
            await response.write(b"v=0" * 10_000)

    async with asyncio.timeout(30), serving(("POST", "/whep", post)) as address:
        assert "more than" in (await failed(f"{address}/whep")).what


async def test_what_is_no_http_is_reported_without_the_address() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-hello\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        failure = await failed(f"http://127.0.0.1:{port}/whep?token=hush")
    assert failure.status == 0
    assert "hush" not in str(failure) + failure.where


async def test_a_server_that_never_answers_is_given_up() -> None:
    hurried = CallOptions(timeouts=WhipTimeouts(negotiation=0.5, delete=0.2))
    over = asyncio.Event()

    async def post(request: web.Request) -> web.Response:
        await over.wait()
        return web.Response()

    async with asyncio.timeout(30), serving(("POST", "/whep", post)) as address:
        failure = await failed(f"{address}/whep", hurried)
        over.set()
    assert failure.what == "no answer in time"


async def test_each_attempt_takes_the_next_relay_that_the_server_names() -> None:
    used: list[str] = []
    links = [f'<turn:theirs.example?transport={way}>; rel="ice-server"' for way in ("tcp", "udp")]

    def made(servers: Sequence[RTCIceServer]) -> ReceivePeer:
        used.extend(str(server.urls) for server in servers)
        return receive([])

    async def options(request: web.Request) -> web.Response:
        return web.Response(status=204, headers={"Link": ", ".join(links)})

    async def post(request: web.Request) -> web.Response:
        return web.Response(status=404)

    routes = (("OPTIONS", "/whep", options), ("POST", "/whep", post))
    async with serving(*routes) as address, aiohttp.ClientSession() as http:
        place = endpoint(EndpointKind.WHEP, f"{address}/whep")
        for attempt in (0, 1):
            call = WhipSession(http, place, CallOptions(), made, attempt=attempt)
            await call.connect()
            await call.leave()
    assert used == ["turn:theirs.example?transport=udp", "turn:theirs.example?transport=tcp"]
