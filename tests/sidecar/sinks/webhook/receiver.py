"""An HTTP server that takes webhooks, and fails, hangs and ends as a test asks."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

SECRET = "a-secret-that-is-long-enough"


class Receiver:
    """Keeps what it takes; ``statuses`` are its next answers, after which it answers 204."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        """Of all requests, in order."""
        self.headers: list[Mapping[str, str]] = []
        self.taken: dict[str, list[str]] = defaultdict(list)
        """Ids of deliveries that were answered 2xx, by room, in order."""
        self.statuses: list[int] = []
        self.broken = False
        """Answer 500 until it is false again."""
        self.answer_headers: dict[str, str] = {}
        self.hanging = asyncio.Event()
        self.hanging.set()
        """Cleared, requests are read and not answered."""
        self.port = 0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def start(self) -> None:
        """Listen on the port of before, if there was one."""
        app = web.Application()
        app.router.add_post("/{path:.*}", self._receive)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def aclose(self) -> None:
        """Close the port and all connections."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _receive(self, request: web.Request) -> web.Response:
        body = (await request.read()).decode()
        self.bodies.append(body)
        self.headers.append(request.headers)
        await self.hanging.wait()
        status = 500 if self.broken else self.statuses.pop(0) if self.statuses else 204
        if 200 <= status < 300:
            event = json.loads(body)
            self.taken[event["room"]].append(event["id"])
        return web.Response(status=status, headers=self.answer_headers)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver that listens."""
    receiver = Receiver()
    await receiver.start()
    try:
        yield receiver
    finally:
        receiver.hanging.set()
        await receiver.aclose()
