"""HTTP and WebSocket: a server that answers in every way, and one that sends what a test says."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import aiohttp
import pytest
from aiohttp import web

from config.errors import ProtocolError, RefusedError, RoomError
from sidecar.aio import TaskSet
from sidecar.rooms.galene.messages import MAX_MESSAGE
from sidecar.rooms.galene.protocol import GaleneProtocol
from sidecar.rooms.galene.transport import (
    GaleneHttp,
    GaleneTimeouts,
    GaleneTransport,
    GroupStatus,
)
from sidecar.rooms.galene.url import GroupCredentials, GroupUrl
from tests.sidecar.clients import eventually
from tests.sidecar.rooms.galene.conftest import BRISK, attending

WITHOUT_SECRET = GroupCredentials("Reactions")
ADA = GroupCredentials("Ada", password="s3cret")
HANDSHAKE = {"type": "handshake", "version": ["2"]}
Talk: TypeAlias = Callable[[web.WebSocketResponse, str], Awaitable[None]]


def requests(http: aiohttp.ClientSession) -> GaleneHttp:
    return GaleneHttp(http, GaleneTimeouts())


class Stub:
    """A server whose answers a test decides on."""

    def __init__(self) -> None:
        self.answer: Callable[[str, str], web.Response] = lambda path, body: web.Response()
        self.asked: list[str] = []
        self.origin = ""

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.text()
        self.asked.append(body)
        return self.answer(request.path, body)

    def url(self, name: str = "room") -> GroupUrl:
        return GroupUrl(f"{self.origin}/group/{name}/")

    def status(self, **fields: Any) -> web.Response:
        endpoint = self.origin.replace("http", "ws") + "/ws"
        return web.json_response({"name": "room", "endpoint": endpoint, **fields})


@asynccontextmanager
async def stub() -> AsyncIterator[tuple[Stub, aiohttp.ClientSession]]:
    server = Stub()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with aiohttp.ClientSession() as http:
            yield server, http
    finally:
        await runner.cleanup()


async def test_a_group_is_found() -> None:
    async with stub() as (server, http):
        server.answer = lambda path, body: server.status(authServer="https://auth.example/")
        group = await requests(http).find_group(server.url(), WITHOUT_SECRET)
        assert group.endpoint.startswith("ws://127.0.0.1:")
        assert (group.name, group.auth_server) == ("room", "https://auth.example/")
        assert await requests(http).is_galene(server.url())


@pytest.mark.parametrize(
    ("status", "kind", "body", "error"),
    [
        (404, "text/html", "", RefusedError),
        (200, "text/html", "<html>", RefusedError),
        (200, "application/json", "[]", RefusedError),
        (200, "application/json", "{", RefusedError),
        (200, "application/json", "{}", RefusedError),
        (200, "application/json", '{"name": 1, "endpoint": 2}', RefusedError),
        (200, "application/json", " " * 100_000 + "{}", RefusedError),
        (403, "application/json", "{}", RefusedError),
        (502, "text/html", "", RoomError),
    ],
)
async def test_another_server_is_refused_and_not_confirmed(
    status: int, kind: str, body: str, error: type[RoomError]
) -> None:
    async with stub() as (server, http):
        server.answer = lambda path, _: web.Response(status=status, content_type=kind, text=body)
        with pytest.raises(error) as refusal:
            await requests(http).find_group(server.url(), WITHOUT_SECRET)
        assert type(refusal.value) is error
        assert server.origin in str(refusal.value)
        assert not await requests(http).is_galene(server.url())


async def test_a_server_that_is_down_may_be_asked_again() -> None:
    async with stub() as (server, http):
        url = server.url()
    async with aiohttp.ClientSession() as http:
        with pytest.raises(RoomError, match="can't be reached") as refusal:
            await requests(http).find_group(url, WITHOUT_SECRET)
        assert not isinstance(refusal.value, RefusedError)


def redirecting(server: Stub, **to: str) -> Callable[[str, str], web.Response]:
    """Groups that are elsewhere, by name: ``/…`` by an HTTP redirect, others by the status."""

    def answer(path: str, body: str) -> web.Response:
        name = path.split("/")[2]
        there = to.get(name)
        if there is None:
            return server.status(name=name)
        if there.startswith("/"):
            return web.Response(status=307, headers={"Location": there})
        return web.json_response({"name": name, "redirect": there})

    return answer


async def test_redirects_of_the_status_are_followed() -> None:
    async with stub() as (server, http):
        server.answer = redirecting(server, a="/group/b/.status", b=f"{server.origin}/group/c/")
        group = await requests(http).find_group(server.url("a"), ADA)
        assert group.url == server.url("c")
        assert await requests(http).is_galene(server.url("b"))


async def test_redirects_of_the_status_in_a_circle_are_given_up() -> None:
    async with stub() as (server, http):
        server.answer = redirecting(server, a="/group/b/", b="/group/a/")
        with pytest.raises(RefusedError, match="too often"):
            await requests(http).find_group(server.url("a"), WITHOUT_SECRET)
        assert len(server.asked) == 5


async def test_the_password_goes_to_no_other_server() -> None:
    async with stub() as (server, http), stub() as (other, _):
        other.answer = lambda path, body: other.status()
        server.answer = redirecting(server, a=other.url().url)
        with pytest.raises(RefusedError, match="another server"):
            await requests(http).find_group(server.url("a"), ADA)
        assert not other.asked
        assert (await requests(http).find_group(server.url("a"), WITHOUT_SECRET)).url == other.url()


@pytest.mark.parametrize("endpoint", ["ws://galene.example/ws", "http://127.0.0.1/ws", "x"])
async def test_an_unencrypted_endpoint_is_refused(endpoint: str) -> None:
    async with stub() as (server, http):
        server.answer = lambda path, body: server.status(endpoint=endpoint)
        with pytest.raises(RefusedError):
            await requests(http).find_group(server.url(), WITHOUT_SECRET)


def guarded(server: Stub) -> GroupStatus:
    return GroupStatus("room", server.url(), "ws://127.0.0.1/ws", f"{server.origin}/auth")


async def test_an_authorisation_server_gives_a_token_for_a_password() -> None:
    async with stub() as (server, http):
        server.answer = lambda path, body: web.Response(
            text="to.ke.n", content_type="application/jwt"
        )
        credentials = await requests(http).authorise(guarded(server), ADA)
        assert credentials.join_fields() == {"username": "Ada", "token": "to.ke.n"}
        assert json.loads(server.asked[0]) == {
            "location": server.url().url,
            "username": "Ada",
            "password": "s3cret",
        }


async def test_an_authorisation_server_may_leave_it_to_the_group() -> None:
    async with stub() as (server, http):
        server.answer = lambda path, body: web.Response(status=204)
        assert await requests(http).authorise(guarded(server), ADA) == ADA


async def test_a_token_needs_no_authorisation_server() -> None:
    async with stub() as (server, http):
        token = GroupCredentials("Ada", token="t")
        assert await requests(http).authorise(guarded(server), token) == token
        assert not server.asked


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (403, "text/plain", RefusedError),
        (401, "text/plain", RefusedError),
        (500, "text/plain", ProtocolError),
        (200, "text/plain", ProtocolError),
        (307, "text/plain", ProtocolError),
    ],
)
async def test_refusals_of_an_authorisation_server_do_not_show_the_password(
    status: int, kind: str, error: type[RoomError]
) -> None:
    async with stub() as (server, http):
        server.answer = lambda path, body: web.Response(
            status=status, content_type=kind, text="s3cret", headers={"Location": "/x"}
        )
        with pytest.raises(error) as refusal:
            await requests(http).authorise(guarded(server), ADA)
        assert type(refusal.value) is error
        assert "s3cret" not in str(refusal.value)


async def test_a_password_is_not_sent_unencrypted() -> None:
    async with aiohttp.ClientSession() as http:
        group = GroupStatus(
            "room", GroupUrl("https://h/group/room/"), "wss://h/ws", "http://auth.example"
        )
        with pytest.raises(RefusedError, match="unencrypted"):
            await requests(http).authorise(group, ADA)


async def let_in(socket: web.WebSocketResponse, **fields: Any) -> None:
    await socket.send_json(HANDSHAKE)
    await socket.send_json({"type": "joined", "kind": "join", "permissions": [], **fields})


@asynccontextmanager
async def scripted(talk: Talk) -> AsyncIterator[str]:
    """A server that sends what ``talk`` does to a client that joins a group; its group's URL.

    ``talk`` gets the group's name; the connection stays open after it until the client goes.
    """

    async def status(request: web.Request) -> web.Response:
        endpoint = f"ws://{request.host}/ws"
        return web.json_response({"name": request.match_info["name"], "endpoint": endpoint})

    async def connect(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        join = json.loads((await socket.receive()).data)
        await talk(socket, join["group"])
        async for _ in socket:
            pass
        return socket

    app = web.Application()
    app.router.add_get("/group/{name}/.status", status)
    app.router.add_get("/ws", connect)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/group/a/"
    finally:
        await runner.cleanup()


async def test_a_redirect_while_joining_is_followed() -> None:
    async def talk(socket: web.WebSocketResponse, group: str) -> None:
        if group == "a":
            await socket.send_json(HANDSHAKE)
            await socket.send_json({"type": "joined", "kind": "redirect", "value": "/group/b/"})
        else:
            await let_in(socket)

    async with scripted(talk) as url, attending(url) as attendance:
        assert attendance.room.name == "b"


async def test_a_redirect_while_joining_takes_no_password_to_another_server() -> None:
    asked: list[str] = []

    async def redirect(socket: web.WebSocketResponse, group: str) -> None:
        await socket.send_json({"type": "joined", "kind": "redirect", "value": there})

    async def refuse(socket: web.WebSocketResponse, group: str) -> None:
        asked.append(group)

    async with scripted(refuse) as there, scripted(redirect) as here:
        with pytest.raises(RefusedError, match="another server"):
            async with attending(here, environ={"GALENE_PASSWORD": "s3cret"}):
                pass
    assert not asked


async def test_redirects_while_joining_in_a_circle_are_given_up() -> None:
    async def talk(socket: web.WebSocketResponse, group: str) -> None:
        await socket.send_json({"type": "joined", "kind": "redirect", "value": "/group/a/"})

    async with scripted(talk) as url:
        with pytest.raises(RefusedError, match="too often"):
            async with attending(url):
                pass


async def test_a_server_that_never_decides_is_left() -> None:
    async def talk(socket: web.WebSocketResponse, group: str) -> None:
        await socket.send_json(HANDSHAKE)

    async with scripted(talk) as url:
        with pytest.raises(RoomError, match="did not admit the sidecar in time"):
            async with attending(url, timeouts=dataclasses.replace(BRISK, join=0.2)):
                pass


async def test_the_reason_of_a_closed_connection_is_stated() -> None:
    async def talk(socket: web.WebSocketResponse, group: str) -> None:
        await socket.close(code=1011, message=b"out of order")

    async with scripted(talk) as url:
        with pytest.raises(RoomError, match="out of order"):
            async with attending(url):
                pass


async def test_garbage_is_ignored() -> None:
    async def talk(socket: web.WebSocketResponse, group: str) -> None:
        await let_in(socket)
        await socket.send_bytes(b"\x00")
        for text in ("", "[]", "{", '{"type": "offer", "id": 3}', '{"type": []}'):
            await socket.send_str(text)
        offer = {"type": "offer", "id": "x", "source": "ada", "username": "Ada", "sdp": "v=1"}
        await socket.send_json(offer)

    async with scripted(talk) as url, attending(url) as attendance:
        await eventually(lambda: "Ada" in attendance.present)
        assert attendance.present["Ada"].feed is None
        assert not attendance.ended


async def test_a_message_that_is_far_too_long_ends_the_connection() -> None:
    async def talk(socket: web.WebSocketResponse, group: str) -> None:
        await let_in(socket)
        await socket.send_str("x" * (MAX_MESSAGE + 1))

    async with scripted(talk) as url, attending(url) as attendance:
        await eventually(lambda: attendance.ended)
        assert not isinstance(attendance.failure, RefusedError)


async def test_leaving_while_joining_frees_everything() -> None:
    async def talk(socket: web.WebSocketResponse, group: str) -> None:
        await socket.send_json(HANDSHAKE)

    async with scripted(talk) as url:
        before = len(asyncio.all_tasks())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3), attending(url):
                pass
        await eventually(lambda: len(asyncio.all_tasks()) <= before)


async def test_what_a_send_context_produces_is_sent_in_its_order() -> None:
    received: list[str] = []

    def note(text: str) -> None:
        received.append(json.loads(text)["type"])

    async def talk(socket: web.WebSocketResponse, group: str) -> None:
        await let_in(socket)
        async for message in socket:
            note(message.data)

    async with scripted(talk) as url, aiohttp.ClientSession() as http, TaskSet() as tasks:
        group = await requests(http).find_group(GroupUrl(url), WITHOUT_SECRET)
        protocol = GaleneProtocol("us", group.name, WITHOUT_SECRET)
        transport = GaleneTransport(protocol, group, tasks, BRISK)
        await transport.connect(http)
        await anext(transport)
        with transport.send_context() as acting:
            acting.offer("ours", "v=0")
            acting.withdraw("ours")
        await eventually(lambda: received[-2:] == ["offer", "close"])
        await transport.aclose()
        await eventually(lambda: received[-1] == "join")


async def test_events_end_when_the_transport_is_closed() -> None:
    async def talk(socket: web.WebSocketResponse, group: str) -> None:
        await let_in(socket)

    async with scripted(talk) as url, aiohttp.ClientSession() as http, TaskSet() as tasks:
        group = await requests(http).find_group(GroupUrl(url), WITHOUT_SECRET)
        protocol = GaleneProtocol("us", group.name, WITHOUT_SECRET)
        transport = GaleneTransport(protocol, group, tasks, BRISK)
        await transport.connect(http)
        await anext(transport)
        waiting = tasks.create_task(anext(transport, None))
        await transport.aclose()
        async with asyncio.timeout(10):
            assert await waiting is None
