"""What is asked over HTTP before joining, of servers that answer in every way."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from config.errors import RefusedError, RoomError
from sidecar.rooms.galene.address import Address
from sidecar.rooms.galene.credentials import Credentials
from sidecar.rooms.galene.door import Group, authorise, find_group, speaks_galene

NOBODY = Credentials("Reactions")
ADA = Credentials("Ada", password="s3cret")


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

    def address(self, name: str = "room") -> Address:
        return Address(f"{self.origin}/group/{name}/")

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
        group = await find_group(http, server.address(), NOBODY)
        assert group.endpoint.startswith("ws://127.0.0.1:")
        assert (group.name, group.auth_server) == ("room", "https://auth.example/")
        assert await speaks_galene(http, server.address())


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
async def test_what_is_no_galene_is_told_and_not_confirmed(
    status: int, kind: str, body: str, error: type[RoomError]
) -> None:
    async with stub() as (server, http):
        server.answer = lambda path, _: web.Response(status=status, content_type=kind, text=body)
        with pytest.raises(error) as refusal:
            await find_group(http, server.address(), NOBODY)
        assert type(refusal.value) is error
        assert server.origin in str(refusal.value)
        assert not await speaks_galene(http, server.address())


async def test_a_server_that_is_down_may_be_asked_again() -> None:
    async with stub() as (server, http):
        address = server.address()
    async with aiohttp.ClientSession() as http:
        with pytest.raises(RoomError, match="can't be reached") as refusal:
            await find_group(http, address, NOBODY)
        assert not isinstance(refusal.value, RefusedError)


def redirecting(server: Stub, **to: str) -> Callable[[str, str], web.Response]:
    """Groups that are elsewhere, by name: ``/…`` is told over HTTP, others in the status."""

    def answer(path: str, body: str) -> web.Response:
        name = path.split("/")[2]
        there = to.get(name)
        if there is None:
            return server.status(name=name)
        if there.startswith("/"):
            return web.Response(status=307, headers={"Location": there})
        return web.json_response({"name": name, "redirect": there})

    return answer


async def test_redirects_are_followed() -> None:
    async with stub() as (server, http):
        server.answer = redirecting(server, a="/group/b/.status", b=f"{server.origin}/group/c/")
        group = await find_group(http, server.address("a"), ADA)
        assert group.address == server.address("c")
        assert await speaks_galene(http, server.address("b"))


async def test_redirects_in_a_circle_are_given_up() -> None:
    async with stub() as (server, http):
        server.answer = redirecting(server, a="/group/b/", b="/group/a/")
        with pytest.raises(RefusedError, match="too often"):
            await find_group(http, server.address("a"), NOBODY)
        assert len(server.asked) == 5


async def test_a_password_is_told_to_no_other_server() -> None:
    async with stub() as (server, http), stub() as (other, _):
        other.answer = lambda path, body: other.status()
        server.answer = redirecting(server, a=other.address().url)
        with pytest.raises(RefusedError, match="another server"):
            await find_group(http, server.address("a"), ADA)
        assert not other.asked
        assert (await find_group(http, server.address("a"), NOBODY)).address == other.address()


@pytest.mark.parametrize("endpoint", ["ws://galene.example/ws", "http://127.0.0.1/ws", "x"])
async def test_an_endpoint_in_the_clear_is_refused(endpoint: str) -> None:
    async with stub() as (server, http):
        server.answer = lambda path, body: server.status(endpoint=endpoint)
        with pytest.raises(RefusedError):
            await find_group(http, server.address(), NOBODY)


def guarded(server: Stub) -> Group:
    return Group("room", server.address(), "ws://127.0.0.1/ws", f"{server.origin}/auth")


async def test_an_authorisation_server_gives_a_token_for_a_password() -> None:
    async with stub() as (server, http):
        server.answer = lambda path, body: web.Response(
            text="to.ke.n", content_type="application/jwt"
        )
        credentials = await authorise(http, guarded(server), ADA)
        assert credentials.fields() == {"username": "Ada", "token": "to.ke.n"}
        assert json.loads(server.asked[0]) == {
            "location": server.address().url,
            "username": "Ada",
            "password": "s3cret",
        }


async def test_one_without_an_opinion_leaves_it_to_the_group() -> None:
    async with stub() as (server, http):
        server.answer = lambda path, body: web.Response(status=204)
        assert await authorise(http, guarded(server), ADA) == ADA


async def test_a_token_needs_no_authorisation_server() -> None:
    async with stub() as (server, http):
        token = Credentials("Ada", token="t")
        assert await authorise(http, guarded(server), token) == token
        assert not server.asked


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (403, "text/plain", RefusedError),
        (401, "text/plain", RefusedError),
        (500, "text/plain", RoomError),
        (200, "text/plain", RoomError),
        (307, "text/plain", RoomError),
    ],
)
async def test_its_refusals_are_told_without_the_password(
    status: int, kind: str, error: type[RoomError]
) -> None:
    async with stub() as (server, http):
        server.answer = lambda path, body: web.Response(
            status=status, content_type=kind, text="s3cret", headers={"Location": "/x"}
        )
        with pytest.raises(error) as refusal:
            await authorise(http, guarded(server), ADA)
        assert type(refusal.value) is error
        assert "s3cret" not in str(refusal.value)


async def test_a_password_does_not_travel_in_the_clear() -> None:
    async with aiohttp.ClientSession() as http:
        group = Group("room", Address("https://h/group/room/"), "wss://h/ws", "http://auth.example")
        with pytest.raises(RefusedError, match="in the clear"):
            await authorise(http, group, ADA)
