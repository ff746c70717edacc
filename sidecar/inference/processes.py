"""A detector of worker processes, which share no interpreter lock with the event loop."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from config.errors import InferenceError
from reactions.landmark_types import Sample
from reactions.pipeline import Detection, Memory
from sidecar.aio import Component, Contained, TaskSet, start_all, undo_on_failure
from sidecar.inference.detector import DetectorStats, LoadPipeline
from sidecar.inference.dispatcher import Dispatcher
from sidecar.inference.worker_process import Outcome, WorkerLimits, WorkerProcess

log = structlog.get_logger(__name__)

AT_ONCE: Final = 4
"""Workers that are replaced side by side: starting one keeps a core busy for half a second, and
meanwhile it takes 100 MB beside the one that it replaces."""


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
        """Go on with pipelines that ``load`` makes: ``AT_ONCE`` workers at a time, each new one
        ready before the old one ends, so that no sample is dropped.

        Raises what keeps a new process from being ready, whose worker goes on as it was, and
        InferenceError while a worker is being started.
        """
        if any(supervisor.pid is None for supervisor in self._supervisors):
            raise InferenceError("a worker is being started", do="try again soon")
        for first in range(0, len(self._supervisors), AT_ONCE):
            some = self._supervisors[first : first + AT_ONCE]
            results = await asyncio.gather(
                *(supervisor.replace(load) for supervisor in some), return_exceptions=True
            )
            for failure in results:
                if failure is not None:
                    raise failure

    def stats(self) -> DetectorStats:
        return self._dispatcher.stats(restarts=sum(one.restarts for one in self._supervisors))


class WorkerSupervisor(Component):
    """Keeps one worker process running, and hands it the dispatcher's samples."""

    def __init__(
        self, dispatcher: Dispatcher, load: LoadPipeline, limits: WorkerLimits, number: int
    ) -> None:
        self._dispatcher = dispatcher
        self._load = load
        self._limits = limits
        self._number = number
        self._process: WorkerProcess | None = None
        self._next: WorkerProcess | None = None
        """Ready, and takes over once the process has answered what it has."""
        self._retired: WorkerProcess | None = None
        """Ends, since another took over."""
        self._swapped = asyncio.Event()
        self._sampling = False
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
        for process in (self._process, self._next, self._retired):
            if process is not None:
                await process.aclose()

    async def replace(self, load: LoadPipeline) -> None:
        """Start a process with ``load``, and let it take over between two samples."""
        process = WorkerProcess(load, self._limits, self._report)
        await process.start()
        self._load, self._next = load, process
        self._swapped.clear()
        if not self._sampling:
            self._swap()
        await self._swapped.wait()

    def _swap(self) -> None:
        self._retired, self._process, self._next = self._process, self._next, None
        self._swapped.set()
        if self._retired is not None:
            self._retired.retire()

    def begin(self, sample: Sample, memory: Memory | None, deadline: float) -> None:
        assert self._process is not None
        self._sampling = True
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
            process = await self._watch_replaced(process)
            self._dispatcher.detach(self)
            self._sampling = False
            how = await process.aclose()
            log.warning("inference worker lost", worker=self._number, pid=process.pid, reason=how)
            lost = 1 if time.monotonic() - began >= self._limits.settled else lost + 1
            replacement, self._next = self._next, None
            if replacement is None:
                process = await self._restart(lost)
            else:
                # One that was to take over is ready.
                process = self._process = replacement
                self._swapped.set()

    async def _watch_replaced(self, process: WorkerProcess) -> WorkerProcess:
        """Return the process that is lost, after any number that others took over from."""
        while True:
            await self._watch(process)
            if self._process is process or self._process is None:
                return process
            await process.aclose()
            self._retired = None
            log.info("inference worker replaced", worker=self._number, pid=process.pid)
            process = self._process

    async def _watch(self, process: WorkerProcess) -> None:
        """Return when ``process`` is lost; see that it is when it hangs."""
        while True:
            try:
                async with asyncio.timeout(self._limits.ping_every):
                    await process.lost.wait()
                return
            except TimeoutError:
                if process.unanswered > self._limits.answer:
                    process.kill(f"no answer within {self._limits.answer:g} s")
                elif not process.unanswered:
                    process.ping()

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
        self._process = WorkerProcess(self._load, self._limits, self._report)
        await self._process.start()
        return self._process

    def _report(self, outcome: Outcome) -> None:
        self._sampling = False
        if self._next is not None:
            self._swap()
        if isinstance(outcome, Exception):
            self._dispatcher.fail(self, outcome)
        else:
            self._dispatcher.finish(self, outcome)
