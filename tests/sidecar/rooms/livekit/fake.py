"""A fake LiveKit server for what a real one rarely does."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

from aiohttp import web
from livekit.protocol import models, rtc

Act: TypeAlias = Callable[[web.WebSocketResponse], Awaitable[None]]
JOIN: Final = rtc.SignalResponse(join=rtc.JoinResponse(room=models.Room(name="room")))


@asynccontextmanager
async def fake_server(act: Act | None, status: int = 101, reason: str = "") -> AsyncIterator[str]:
    """A server that does ``act`` with every WebSocket, or refuses it; its address."""

    async def connect(request: web.Request) -> web.StreamResponse:
        if act is None:
            return web.Response(status=status, text="Bad handshake")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await act(socket)
        return socket

    async def validate(request: web.Request) -> web.Response:
        assert "token" not in str(request.url)
        return web.Response(status=status, text=reason)

    app = web.Application()
    app.router.add_get("/rtc", connect)
    app.router.add_get("/rtc/validate", validate)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def say(socket: web.WebSocketResponse, response: rtc.SignalResponse) -> None:
    await socket.send_bytes(response.SerializeToString())
