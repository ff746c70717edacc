"""A composite that is one grey, for tests of where it goes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import av
import numpy as np

from sidecar.media.encoder import Encoder


@asynccontextmanager
async def grey_composite(
    luma: int = 200, size: tuple[int, int] = (160, 90)
) -> AsyncIterator[Encoder]:
    """An encoder that is fed 25 pictures a second."""
    width, height = size
    encoder = Encoder(width, height)

    async def draw() -> None:
        tick = 0
        while True:
            await asyncio.sleep(0.04)
            picture = np.full((height * 3 // 2, width), luma, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            encoder.publish(encoder.encode(frame, tick))
            tick += 1

    task = asyncio.create_task(draw())
    try:
        yield encoder
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        encoder.close()
