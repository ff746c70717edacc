"""Convert a decoded video frame to an RGB sample."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from reactions.landmark_types import Sample
from sidecar.aio import Component


def fitted(width: int, height: int, longest: int) -> tuple[int, int]:
    """``width`` x ``height`` scaled down, aspect kept, so that no side exceeds ``longest``."""
    scale = min(Fraction(1), Fraction(longest, max(width, height)))
    return max(1, round(width * scale)), max(1, round(height * scale))


class FrameSampler:
    """Converts frames to samples; keeps its scaler, so it belongs to one thread.

    ``longest`` is the longest side of a sample in pixels. The models read crops of 128–256 pixels:
    640 is as much as they can use of a person in front of a webcam.
    """

    def __init__(self, longest: int = 640) -> None:
        self._longest = longest
        self._reformatter = VideoReformatter()

    def sample(self, frame: av.VideoFrame, time: float) -> Sample:
        """The sample of ``frame``, taken at ``time`` seconds on the session's clock."""
        width, height = fitted(frame.width, frame.height, self._longest)
        rgb = self._reformatter.reformat(
            frame, width, height, "rgb24", interpolation=Interpolation.FAST_BILINEAR
        )
        return Sample(np.asarray(rgb.to_ndarray(), np.uint8), time)


class SamplingThread(Component):
    """A FrameSampler on a thread of its own: converting 1280x720 takes over a millisecond."""

    def __init__(self, longest: int = 640) -> None:
        self._sampler = FrameSampler(longest)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sampling")

    async def start(self) -> None:
        """The thread begins with the first frame."""

    async def aclose(self) -> None:
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)

    async def sample(self, frame: av.VideoFrame, time: float) -> Sample:
        """As ``FrameSampler.sample``, without blocking the event loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._sampler.sample, frame, time)
