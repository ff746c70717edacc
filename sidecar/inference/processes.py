"""A detector of worker processes, which share no interpreter lock with the event loop."""

import asyncio
import math
import time
from collections.abc import Callable

import structlog

from config.errors import InferenceError
from reactions.landmark_types import Sample
from reactions.pipeline import Detection, Memory
from sidecar.aio import Component, Contained, TaskSet, start_all, undo_on_failure
from sidecar.inference.detector import DetectorStats, LoadPipeline
from sidecar.inference.dispatcher import Dispatcher
from sidecar.inference.worker_process import Outcome, WorkerLimits, WorkerProcess

log = structlog.get_logger(__name__)


class ProcessDetector(Component):
    """A detector on ``workers`` processes, each with the pipeline that ``load`` makes in it.

    ``load`` must be picklable. A process that ends or hangs is replaced; the sample that it had is
    dropped, and the others are not touched. ``clock`` is that of deadlines.
    """

    def __init__(
        self,
        load: LoadPipeline,
        *,
        workers: int = 1,
        limits: WorkerLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits or WorkerLimits()
        self._dispatcher = Dispatcher(clock=clock)
        self._supervisors = [
            WorkerSupervisor(self._dispatcher, load, self._limits, number)
            for number in range(workers)
        ]

    @property
    def pids(self) -> tuple[int, ...]:
        """The numbers of the processes that are alive."""
        return tuple(one.pid for one in self._supervisors if one.pid is not None)

    async def start(self) -> None:
        async with undo_on_failure(self.aclose):
            await start_all(self._supervisors)

    async def aclose(self) -> None:
        self._dispatcher.close()
        await asyncio.gather(*(supervisor.aclose() for supervisor in self._supervisors))

    async def detect(
        self,
        sample: Sample,
        memory: Memory | None,
        deadline: float | None = None,
        *,
        source: str,
    ) -> Detection:
        if sample.pixels.nbytes > self._limits.capacity:
            size = f"{sample.width}x{sample.height}"
            raise ValueError(f"a sample of {size} exceeds {self._limits.capacity} bytes")
        return await self._dispatcher.detect(source, sample, memory, deadline)

    async def replace(self, load: LoadPipeline) -> None:
        """Go on with pipelines that ``load`` makes, in the processes that there are: the first
        worker alone, then half of the others at a time, so that samples go on. None is dropped: a
        worker finishes the one that it has, and gets the next once it has loaded (0.15 s of a
        core).

        Raises what keeps a worker from loading, and InferenceError while a worker is being
        started; all go on as they were then.
        """
        if any(supervisor.pid is None for supervisor in self._supervisors):
            raise InferenceError("a worker is being started", do="try again soon")
        first, *others = self._supervisors
        half = math.ceil(len(others) / 2)
        before = first.load
        for some in ([first], others[:half], others[half:]):
            results = await asyncio.gather(
                *(supervisor.replace(load) for supervisor in some), return_exceptions=True
            )
            for failure in results:
                if failure is not None:
                    await self._go_back(before)
                    raise failure

    async def _go_back(self, load: LoadPipeline) -> None:
        """Have workers that have changed load what the others have."""
        changed = [one for one in self._supervisors if one.load is not load]
        await asyncio.gather(*(supervisor.go_back(load) for supervisor in changed))

    def stats(self) -> DetectorStats:
        return self._dispatcher.stats(restarts=sum(one.restarts for one in self._supervisors))


class WorkerSupervisor(Component):
    """Keeps one worker process running, and hands it the dispatcher's samples."""

    def __init__(
        self, dispatcher: Dispatcher, load: LoadPipeline, limits: WorkerLimits, number: int
    ) -> None:
        self._dispatcher = dispatcher
        self.load = load
        """What it has, or the next process will have."""
        self._limits = limits
        self._number = number
        self._process: WorkerProcess | None = None
        self._tasks = TaskSet(on_failure=self._supervision_failed)
        self.restarts = 0
        """Processes started in place of lost ones."""

    @property
    def pid(self) -> int | None:
        """The number of the process; None while there is none that is ready."""
        process = self._process
        return process.pid if process is not None and process.ready else None

    async def start(self) -> None:
        """Start the first process; raises what keeps it from being ready."""
        process = await self._launch()
        watching = self._supervise(process)
        self._tasks.create_task(watching, name=f"inference worker {self._number}")

    async def aclose(self) -> None:
        """End the process, and start no other."""
        await self._tasks.aclose()
        if self._process is not None:
            await self._process.aclose()

    async def replace(self, load: LoadPipeline) -> None:
        """Have the process load ``load`` between two samples; raises what keeps it from that."""
        if self._process is None or not self._process.ready:
            raise InferenceError("a worker is being started", do="try again soon")
        self._dispatcher.rest(self)
        try:
            await self._process.reload(load)
            self.load = load
        finally:
            if self.pid is not None:
                self._dispatcher.attach(self)
        log.info("inference worker changed", worker=self._number, pid=self._process.pid)

    async def go_back(self, load: LoadPipeline) -> None:
        """As ``replace``, or where that fails in a process that is started for it."""
        self.load = load
        with Contained("models before not loaded", worker=self._number) as attempt:
            await self.replace(load)
        if attempt.error is not None and self._process is not None:
            self._process.kill("it has models that others have not")

    def begin(self, sample: Sample, memory: Memory | None, deadline: float) -> None:
        assert self._process is not None
        self._process.detect(sample, memory)

    def _supervision_failed(self, error: Exception) -> None:
        self._dispatcher.detach(self)
        self._tasks.create_task(self._supervise(None), name=f"inference worker {self._number}")

    async def _supervise(self, process: WorkerProcess | None) -> None:
        """Keep a process running, ``process`` first; without one, start another after a pause."""
        lost = 0
        if process is None:
            process = await self._restart(2)
        while True:
            began = time.monotonic()
            self._dispatcher.attach(self)
            await self._watch(process)
            self._dispatcher.detach(self)
            how = await process.aclose()
            log.warning("inference worker lost", worker=self._number, pid=process.pid, reason=how)
            lost = 1 if time.monotonic() - began >= self._limits.settled else lost + 1
            process = await self._restart(lost)

    async def _watch(self, process: WorkerProcess) -> None:
        """Return when ``process`` is lost; see that it is when it hangs or has too much memory."""
        warned = False
        while True:
            try:
                async with asyncio.timeout(self._limits.ping_every):
                    await process.lost.wait()
                return
            except TimeoutError:
                if process.unanswered > self._limits.answer:
                    process.kill(f"no answer within {self._limits.answer:g} s")
                    continue
                if process.loading:
                    # It holds two pipelines for a moment.
                    continue
                size = process.resident
                if 0 < self._limits.memory < size:
                    self._end_between_samples(process, f"it used {size >> 20} MiB")
                    continue
                if not warned and 0 < self._limits.memory_warn < size:
                    warned = True
                    log.warning("inference worker memory high", pid=process.pid, bytes=size)
                if not process.unanswered:
                    process.ping()

    def _end_between_samples(self, process: WorkerProcess, reason: str) -> None:
        """End ``process`` if it has no sample; else give it no further one."""
        self._dispatcher.rest(self)
        if not process.unanswered:
            process.kill(reason)

    async def _restart(self, lost: int) -> WorkerProcess:
        """A process in place of the last of ``lost`` in a row."""
        while True:
            await asyncio.sleep(0.0 if lost == 1 else self._limits.restarts.delay(lost - 2))
            lost += 1
            began = time.monotonic()
            # Loading may raise anything; the next attempt may find the cause removed.
            with Contained("inference worker not started", worker=self._number):
                process = await self._launch()
                self.restarts += 1
                seconds = round(time.monotonic() - began, 2)
                log.info("inference worker restarted", worker=self._number, seconds=seconds)
                return process

    async def _launch(self) -> WorkerProcess:
        self._process = WorkerProcess(self.load, self._limits, self._report)
        await self._process.start()
        return self._process

    def _report(self, outcome: Outcome) -> None:
        if isinstance(outcome, Exception):
            self._dispatcher.fail(self, outcome)
        else:
            self._dispatcher.finish(self, outcome)
