"""A meeting system of one's own: network cameras that offer a JPEG picture by HTTP.

``sidecar join snapshot+http://HOST/picture.jpg`` shows such a camera as a room of one. Nothing of
the sidecar knows this file: its package's entry point does (docs/adapters.md).
"""

import asyncio
import io
from collections.abc import AsyncGenerator
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

MAX_BYTES = 4 * 2**20
PATIENCE = 5.0


class SnapshotCamera:
    """A source of frames for ``Feed``: asks for a picture, waits a little, asks again."""

    def __init__(self, url: str, http: aiohttp.ClientSession, rate: float) -> None:
        self._url, self._http, self._interval = url, http, 1 / rate
        self._clock = asyncio.get_running_loop().time
        self.lost = asyncio.Event()

    async def recv(self) -> av.VideoFrame:
        """The next picture; one that can't be had ends the camera."""
        await asyncio.sleep(self._interval)
        try:
            picture = await asyncio.to_thread(decode, await self.fetch())
        except Exception:
            self.lost.set()
            raise
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = int(self._clock() * 1000), Fraction(1, 1000)
        return frame

    async def fetch(self) -> bytes:
        """One picture as the camera sends it; raises RoomError, RefusedError where it must not."""
        async with asyncio.timeout(PATIENCE), self._http.get(self._url) as response:
            if response.status in (401, 403):
                raise RefusedError("this camera wants a password", where=str(response.url.host))
            if response.status != 200:
                raise RoomError(f"answered {response.status}", where=str(response.url.host))
            data = b""
            while chunk := await response.content.read(MAX_BYTES - len(data)):
                data += chunk
            return data


def decode(data: bytes) -> RgbImage:
    """The picture in ``data``, of at most the pixels that Pillow thinks safe."""
    picture = Image.open(io.BytesIO(data), formats=["JPEG"])
    even = (picture.width // 2 * 2, picture.height // 2 * 2)
    return np.asarray(picture.convert("RGB").crop((0, 0, *even)))


class SnapshotRoom:
    """Implements ``Room``: one participant, as long as the camera answers."""

    def __init__(self, url: str, options: JoinOptions) -> None:
        self._url, self._rate = url, options.rate
        self._life = AsyncExitStack()

    @property
    def name(self) -> str:
        return "snapshots"

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(aiohttp.ClientSession())
            self._camera = SnapshotCamera(self._url, http, self._rate)
            await self._camera.fetch()  # So that a wrong address is told at once.
            self._feed = await stack.enter_async_context(Feed(self._camera))
            self._life = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._life.aclose()

    async def changes(self) -> AsyncGenerator[RoomChange]:
        yield Joined("camera", "Camera", self._feed)
        await self._camera.lost.wait()
        raise RoomError("the camera is gone")  # Whoever joined us joins anew.

    async def publish(self, composite: TrackSource) -> None:
        """A camera shows nothing: ``--publish`` has to name another place."""

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
