"""The transport with a fake server: what is sent, claimed, kept alive and given up."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from config.errors import RoomError
from sidecar.aio import cancel_and_wait
from sidecar.rooms.events import Entered, Refused
from sidecar.rooms.janus.exchange import JanusEvent
from sidecar.rooms.janus.protocol import JanusProtocol
from sidecar.rooms.janus.transport import JanusTimeouts, JanusTransport
from sidecar.rooms.janus.url import JanusUrl
from tests.sidecar.clients import eventually
from tests.sidecar.rooms.janus.fake import FakeJanus
from tests.sidecar.rooms.janus.fake_server import FakeJanusServer

QUICK = JanusTimeouts(tick=0.05, silence=0.5, keep_alive=0.1, reclaim=0.5)


@pytest.fixture
async def server() -> AsyncIterator[FakeJanusServer]:
    async with FakeJanusServer() as running:
        yield running


class Running:
    """A transport that runs, and the events of its protocol."""

    def __init__(self, url: str, timeouts: JanusTimeouts = QUICK) -> None:
        parsed = JanusUrl.parse(url)
        self.protocol = JanusProtocol(parsed.room)
        self.transport = JanusTransport(parsed, self.protocol, timeouts)
        self.events: list[JanusEvent] = []
        self.task = asyncio.create_task(self.transport.run())
        self.following = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        async for event in self.transport.events():
            self.events.append(event)

    def has(self, kind: type[JanusEvent]) -> bool:
        return any(isinstance(event, kind) for event in self.events)


@asynccontextmanager
async def running(url: str, timeouts: JanusTimeouts = QUICK) -> AsyncIterator[Running]:
    """A transport that has entered the room at ``url``."""
    transport = Running(url, timeouts)
    try:
        await eventually(lambda: transport.has(Entered))
        yield transport
    finally:
        await cancel_and_wait(transport.task, transport.following)


def sent(server: FakeJanusServer, kind: str) -> int:
    return [request["janus"] for request in server.requests].count(kind)


async def test_what_a_call_left_to_send_is_sent_after_the_context(server: FakeJanusServer) -> None:
    async with running(server.url, replace(QUICK, keep_alive=100)) as transport:
        with transport.transport.send_context() as protocol:
            protocol.keep_alive()
            protocol.keep_alive()
        await eventually(lambda: sent(server, "keepalive") == 2)


async def test_a_context_that_fails_sends_what_its_calls_left(server: FakeJanusServer) -> None:
    def fail(transport: JanusTransport) -> None:
        with transport.send_context() as protocol:
            protocol.keep_alive()
            raise RuntimeError("mistake")

    async with running(server.url, replace(QUICK, keep_alive=100)) as transport:
        with pytest.raises(RuntimeError, match="mistake"):
            fail(transport.transport)
        await eventually(lambda: sent(server, "keepalive") == 1)


async def test_the_session_is_kept_alive(server: FakeJanusServer) -> None:
    async with running(server.url):
        await eventually(lambda: sent(server, "keepalive") >= 2)


async def test_a_session_is_claimed_on_a_new_connection(server: FakeJanusServer) -> None:
    server.reclaim = True
    async with running(server.url) as transport:
        server.cut()
        await eventually(lambda: sent(server, "claim") == 1)
        server.requests.clear()
        await eventually(lambda: len(server.bodies("listparticipants")) > 1)
        assert not transport.task.done()


async def test_a_session_that_the_server_has_freed_is_lost(server: FakeJanusServer) -> None:
    async with running(server.url) as transport:
        server.cut()
        await eventually(lambda: transport.has(Refused))
        await asyncio.wait([transport.task, transport.following])
        (refused,) = [event for event in transport.events if isinstance(event, Refused)]
        assert not refused.final


async def test_a_server_that_is_gone_is_given_up(server: FakeJanusServer) -> None:
    async with running(server.url) as transport:
        await server.lose()
        await asyncio.wait([transport.task], timeout=10)
        assert isinstance(transport.task.exception(), RoomError)


async def test_a_silent_server_is_given_up(server: FakeJanusServer) -> None:
    async with running(server.url) as transport:
        server.hanging = True
        await asyncio.wait([transport.task], timeout=10)
        with pytest.raises(RoomError, match="silent"):
            transport.task.result()


async def test_leaving_ends_the_session_and_the_connection(server: FakeJanusServer) -> None:
    async with running(server.url) as transport:
        await transport.transport.leave()
        assert sent(server, "destroy") == 1
        await asyncio.wait([transport.task, transport.following], timeout=1)
        assert transport.task.done()
        assert transport.following.done()


async def test_leaving_before_the_connection_is_there_is_immediate() -> None:
    url = JanusUrl.parse("janus://127.0.0.1:9/1")
    transport = JanusTransport(url, JanusProtocol(url.room), JanusTimeouts())
    async with asyncio.timeout(0.5):
        await transport.leave()


class LongPolled:
    """``FakeJanus`` over HTTP: answers of the plugin come by the long poll alone."""

    def __init__(self) -> None:
        self.server = FakeJanus([])
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.polls = 0

    async def post(self, http: web.Request) -> web.Response:
        request = await http.json()
        if handle := http.match_info.get("handle"):
            request["handle_id"] = int(handle)
        answer, *_ = (json.loads(text) for text in self.server.answers(request))
        if answer["janus"] != "event":
            return web.json_response(answer)
        self.events.put_nowait(answer)
        return web.json_response({"janus": "ack", "transaction": request["transaction"]})

    async def poll(self, _: web.Request) -> web.Response:
        self.polls += 1
        return web.json_response([await self.events.get()])


async def test_events_come_by_long_poll() -> None:
    fake, app = LongPolled(), web.Application()
    app.router.add_post("/janus{session:(/[0-9]+)?}", fake.post)
    app.router.add_post("/janus/{session:[0-9]+}/{handle:[0-9]+}", fake.post)
    app.router.add_get("/janus/{session:[0-9]+}", fake.poll)
    async with TestServer(app) as http, running(f"janus+http://127.0.0.1:{http.port}/1"):
        assert fake.polls >= 1
