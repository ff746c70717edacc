"""The clock of the composite: one picture a tick, encoded once for all viewers."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeAlias

import av

from sidecar.aio import Component, cancel_and_wait, is_logged, log_failure
from sidecar.captured import Captured
from sidecar.media.compositor.compositor import Compositor
from sidecar.media.compositor.sticker_loader import StickerPrefetcher
from sidecar.media.compositor.tiles import FrameEffect, TileView
from sidecar.media.encoder import Encoder
from sidecar.media.packet_track import VideoPacket

PictureListener: TypeAlias = Callable[[av.VideoFrame, float], None]
"""Gets each picture once it is encoded, with its time on the loop's clock. It is called in the
thread that draws, so it returns at once, and it does not write into the picture."""


class RenderLoop(Component):
    """Draws and encodes ``tiles`` at the encoder's rate, and publishes the packets.

    ``tiles`` is called on the event loop, once a tick, with the time of ``clock``; drawing and
    encoding run in one thread. A tick that can't begin before the next one is due is skipped, so
    that the picture never falls behind. ``effect`` is what plays over all tiles. ``loader`` is what
    ``compositor`` gets its stickers from, where that is a prefetcher. Closing ends the encoder's
    tracks and the loader.
    """

    def __init__(
        self,
        compositor: Compositor,
        tiles: Callable[[float], Sequence[TileView]],
        encoder: Encoder,
        *,
        effect: Callable[[], FrameEffect | None] = lambda: None,
        loader: StickerPrefetcher | None = None,
        listeners: Sequence[PictureListener] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._compositor = compositor
        self._tiles = tiles
        self._effect = effect
        self._encoder = encoder
        self._loader = loader
        self._listeners = tuple(listeners)
        self._clock = clock
        self._next: tuple[Compositor, int] | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="composite")
        self._task: asyncio.Task[None] | None = None
        self.ticks = 0
        """Pictures made."""
        self.late = 0
        """Ticks skipped because an earlier one took too long."""
        self.failed = 0
        """Ticks without a picture because drawing or encoding failed."""
        self.seconds = 0.0
        """How long the last picture took to draw and encode."""

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="composite")

    async def aclose(self) -> None:
        if self._task is not None:
            await cancel_and_wait(self._task)
        try:
            # A picture or a full-frame effect may be under way; other rooms continue meanwhile.
            await asyncio.to_thread(self._close_threads)
        finally:
            self._encoder.close()

    def change(self, compositor: Compositor, fps: int) -> None:
        """Go on with ``compositor``, of any size, ``fps`` times a second from the next tick on."""
        self._next = (compositor, fps)

    async def watch(self) -> None:
        """Wait as long as pictures are made; raises what ended that."""
        if self._task is not None:
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.result()

    def _close_threads(self) -> None:
        self._pool.shutdown()
        if self._loader is not None:
            self._loader.close()

    async def _run(self) -> None:
        start, tick = self._clock(), 0
        while True:
            await asyncio.sleep(start + tick / self._encoder.fps - self._clock())
            if self._next is not None:
                tick = self._apply(*self._next, tick)
            await self._tick(tick)
            due = int((self._clock() - start) * self._encoder.fps)
            self.late += max(0, due - tick - 1)
            tick = max(tick + 1, due)

    def _apply(self, compositor: Compositor, fps: int, tick: int) -> int:
        """Change over to what ``change`` said; no picture is being made. Returns the tick to make,
        which is not before ``tick`` in units of the new rate."""
        self._next = None
        self._compositor = compositor
        self._encoder.resize(compositor.width, compositor.height)
        tick = math.ceil(tick * fps / self._encoder.fps)
        self._encoder.set_rate(fps)
        return tick

    async def _tick(self, tick: int) -> None:
        loop = asyncio.get_running_loop()
        began = self._clock()
        with Captured() as attempt:
            tiles = self._tiles(began)
            effect = self._effect()
            make = partial(self._make, tiles, effect, began, tick)
            packets = await loop.run_in_executor(self._pool, make)
            self._encoder.publish(packets)
        if attempt.error is not None:
            self.failed += 1
            if is_logged(self.failed):
                log_failure("picture not drawn", attempt.error, failed=self.failed)
            return
        self.ticks += 1
        self.seconds = self._clock() - began

    def _make(
        self, tiles: Sequence[TileView], effect: FrameEffect | None, time: float, tick: int
    ) -> list[VideoPacket]:
        picture = self._compositor.draw(tiles, time, effect)
        packets = self._encoder.encode(picture, tick)
        for listener in self._listeners:
            listener(picture, time)
        return packets
