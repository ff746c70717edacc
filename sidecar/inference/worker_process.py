"""One worker process as its parent sees it: started, given samples, pinged, ended."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import psutil

from config.errors import InferenceError
from reactions.landmark_types import Sample
from reactions.pipeline import Detection, Memory
from sidecar.aio import Backoff, undo_on_failure
from sidecar.captured import Captured
from sidecar.inference.detector import LoadPipeline
from sidecar.inference.messages import (
    DetectSample,
    MessageDecoder,
    Ping,
    Pong,
    SampleDetected,
    SampleFailed,
    ToWorker,
    WorkerReady,
    WorkerSetup,
    WorkerUnusable,
    encode_message,
)
from sidecar.inference.pixel_buffer import PixelBuffer

Outcome: TypeAlias = Detection | Exception


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """What is expected of a worker process. Times are in seconds."""

    start: float = 30.0
    """For starting Python and loading the models (0.6 on an idle machine)."""
    answer: float = 5.0
    """For one sample or ping; a worker that takes longer is killed."""
    ping_every: float = 1.0
    """How often a worker is looked at, and pinged where it is idle."""
    close: float = 1.0
    """For ending once its socket is closed; then it is killed."""
    restarts: Backoff = field(default_factory=lambda: Backoff(first=0.5, factor=2.0, longest=10.0))
    """Before the second restart in a row and those after it; the first is immediate."""
    settled: float = 2.0
    """Of work, after which the next restart is a first one again: a worker that is lost sooner is
    likely to be lost for the same reason as the one before."""
    niceness: int = 3
    """What is added to a worker's nice value, so that the composite's clock comes first."""
    memory_warn: int = 0
    """Resident bytes that are logged as a warning; 0: none."""
    memory: int = 0
    """Resident bytes beyond which a worker is started again, between two samples; 0: none."""
    capacity: int = 640 * 640 * 3
    """Bytes of the largest sample."""


class WorkerProcess(asyncio.Protocol):
    """A process with a pipeline that ``load`` makes in it. One use: a lost one is replaced.

    ``on_outcome`` gets what each sample led to: a detection or an exception.
    """

    def __init__(
        self,
        load: LoadPipeline,
        limits: WorkerLimits,
        on_outcome: Callable[[Outcome], None],
    ) -> None:
        self.lost = asyncio.Event()
        """The connection to the process is closed: it has ended or is about to."""
        self._setup = WorkerSetup(load)
        self._limits = limits
        self._on_outcome = on_outcome
        self._loop = asyncio.get_running_loop()
        self._loads: deque[asyncio.Future[None]] = deque()
        """A future a setup that is not answered."""
        self._decoder = MessageDecoder()
        self._asked: deque[float] = deque()
        self._failure = ""
        self._loaded = False
        self._process: Process | None = None
        self._transport: asyncio.WriteTransport | None = None
        self._pixels: PixelBuffer | None = None

    @property
    def pid(self) -> int | None:
        """The process's number; None before it is started."""
        return None if self._process is None else self._process.pid

    @property
    def ready(self) -> bool:
        """Whether the pipeline is loaded and the process not lost."""
        return self._loaded and not self.lost.is_set()

    @property
    def loading(self) -> bool:
        """Whether it loads models, for which ``start`` is the limit: a ping would wait."""
        return bool(self._loads)

    @property
    def resident(self) -> int:
        """Bytes of memory that the process has; 0 where it is gone."""
        with contextlib.suppress(psutil.Error):
            return int(psutil.Process(self.pid).memory_info().rss) if self.ready else 0
        return 0

    @property
    def unanswered(self) -> float:
        """Seconds for which the oldest sample or ping has been without an answer; else 0."""
        return self._loop.time() - self._asked[0] if self._asked else 0.0

    async def start(self) -> None:
        """Start the process and load its pipeline.

        Raises what loading raises, and InferenceError where the process ends or takes too long.
        """
        async with undo_on_failure(self.aclose):
            try:
                async with asyncio.timeout(self._limits.start):
                    await self._spawn()
                    await self._load(self._setup)
                    self._loaded = True
            except TimeoutError:
                raise self._late() from None

    async def reload(self, load: LoadPipeline) -> None:
        """Go on with a pipeline that ``load`` makes, after the sample that is there.

        Raises what loading raises, and the worker goes on as it was; InferenceError where it ends
        or takes too long.
        """
        try:
            async with asyncio.timeout(self._limits.start):
                await self._load(WorkerSetup(load))
        except TimeoutError:
            self.kill("models not loaded in time")
            raise self._late() from None

    async def _load(self, setup: WorkerSetup) -> None:
        loaded: asyncio.Future[None] = self._loop.create_future()
        self._loads.append(loaded)
        self._send(setup)
        await loaded

    def _late(self) -> InferenceError:
        return InferenceError(f"inference worker not ready within {self._limits.start:g} s")

    async def aclose(self) -> str:
        """End the process and give back what belongs to it; returns how it ended."""
        if self._transport is not None:
            self._transport.abort()
        how = ""
        if self._process is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._limits.close):
                    await self._process.wait()
            if self._process.returncode is None:
                self.kill("still running after its socket was closed")
            how = _describe(await self._process.wait())
        if self._pixels is not None:
            self._pixels.close()
        return self._failure or how

    def kill(self, reason: str) -> None:
        """End the process at once."""
        self._failure = self._failure or reason
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    def detect(self, sample: Sample, memory: Memory | None) -> None:
        """Send a sample; the one before must have been answered."""
        assert self._pixels is not None
        self._pixels.write(sample.pixels)
        self._ask(DetectSample.of(sample, memory))

    def ping(self) -> None:
        """Ask for a sign of life."""
        self._ask(Ping())

    def data_received(self, data: bytes) -> None:
        # What a broken worker sends may raise anything while it is unpickled.
        with Captured() as attempt:
            for message in self._decoder.feed(data):
                self._receive(message)
        if attempt.error is not None:
            self.kill(f"unreadable message: {attempt.error!r}")

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()
        ended = InferenceError("inference worker ended while it loaded models")
        for loaded in self._loads:
            if not loaded.done():
                loaded.set_exception(ended)

    async def _spawn(self) -> None:
        self._pixels, pixels = PixelBuffer.allocate(self._limits.capacity)
        ours, theirs = socket.socketpair()
        with contextlib.ExitStack() as undo:
            undo.callback(ours.close)
            try:
                self._process = process = await self._run_worker(theirs.fileno(), pixels)
            finally:
                theirs.close()
                os.close(pixels)
            # From here, since loading takes more than many samples do.
            with contextlib.suppress(ProcessLookupError):
                niceness = os.nice(0) + self._limits.niceness
                os.setpriority(os.PRIO_PROCESS, process.pid, niceness)
            self._transport, _ = await self._loop.create_connection(lambda: self, sock=ours)
            undo.pop_all()

    async def _run_worker(self, channel: int, pixels: int) -> Process:
        """The process, which inherits the descriptors ``channel`` and ``pixels``."""
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "sidecar.inference.worker"),
            *(str(channel), str(pixels), str(self._limits.capacity)),
            stdin=DEVNULL,
            stdout=DEVNULL,
            env=_environment(os.environ),
            pass_fds=(channel, pixels),
            process_group=0,
        )

    def _ask(self, message: ToWorker) -> None:
        self._asked.append(self._loop.time())
        self._send(message)

    def _send(self, message: ToWorker) -> None:
        assert self._transport is not None
        self._transport.write(encode_message(message))

    def _receive(self, message: object) -> None:
        match message:
            case WorkerReady():
                if not (loaded := self._loads.popleft()).done():
                    loaded.set_result(None)
            case WorkerUnusable(error):
                if not (loaded := self._loads.popleft()).done():
                    loaded.set_exception(error)
            case Pong():
                self._asked.popleft()
            case SampleDetected(detection):
                self._asked.popleft()
                self._on_outcome(detection)
            case SampleFailed(error):
                self._asked.popleft()
                self._on_outcome(error)
            case _:
                raise InferenceError(f"unexpected {type(message).__name__}")


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Ours, with the modules that we find, and without threads that only compete."""
    threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)  # noqa: PTH100
    return {**threads, **ours, "PYTHONPATH": path}


def _describe(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    return f"killed by {signal.Signals(-status).name}"
