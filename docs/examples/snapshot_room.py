"""A meeting system of your own: network cameras that offer a JPEG picture by HTTP.

``sidecar join snapshot+http://HOST/picture.jpg`` shows such a camera as a room of one. The sidecar
finds this adapter by the entry point of its package (docs/adapters.md).
"""

import asyncio
import io
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from fractions import Fraction
from typing import Self

import aiohttp
import av
import numpy as np
from PIL import Image

from config.errors import RefusedError, RoomError
from reactions.landmark_types import RgbImage
from sidecar.media.feed import Feed
from sidecar.rooms.base import Joined, JoinOptions, ReceiverConstraints, RoomChange, TrackSource
from sidecar.rooms.changes import RoomChanges
from sidecar.rooms.http import open_http

MAX_BYTES = 4 * 2**20
ANSWER_TIMEOUT = 5.0


class SnapshotCamera:
    """A source of frames for ``Feed``: requests a picture ``rate`` times a second."""

    def __init__(
        self,
        url: str,
        http: aiohttp.ClientSession,
        rate: float,
        on_lost: Callable[[RoomError], None],
    ) -> None:
        self._url, self._http, self._interval = url, http, 1 / rate
        self._on_lost = on_lost
        self._clock = asyncio.get_running_loop().time

    async def recv(self) -> av.VideoFrame:
        """Return the next picture; the first that fails ends the camera."""
        await asyncio.sleep(self._interval)
        try:
            picture = await asyncio.to_thread(decode, await self.fetch())
        except Exception as error:
            self._on_lost(RoomError(f"the camera is gone: {error}"))
            raise
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = int(self._clock() * 1000), Fraction(1, 1000)
        return frame

    async def fetch(self) -> bytes:
        """Return one picture as it is sent; raises RoomError, or RefusedError for 401 and 403."""
        async with asyncio.timeout(ANSWER_TIMEOUT), self._http.get(self._url) as response:
            if response.status in (401, 403):
                raise RefusedError(
                    "HTTP 401 or 403: password required", where=str(response.url.host)
                )
            if response.status != 200:
                raise RoomError(f"HTTP {response.status}", where=str(response.url.host))
            data = b""
            while chunk := await response.content.read(MAX_BYTES - len(data)):
                data += chunk
            return data


def decode(data: bytes) -> RgbImage:
    """Decode ``data``; Pillow limits the number of pixels."""
    picture = Image.open(io.BytesIO(data), formats=["JPEG"])
    even = (picture.width // 2 * 2, picture.height // 2 * 2)
    return np.asarray(picture.convert("RGB").crop((0, 0, *even)))


class SnapshotRoom:
    """Implements ``Room``: one participant, as long as the camera answers."""

    def __init__(self, url: str, options: JoinOptions) -> None:
        self._url, self._rate = url, options.rate
        self._changes = RoomChanges()
        self._life = AsyncExitStack()

    @property
    def name(self) -> str:
        return "snapshots"

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            stack.callback(self._changes.end)
            http = await stack.enter_async_context(open_http())
            camera = SnapshotCamera(self._url, http, self._rate, self._changes.end)
            await camera.fetch()  # A wrong URL fails here, and not later.
            feed = await stack.enter_async_context(Feed(camera))
            self._changes.join(Joined("camera", "Camera", feed))
            self._life = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._life.aclose()

    def changes(self) -> AsyncGenerator[RoomChange]:
        return self._changes.follow()

    async def publish(self, composite: TrackSource) -> None:
        """A camera can't show the composite: ``--publish`` names another sink."""

    def constrain(self, participant: str, want: ReceiverConstraints) -> None:
        """There is one size only."""


class SnapshotAdapter:
    """What the entry point names."""

    system = "Snapshot camera"
    forms = ("snapshot+http://HOST/PICTURE.jpg",)

    def recognises(self, url: str) -> bool:
        return url.startswith("snapshot+http")

    async def confirms(self, url: str, http: aiohttp.ClientSession) -> bool:
        return True

    def room(self, url: str, options: JoinOptions) -> SnapshotRoom:
        return SnapshotRoom(url.removeprefix("snapshot+"), options)


ADAPTER = SnapshotAdapter()
