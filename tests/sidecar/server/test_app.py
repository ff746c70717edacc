"""The server as a whole: starting, stopping, headers, unexpected errors."""

import asyncio
import socket

import aiohttp
import pytest
from aiohttp import web

from config.errors import ServerError
from sidecar.server.app import create_app
from sidecar.server.listener import HttpListener
from tests.sidecar.clients import eventually
from tests.sidecar.server.conftest import RunningServer, grey_server, running_server


async def test_a_taken_port_is_one_clear_error_and_leaves_nothing_behind() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        before = len(asyncio.all_tasks())
        with pytest.raises(ServerError, match=rf"127\.0\.0\.1:{port}: the port is taken .*--port"):
            async with grey_server("127.0.0.1", port):
                pass
        assert len(asyncio.all_tasks()) == before


async def test_an_address_of_another_machine_is_one_clear_error() -> None:
    with pytest.raises(ServerError, match=r"192\.0\.2\.1:0: .*--host"):
        async with grey_server("192.0.2.1", 0):
            pass


async def test_a_host_that_is_no_name_is_one_clear_error() -> None:
    with pytest.raises(ServerError, match=r"no host can have that name .*--host"):
        async with grey_server("x" * 300, 0):
            pass


async def test_a_server_that_is_left_has_freed_its_port_and_tasks() -> None:
    before = len(asyncio.all_tasks())
    async with running_server() as running, aiohttp.ClientSession() as http:
        port = running.server.port
        events = await http.get(running.url("/rooms/one/events"))
    events.close()
    await eventually(lambda: len(asyncio.all_tasks()) == before)
    with socket.create_server(("127.0.0.1", port)):
        pass


async def test_listeners_do_not_keep_a_server_from_stopping(http: aiohttp.ClientSession) -> None:
    async with asyncio.timeout(30):
        async with running_server(shutdown=600.0) as running:
            events = await http.get(running.url("/rooms/one/events"))
        assert b"retry" in await events.content.read()


@pytest.mark.parametrize("path", ["/livez", "/nowhere", "/rooms/one/whip"])
async def test_every_answer_carries_the_security_headers(
    running: RunningServer, http: aiohttp.ClientSession, path: str
) -> None:
    async with http.get(running.url(path)) as response:
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"


async def test_an_unexpected_error_is_500_and_keeps_its_words_to_itself(
    http: aiohttp.ClientSession,
) -> None:
    async def broken(request: web.Request) -> web.Response:
        raise RuntimeError("a secret path")

    app = create_app([web.get("/broken", broken)])
    async with (
        HttpListener(app, "127.0.0.1", 0) as server,
        http.get(server.url("/broken")) as response,
    ):
        assert response.status == 500
        assert response.content_type == "application/problem+json"
        assert "secret" not in await response.text()


@pytest.mark.parametrize(
    ("host", "reachable"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("localhost", "localhost")],
)
async def test_the_address_is_one_that_this_machine_can_open(host: str, reachable: str) -> None:
    async with grey_server(host, 0) as server:
        assert server.url("/rooms/x") == f"http://{reachable}:{server.port}/rooms/x"
