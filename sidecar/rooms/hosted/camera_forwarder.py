"""Forward one participant's camera, without the composite, to another sidecar."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import av
import structlog
from aiortc import MediaStreamTrack

from sidecar.aio import cancel_and_wait
from sidecar.media.encoder import Encoder
from sidecar.media.feed import Feed
from sidecar.media.packet_track import VideoPacket

log = structlog.get_logger(__name__)

FPS: Final = 15
"""Frames a second at most: enough for tiles, and three times what is sampled."""
LONGEST: Final = 640
"""Pixels of the longer side at most."""
BITRATE: Final = 600_000
"""Bits a second of a forwarded camera, of ``LONGEST`` pixels at most."""


class CameraForwarder:
    """Implements ``Publisher``: encodes ``feed`` once for all viewers of this camera alone.

    No sticker and no name is drawn, and where the camera stands still, nothing is sent. It costs
    nothing without viewers, but must be closed.
    """

    def __init__(self, feed: Feed, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._feed = feed
        self._clock = clock
        self._encoder = Encoder(*forwarded_size(LONGEST, LONGEST), fps=FPS, bitrate=BITRATE)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="solo")
        self._task: asyncio.Task[None] | None = None

    @property
    def viewers(self) -> int:
        """How many watch."""
        return self._encoder.viewers

    def subscribe(self) -> MediaStreamTrack:
        """A new track of packets that begins with a key frame; stop it when done."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="solo")
        return self._encoder.subscribe()

    async def close(self) -> None:
        """End every track."""
        if self._task is not None:
            await cancel_and_wait(self._task)
        self._encoder.close()
        await asyncio.to_thread(self._pool.shutdown)

    async def _run(self) -> None:
        began, seen, tick = self._clock(), 0, -1
        loop = asyncio.get_running_loop()
        while await self._feed.wait_newer(seen):
            seen, frame = self._feed.frames, self._feed.frame
            now = self._clock() - began
            tick = max(tick + 1, int(now * FPS))
            if self.viewers and frame is not None:
                try:
                    packets = await loop.run_in_executor(self._pool, self._encode, frame, tick)
                    self._encoder.publish(packets)
                except (av.FFmpegError, ValueError) as error:
                    log.warning("camera frame not forwarded", reason=repr(error))
            await asyncio.sleep(began + (tick + 1) / FPS - self._clock())

    def _encode(self, frame: av.VideoFrame, tick: int) -> list[VideoPacket]:
        self._encoder.resize(*forwarded_size(frame.width, frame.height))
        return self._encoder.encode(_copy(frame, self._encoder.width, self._encoder.height), tick)


def forwarded_size(width: int, height: int) -> tuple[int, int]:
    """The size, in even pixels, that ``width`` x ``height`` is sent in."""
    scale = min(1.0, LONGEST / max(width, height))
    return max(16, round(width * scale / 2) * 2), max(16, round(height * scale / 2) * 2)


def _copy(frame: av.VideoFrame, width: int, height: int) -> av.VideoFrame:
    """A fresh frame of that size: the encoder writes into its frame, and this one is shared."""
    pixels = frame.reformat(width, height, format="yuv420p").to_ndarray()
    return av.VideoFrame.from_ndarray(pixels, format="yuv420p")
