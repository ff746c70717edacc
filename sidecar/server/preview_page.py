"""The composite as a page of this machine, mirrored: a self-view of ``sidecar join --preview``.

The page is open to programs of this machine that know its address, which has a random part: other
users of the machine don't. Pictures are made while the page is open, and no others.
"""

import asyncio
import secrets
from importlib.resources import files
from pathlib import Path
from typing import Final

import av
import numpy as np
import simplejpeg
from aiohttp import web
from numpy.typing import NDArray

from sidecar.captured import Captured
from sidecar.server.app import create_app
from sidecar.server.listener import HttpListener
from sidecar.session.stats import SinkStats

HOST: Final = "127.0.0.1"
PICTURES: Final = 15
"""A second, at most."""
QUALITY: Final = 80
WATCHERS: Final = 4
"""Open pages at most."""
PATIENCE: Final = 5.0
"""Seconds that a page may take to read a picture."""
_WEB: Final = Path(str(files("sidecar") / "web"))
_FILES: Final = {
    "": (_WEB / "preview" / "index.html", "text/html"),
    "preview.css": (_WEB / "preview" / "preview.css", "text/css"),
    "preview.js": (_WEB / "preview" / "preview.js", "text/javascript"),
    "style.css": (_WEB / "style.css", "text/css"),
    "icon.svg": (_WEB / "icon.svg", "image/svg+xml"),
}
_BOUNDARY: Final = "picture"
_MARK: Final = f"--{_BOUNDARY}\r\n".encode()


class PreviewPage:
    """Implements ``PictureSink``: shows the newest picture to the pages that are open."""

    name: Final = "preview"

    def __init__(self, port: int = 0) -> None:
        self._path = f"/{secrets.token_urlsafe(16)}/"
        routes = [
            web.get(f"{self._path}picture.mjpeg", self._pictures),
            web.get(f"{self._path}{{file:[a-z.]*}}", self._file),
        ]
        self._listener = HttpListener(create_app(routes, host=HOST), HOST, port)
        self._newest: av.VideoFrame | None = None
        self._watchers = 0
        self._shown = 0

    @property
    def url(self) -> str:
        """The page's address, once it is started."""
        return self._listener.url(self._path)

    async def start(self) -> None:
        """Listen; raises ServerError where that fails."""
        await self._listener.start()

    async def aclose(self) -> None:
        """End the pages' streams."""
        await self._listener.aclose()

    def take(self, frame: av.VideoFrame, time: float) -> None:
        self._newest = frame

    def stats(self) -> SinkStats:
        return SinkStats(self.name, self._shown)

    async def _file(self, request: web.Request) -> web.Response:
        found = _FILES.get(request.match_info["file"])
        if found is None:
            raise web.HTTPNotFound
        path, kind = found
        body = await asyncio.to_thread(path.read_bytes)
        headers = {"Cache-Control": "no-store"}
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)

    async def _pictures(self, request: web.Request) -> web.StreamResponse:
        """A stream of JPEGs, each in place of the one before, until the page is closed."""
        if self._watchers >= WATCHERS:
            raise web.HTTPServiceUnavailable(text="too many open pages: close one")
        kind = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"
        response = web.StreamResponse(headers={"Content-Type": kind, "Cache-Control": "no-store"})
        self._watchers += 1
        try:
            await response.prepare(request)
            await response.write(_MARK)
            await self._send(response)
        except (ConnectionError, TimeoutError):
            # The page was closed, or is not read.
            pass
        finally:
            self._watchers -= 1
        return response

    async def _send(self, response: web.StreamResponse) -> None:
        sent: av.VideoFrame | None = None
        while True:
            picture = self._newest
            if picture is not None and picture is not sent:
                sent = picture
                with Captured() as attempt:
                    body = await asyncio.to_thread(as_jpeg, picture)
                if attempt.error is None:
                    async with asyncio.timeout(PATIENCE):
                        await response.write(_part(body))
                    self._shown += 1
            await asyncio.sleep(1 / PICTURES)


def as_jpeg(picture: av.VideoFrame) -> bytes:
    """An I420 picture as JPEG, without a way through RGB."""
    width, height = picture.width, picture.height
    flat: NDArray[np.uint8] = np.asarray(picture.to_ndarray(), np.uint8).reshape(-1)
    luma, blue, red = np.split(flat, [width * height, width * height * 5 // 4])
    half = (height // 2, width // 2)
    planes = luma.reshape(height, width), blue.reshape(half), red.reshape(half)
    encoded: bytes = simplejpeg.encode_jpeg_yuv_planes(*planes, quality=QUALITY)
    return encoded


def _part(body: bytes) -> bytes:
    """One picture with the mark of the next: browsers show it once they have read that."""
    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body + b"\r\n" + _MARK
