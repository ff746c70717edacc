"""Servers that are no Galène, or a very odd one: nobody waits for them for long."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import pytest
from aiohttp import web

from config.errors import RefusedError, RoomError
from sidecar.rooms.galene.messages import MAX_MESSAGE
from tests.sidecar.clients import eventually
from tests.sidecar.rooms.galene.conftest import attending
from tests.sidecar.rooms.galene.test_protocol import OFFER

Talk: TypeAlias = Callable[[web.WebSocketResponse, str], Awaitable[None]]
HANDSHAKE = {"type": "handshake", "version": ["2"]}


async def let_in(socket: web.WebSocketResponse, **fields: Any) -> None:
    await socket.send_json(HANDSHAKE)
    await socket.send_json({"type": "joined", "kind": "join", "permissions": [], **fields})


@asynccontextmanager
async def server(talk: Talk) -> AsyncIterator[str]:
    """A server that says what ``talk`` does to whoever joins a group; its group's address.

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

    async with server(talk) as url, attending(url) as attendance:
        assert attendance.room.name == "b"


async def test_redirects_in_a_circle_are_given_up() -> None:
    async def talk(socket: web.WebSocketResponse, group: str) -> None:
        await socket.send_json({"type": "joined", "kind": "redirect", "value": "/group/a/"})

    async with server(talk) as url:
        with pytest.raises(RefusedError, match="too often"):
            async with attending(url):
                pass


async def test_one_that_never_lets_us_in_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sidecar.rooms.galene.room.JOINING", 0.2)

    async def talk(socket: web.WebSocketResponse, group: str) -> None:
        await socket.send_json(HANDSHAKE)

    async with server(talk) as url:
        with pytest.raises(RoomError, match="did not let us in in time"):
            async with attending(url):
                pass


async def test_one_that_hangs_up_is_told() -> None:
    async def talk(socket: web.WebSocketResponse, group: str) -> None:
        await socket.close(code=1011, message=b"out of order")

    async with server(talk) as url:
        with pytest.raises(RoomError, match="out of order"):
            async with attending(url):
                pass


async def test_nonsense_is_passed_over() -> None:
    async def talk(socket: web.WebSocketResponse, group: str) -> None:
        await let_in(socket)
        await socket.send_bytes(b"\x00")
        for text in ("", "[]", "{", '{"type": "offer", "id": 3}', '{"type": []}'):
            await socket.send_str(text)
        offer = {"type": "offer", "id": "x", "source": "ada", "username": "Ada", "sdp": "v=1"}
        await socket.send_json(offer)

    async with server(talk) as url, attending(url) as attendance:
        await eventually(lambda: "Ada" in attendance.present)
        assert attendance.present["Ada"].feed is None
        assert attendance.ended is None


async def test_a_message_that_is_far_too_long_ends_the_visit() -> None:
    async def talk(socket: web.WebSocketResponse, group: str) -> None:
        await let_in(socket)
        await socket.send_str("x" * (MAX_MESSAGE + 1))

    async with server(talk) as url, attending(url) as attendance:
        await eventually(lambda: attendance.ended is not None)
        assert not isinstance(attendance.ended, RefusedError)


async def test_a_stream_whose_connection_never_comes_up_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sidecar.rooms.galene.cameras.CONNECTING", 0.5)
    said: list[dict[str, Any]] = []

    async def talk(socket: web.WebSocketResponse, group: str) -> None:
        await let_in(socket)
        await socket.send_json(deaf_offer())
        async for message in socket:
            said.append(json.loads(message.data))
            if said[-1]["type"] == "request" and len(said) > 2:
                await socket.send_json(deaf_offer())

    async with server(talk) as url, attending(url) as attendance:
        await eventually(lambda: [m["type"] for m in said].count("abort") >= 2)
        assert "UDP" in attendance.present["Ada"].problem


def deaf_offer() -> dict[str, Any]:
    """An offer of Ada's whose sender doesn't exist."""
    return {**OFFER, "id": "x", "username": "Ada"}


async def test_leaving_while_joining_frees_everything() -> None:
    async def talk(socket: web.WebSocketResponse, group: str) -> None:
        await socket.send_json(HANDSHAKE)

    async with server(talk) as url:
        before = len(asyncio.all_tasks())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3), attending(url):
                pass
        await eventually(lambda: len(asyncio.all_tasks()) <= before)
