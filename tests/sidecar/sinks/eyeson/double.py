"""A double of eyeson's API that refuses what its reference does not allow.

Source: docs.eyeson.com, REST references "Layers" and "Playbacks".
"""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image

KEY: Final = "an-access-key-of-a-meeting"
IMAGE_TYPES: Final = {"image/png": "PNG", "image/webp": "WEBP", "image/jpeg": "JPEG"}
LARGEST: Final = (1280, 960)
PLAYBACK_FIELDS: Final[dict[str, type]] = {
    "url": str,
    "audio": bool,
    "play_id": str,
    "replacement_id": str,
    "name": str,
    "loop_count": int,
}


class Eyeson:
    """One meeting; ``layers`` and ``playing`` are what it shows."""

    def __init__(self) -> None:
        self.layers: dict[str, str | Image.Image] = {}
        self.playing: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.over = False
        self.hanging = asyncio.Event()
        self.hanging.set()
        self.url = ""

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._check])
        app.router.add_post("/rooms/{key}/layers", self._add_layer)
        app.router.add_delete("/rooms/{key}/layers/{layer}", self._clear_layer)
        app.router.add_post("/rooms/{key}/playbacks", self._play)
        return app

    @web.middleware
    async def _check(self, request: web.Request, handler: Any) -> web.StreamResponse:
        await self.hanging.wait()
        if request.match_info.get("key") != KEY:
            return web.Response(status=404)
        self.requests.append(f"{request.method} {request.path.partition(KEY)[2]}")
        if self.over:
            return web.Response(status=410)
        response: web.StreamResponse = await handler(request)
        return response

    async def _add_layer(self, request: web.Request) -> web.Response:
        form = await request.post()
        if set(form) - {"file", "url", "z-index", "id"} or form.get("z-index", "1") not in (
            "1",
            "-1",
        ):
            return web.Response(status=400)
        layer, file, url = str(form.get("z-index", "1")), form.get("file"), form.get("url")
        if isinstance(file, web.FileField) and url is None:
            image = Image.open(io.BytesIO(file.file.read()))
            if IMAGE_TYPES.get(file.content_type) != image.format:
                return web.Response(status=400)
            if layer == "1" and (image.width > LARGEST[0] or image.height > LARGEST[1]):
                return web.Response(status=400)
            self.layers[layer] = image
        elif isinstance(url, str) and url.startswith(("http://", "https://")) and file is None:
            self.layers[layer] = url
        else:
            return web.Response(status=400)
        return web.Response(status=201)

    async def _clear_layer(self, request: web.Request) -> web.Response:
        layer = request.match_info["layer"]
        if layer not in {"1", "-1"}:
            return web.Response(status=404)
        self.layers.pop(layer, None)
        return web.Response(status=200)

    async def _play(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            return web.Response(status=400)
        body = await request.json()
        wrong = [name for name in body if type(body[name]) is not PLAYBACK_FIELDS.get(name)]
        if wrong or not str(body.get("url", "")).endswith((".webm", ".mp4", ".mp3")):
            return web.Response(status=400)
        if body.get("play_id") in [one.get("play_id") for one in self.playing]:
            return web.Response(status=409)
        self.playing.append(body)
        return web.Response(status=201)


@asynccontextmanager
async def eyeson() -> AsyncIterator[Eyeson]:
    """A meeting whose API listens on loopback."""
    meeting = Eyeson()
    async with TestServer(meeting.application()) as server:
        meeting.url = f"http://{server.host}:{server.port}"
        try:
            yield meeting
        finally:
            meeting.hanging.set()
