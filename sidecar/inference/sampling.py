"""Convert decoded video frames to RGB samples off the event loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import av

from reactions.frame_sampler import FrameSampler
from reactions.landmark_types import Sample
from sidecar.aio import Component


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
