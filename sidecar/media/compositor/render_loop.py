"""The clock of the composite: a picture every tick, encoded once, whatever else happens."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeAlias

import av
import structlog

from sidecar.media.compositor.compositor import Compositor
from sidecar.media.compositor.sticker_loader import StickerPrefetcher
from sidecar.media.compositor.tiles import TileView
from sidecar.media.encoder import Encoder
from sidecar.media.packet_track import VideoPacket

log = structlog.get_logger(__name__)

PictureListener: TypeAlias = Callable[[av.VideoFrame, float], None]


class RenderLoop:
    """Draws and encodes ``tiles`` at ``fps`` while it is entered, and publishes the packets.

    ``tiles`` is asked on the event loop, once a tick, for what to show at that time of ``clock``;
    drawing and encoding run in one thread of their own. A tick that can't begin before the next one
    is due is skipped: the picture never falls behind. For the same reason stickers are loaded
    behind the scenes while it is entered. Leaving ends the encoder's tracks.
    """

    def __init__(
        self,
        canvas: Compositor,
        tiles: Callable[[float], Sequence[TileView]],
        encoder: Encoder,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._canvas = canvas
        self._tiles = tiles
        self._encoder = encoder
        self._clock = clock
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="composite")
        self._stickers = canvas.stickers
        self._backstage: StickerPrefetcher | None = None
        self._task: asyncio.Task[None] | None = None
        self.listeners: list[PictureListener] = []
        """Given each picture, once it is encoded, with its time on ``clock``: called in the thread
        that draws, so that they must be quick, and must not write into the picture."""
        self.ticks = 0
        """Pictures made."""
        self.late = 0
        """Ticks skipped because an earlier one took too long."""
        self.failed = 0
        """Ticks without a picture because drawing or encoding failed."""
        self.seconds = 0.0
        """How long the last picture took to draw and encode."""

    async def __aenter__(self) -> Self:
        self._canvas.stickers = self._backstage = StickerPrefetcher(self._stickers)
        self._task = asyncio.create_task(self._run(), name="composite")
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        try:
            # A picture or a full-frame effect may be under way, and other rooms go on meanwhile.
            await asyncio.to_thread(self._shut)
        finally:
            self._canvas.stickers = self._stickers
            self._encoder.close()

    def _shut(self) -> None:
        self._pool.shutdown()
        if self._backstage is not None:
            self._backstage.close()

    async def _run(self) -> None:
        start, tick = self._clock(), 0
        while True:
            await asyncio.sleep(start + tick / self._encoder.fps - self._clock())
            await self._tick(tick)
            due = int((self._clock() - start) * self._encoder.fps)
            self.late += max(0, due - tick - 1)
            tick = max(tick + 1, due)

    async def _tick(self, tick: int) -> None:
        loop = asyncio.get_running_loop()
        began = self._clock()
        try:
            tiles = self._tiles(began)
            packets = await loop.run_in_executor(self._pool, self._make, tiles, began, tick)
            self._encoder.publish(packets)
        except Exception:
            self.failed += 1
            if self.failed & (self.failed - 1) == 0:
                # The first, second, fourth, eighth … failure: 25 a second would drown the log.
                log.exception("no picture", failed=self.failed)
            return
        self.ticks += 1
        self.seconds = self._clock() - began

    def _make(self, tiles: Sequence[TileView], time: float, tick: int) -> list[VideoPacket]:
        picture = self._canvas.draw(tiles, time)
        packets = self._encoder.encode(picture, tick)
        for listen in tuple(self.listeners):
            listen(picture, time)
        return packets
