"""Detection on threads of this process, each with its own models."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from reactions.landmark_types import Sample
from reactions.pipeline import Detection, Memory
from sidecar.aio import Component, start_all, undo_on_failure
from sidecar.inference.detector import DetectorStats, LoadPipeline, Pipeline
from sidecar.inference.dispatcher import Dispatcher


class ThreadDetector(Component):
    """A detector on ``workers`` threads; ``load`` makes the pipeline of each, on that thread.

    Running a model releases the GIL, so two threads detect 1.85 times as much as one
    (docs/landmarks.md); the Python around it competes with the event loop.
    """

    def __init__(
        self,
        load: LoadPipeline,
        *,
        workers: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dispatcher = Dispatcher(clock=clock)
        self._workers = [_ThreadWorker(self._dispatcher, load, n) for n in range(workers)]

    async def start(self) -> None:
        async with undo_on_failure(self.aclose):
            await start_all(self._workers)

    async def aclose(self) -> None:
        self._dispatcher.close()
        for worker in self._workers:
            await worker.aclose()

    async def detect(
        self,
        sample: Sample,
        memory: Memory | None,
        deadline: float | None = None,
        *,
        source: str,
    ) -> Detection:
        return await self._dispatcher.detect(source, sample, memory, deadline)

    def stats(self) -> DetectorStats:
        return self._dispatcher.stats()


class _ThreadWorker(Component):
    """One thread with one pipeline."""

    def __init__(self, dispatcher: Dispatcher, load: LoadPipeline, number: int) -> None:
        self._dispatcher = dispatcher
        self._load = load
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"inference-{number}")
        self._pipeline: Pipeline | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._pipeline = await loop.run_in_executor(self._thread, self._load)
        self._dispatcher.attach(self)

    def begin(self, sample: Sample, memory: Memory | None, deadline: float) -> None:
        assert self._pipeline is not None
        loop = asyncio.get_running_loop()
        detecting = loop.run_in_executor(self._thread, self._pipeline.detect, sample, memory)
        detecting.add_done_callback(self._report)

    def _report(self, detecting: asyncio.Future[Detection]) -> None:
        if (error := detecting.exception()) is None:
            self._dispatcher.finish(self, detecting.result())
        elif isinstance(error, Exception):
            self._dispatcher.fail(self, error)
        else:
            self._dispatcher.fail(self, RuntimeError(f"the pipeline raised {error!r}"))

    async def aclose(self) -> None:
        """End the thread, after the sample that it has."""
        await asyncio.to_thread(self._thread.shutdown)
