"""Requests to a LiveKit server that answers badly."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from config.errors import RoomError
from sidecar.dispatch import dispatch_api
from sidecar.dispatch.dispatch_api import DispatchApi
from sidecar.rooms.http import open_http
from sidecar.rooms.livekit.tokens import KeyPair
from tests.servers.livekit import KEY, SECRET

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def rooms_of(answer: Answer) -> None:
    """List the rooms of a server that answers so."""
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        async with open_http() as http:
            server = f"ws://127.0.0.1:{runner.addresses[0][1]}"
            await DispatchApi(http, server, KeyPair(KEY, SECRET)).rooms()
    finally:
        await runner.cleanup()


def body(data: bytes, status: int = 200, **headers: str) -> Answer:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=data, status=status, headers=headers)

    return answer


async def silence(request: web.Request) -> web.Response:
    await asyncio.sleep(60)
    return web.Response()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (body(b"\xff" * 50), "the answer is no protobuf"),
        (body(b"\0" * 3000), "the answer is longer than 0 MiB"),
        (body(b"[" * 900, 500), "HTTP 500"),
        (body(b'{"code": 1, "msg": ["two\\nlines"]}', 503), "HTTP 503, "),
        (body(b"", 401), "HTTP 401"),
        (body(b"", 307, Location="http://elsewhere.example/x?y=z"), "redirects us"),
        (silence, "no answer in time"),
    ],
)
async def test_bad_answers_are_one_line_that_has_no_secret(
    answer: Answer, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch_api, "MAX_ANSWER", 2000)
    monkeypatch.setattr(dispatch_api, "TIMEOUT", 0.5)
    with pytest.raises(RoomError) as caught:
        await rooms_of(answer)
    assert said in (text := str(caught.value))
    assert len(text.splitlines()) == 1
    assert SECRET not in text
    assert "Bearer" not in text
