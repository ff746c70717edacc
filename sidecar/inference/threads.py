"""Where detection runs: off the event loop, in workers that keep nothing about anybody."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import local
from typing import Protocol, Self

import av

from reactions.pipeline import Detection, Memory, RecognitionPipeline
from sidecar.inference.sampling import FrameSampler


class Detector(Protocol):
    """Detects what a frame shows; any number of calls may be under way at once."""

    async def detect(self, frame: av.VideoFrame, time: float, memory: Memory | None) -> Detection:
        """Look at ``frame``, taken at ``time`` seconds.

        ``memory`` is the one that came with the participant's previous detection; None for the
        first. It travels with the frame, so any worker can serve any participant.
        """
        ...


class ThreadDetector:
    """A detector on ``workers`` threads, each with its own nets of one thread.

    Invoking a net releases the GIL, so two threads detect 1.85 times as much as one
    (docs/landmarks.md); the composite's clock is disturbed only by the Python around it.
    """

    def __init__(
        self, make: Callable[[], RecognitionPipeline], *, workers: int = 1, longest: int = 640
    ) -> None:
        self._make = make
        self._longest = longest
        self._own = local()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="detector")

    async def __aenter__(self) -> Self:
        """Load one set of nets, so that a missing one is told at once (ModelError)."""
        await asyncio.get_running_loop().run_in_executor(self._pool, self._load)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)

    async def detect(self, frame: av.VideoFrame, time: float, memory: Memory | None) -> Detection:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._detect, frame, time, memory)

    def _load(self) -> tuple[FrameSampler, RecognitionPipeline]:
        if not hasattr(self._own, "nets"):
            self._own.nets = FrameSampler(self._longest), self._make()
        nets: tuple[FrameSampler, RecognitionPipeline] = self._own.nets
        return nets

    def _detect(self, frame: av.VideoFrame, time: float, memory: Memory | None) -> Detection:
        sampler, detector = self._load()
        return detector.detect(sampler.sample(frame, time), memory)
