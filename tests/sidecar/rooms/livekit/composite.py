"""A composite that moves: a grey picture, encoded as long as somebody looks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import av
import numpy as np

from sidecar.media.encoder import Encoder


@asynccontextmanager
async def moving(encoder: Encoder, luma: int) -> AsyncIterator[None]:
    """Encode pictures of ``luma``, 15 a second."""

    async def run() -> None:
        tick = 0
        while True:
            plane = np.full((encoder.height * 3 // 2, encoder.width), 128, np.uint8)
            plane[: encoder.height] = luma
            frame = av.VideoFrame.from_ndarray(plane, format="yuv420p")
            encoder.publish(encoder.encode(frame, tick))
            tick += 1
            await asyncio.sleep(1 / 15)

    task = asyncio.create_task(run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
