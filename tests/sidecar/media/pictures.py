"""Plain pictures, stickers and tracks that the tests of this package share."""

import asyncio
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from gifs.animation import Animation
from gifs.yuva import Rgb, straight_to_yuva
from sidecar.media.compositor.i420 import Planes
from sidecar.media.compositor.layout import Rect

RED: Rgb = (220, 30, 40)
GREEN: Rgb = (40, 200, 60)
BLUE: Rgb = (40, 60, 220)
GREY: Rgb = (128, 128, 128)


def flat(width: int = 640, height: int = 360, colour: Rgb = GREY) -> av.VideoFrame:
    """A frame of one colour."""
    frame = av.VideoFrame(width, height, "yuv420p")
    Planes.of(frame).fill(colour)
    return frame


def stamped(frame: av.VideoFrame, seconds: float) -> av.VideoFrame:
    frame.pts, frame.time_base = round(seconds * 90000), Fraction(1, 90000)
    return frame


def mean_colour(frame: av.VideoFrame, area: Rect) -> tuple[float, float, float]:
    """The mean Y, Cb and Cr of a part of a frame."""
    part = Planes.of(frame).cut(area)
    return float(part.luma.mean()), float(part.blue.mean()), float(part.red.mean())


def opaque(width: int, height: int, colour: Rgb) -> Animation:
    """A sticker that is a solid block."""
    pixels = np.empty((height, width, 4), np.uint8)
    pixels[:] = (*colour, 255)
    return Animation((straight_to_yuva(pixels),), (0.1,))


async def until_true(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Poll until a condition is true; TimeoutError if it stays false."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def threads() -> int:
    """How many threads there are, but for the event loop's own, which stay until it ends."""
    return sum(not thread.name.startswith("asyncio_") for thread in threading.enumerate())


def descriptors() -> int:
    """How many files and sockets this process has open; 0 where the system doesn't say."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


class Blocks:
    """Stickers by colour: every name is a solid block, except ``missing``."""

    def __init__(self, **colours: Rgb) -> None:
        self._colours = colours
        self.asked: list[tuple[str, int, int]] = []
        self.prepared: list[tuple[str, int, int]] = []

    def get(self, name: str, width: int, height: int) -> Animation:
        self.asked.append((name, width, height))
        return opaque(width, height, self._colours[name])

    def prepare(self, name: str, width: int, height: int) -> None:
        self.prepared.append((name, width, height))


class Frames(MediaStreamTrack):
    """A track of the frames that a test pushes; None ends it."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._frames: asyncio.Queue[av.VideoFrame | None] = asyncio.Queue()

    def push(self, frame: av.VideoFrame | None) -> None:
        self._frames.put_nowait(frame)

    async def recv(self) -> av.VideoFrame:
        frame = await self._frames.get()
        if frame is None:
            raise MediaStreamError
        return frame


class Camera(MediaStreamTrack):
    """A camera of 25 frames a second, one colour, whose size can be changed."""

    kind = "video"

    def __init__(self, colour: Rgb, size: tuple[int, int] = (320, 180)) -> None:
        super().__init__()
        self.colour = colour
        self.size = size
        self._count = 0

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(0.04)
        self._count += 1
        return stamped(flat(*self.size, self.colour), self._count * 0.04)
