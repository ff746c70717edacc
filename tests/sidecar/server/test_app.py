"""The server as a whole: starting, stopping, headers, unexpected errors."""

import asyncio
import socket
from collections.abc import Callable

import aiohttp
import pytest
from aiohttp import web

from config.errors import ServerError
from config.reaction_table import load_reaction_table
from config.settings import Settings
from reactions.labels import LABELS
from sidecar.server.app import create_app, hosted_server
from sidecar.server.listener import HttpListener
from sidecar.server.room_manager import RoomManager
from tests.sidecar.server.conftest import GreyMeeting, RunningServer, running_server


def grey_server(host: str, port: int) -> HttpListener:
    rooms = RoomManager(lambda room: GreyMeeting(room).running())
    return HttpListener(create_app(rooms), host, port, inner=rooms)


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
    await asyncio.sleep(0.1)
    events.close()
    assert len(asyncio.all_tasks()) == before
    with socket.create_server(("127.0.0.1", port)):
        pass


async def test_listeners_do_not_keep_a_server_from_stopping(http: aiohttp.ClientSession) -> None:
    async with asyncio.timeout(30):
        async with running_server(shutdown=600.0) as running:
            events = await http.get(running.url("/rooms/one/events"))
        assert b"retry" in await events.content.read()


async def test_health_has_the_number_of_open_rooms(
    running: RunningServer, http: aiohttp.ClientSession
) -> None:
    async with http.get(running.url("/healthz")) as response:
        assert await response.json() == {"status": "ok", "rooms": 0}


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/rooms/one/whip"])
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

    rooms = RoomManager(lambda room: GreyMeeting(room).running())
    app = create_app(rooms, pages=[web.get("/broken", broken)])
    async with HttpListener(app, "127.0.0.1", 0, inner=rooms) as server:
        async with http.get(server.url("/broken")) as response:
            assert response.status == 500
            assert response.content_type == "application/problem+json"
            assert "secret" not in await response.text()
        async with http.get(server.url("/healthz")) as response:
            assert response.status == 200


@pytest.mark.parametrize(
    ("host", "reachable"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("localhost", "localhost")],
)
async def test_the_address_is_one_that_this_machine_can_open(host: str, reachable: str) -> None:
    async with grey_server(host, 0) as server:
        assert server.url("/rooms/x") == f"http://{reachable}:{server.port}/rooms/x"


@pytest.fixture
def settings() -> Callable[..., Settings]:
    def make(**server: object) -> Settings:
        return Settings(server={"port": 0, **server})

    return make


async def test_settings_reach_the_rooms(
    settings: Callable[..., Settings], http: aiohttp.ClientSession
) -> None:
    wanted = settings(
        max_body_bytes=1024,
        origins=["https://good.example"],
        ice_servers=[{"url": "turn:192.0.2.1", "username": "ada", "credential": "secret"}],
    )
    async with hosted_server(
        wanted,
        load_reaction_table(LABELS),
        lambda room: GreyMeeting(room).running(),
        rooms=["demo"],
    ) as server:
        async with http.get(server.url("/"), allow_redirects=False) as response:
            assert response.headers["Location"] == "/rooms/demo"
        async with http.options(server.url("/rooms/demo/whip")) as response:
            assert 'credential="secret"' in response.headers["Link"]
        headers = {"Content-Type": "application/sdp", "Origin": "https://good.example"}
        async with http.post(
            server.url("/rooms/demo/whip"), data=b"x" * 2000, headers=headers
        ) as response:
            assert response.status == 413
            assert "1024" in (await response.json())["detail"]
            assert response.headers["Access-Control-Allow-Origin"] == "https://good.example"
        async with http.get(server.url("/rooms/other")) as response:
            assert response.status == 404
