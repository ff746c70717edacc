"""The process that runs one target: it takes its limits, then inputs until its time is over."""

import gc
import itertools
import logging
import resource
import signal
import time
import warnings
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any, Final

import structlog

from tests.fuzz.target import FuzzTarget

STATUS: Final = Path("/proc/self/status")
_WARM: Final = 20
"""Inputs before the memory that is compared is read: libraries load what they need."""


@dataclass(slots=True)
class FuzzCount:
    """What came of one target's inputs."""

    name: str
    accepted: int = 0
    refused: int = 0
    faults: int = 0
    slowest: float = 0.0
    """CPU seconds of the slowest input."""
    megabytes: int = 0
    """Memory beyond what the process had at first, at most."""
    seconds: float = 0.0

    @property
    def inputs(self) -> int:
        return self.accepted + self.refused + self.faults


class TooSlowError(Exception):
    """One input took more CPU time than its target allows."""


class AsyncioFaults(logging.Handler):
    """What asyncio logs as an error: above all, a task's exception that no one awaited."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.errors.append(f"{record.getMessage().splitlines()[0]}: {error!r}")

    def take(self) -> list[str]:
        """What has been logged since the last call; a task is asked when it is collected."""
        gc.collect()
        taken, self.errors = self.errors, []
        return taken


def run_worker(
    target: FuzzTarget[Any], pipe: Connection, current: Path, seed: int, seconds: float, most: int
) -> None:
    """Run ``target`` for ``seconds``, or ``most`` inputs; what is found goes through ``pipe``.

    ``current`` holds the input that is being run, for when it takes this process with it.
    """
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(50),
        logger_factory=structlog.ReturnLoggerFactory(),
    )
    # As sidecar.logs has it.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    signal.signal(signal.SIGPROF, _too_slow)
    _limit(target.megabytes, seconds)
    unawaited = AsyncioFaults()
    logging.getLogger("asyncio").addHandler(unawaited)
    count = FuzzCount(target.name)
    inputs = target.inputs(Random(seed))
    # What draws inputs needs memory too, hypothesis above all.
    inputs = itertools.chain([next(inputs)], inputs)
    # What has been imported needs no look at each collection.
    gc.freeze()
    began, before = time.monotonic(), _resident()
    with current.open("wb", buffering=0) as file:
        while time.monotonic() - began < seconds and count.inputs < most:
            value = next(inputs)
            file.seek(0)
            file.truncate()
            file.write(target.show(value))
            _run_one(target, value, count, pipe)
            for fault in unawaited.take():
                count.faults += 1
                pipe.send((fault, target.show(value)))
            if count.inputs == _WARM:
                before = _resident()
            _compare_memory(target, value, before, count, pipe)
    count.seconds = time.monotonic() - began
    pipe.send(count)


def _run_one(target: FuzzTarget[Any], value: Any, count: FuzzCount, pipe: Connection) -> None:
    began = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, target.seconds)
    try:
        if target.run(value):
            count.accepted += 1
        else:
            count.refused += 1
    except BaseException as error:
        count.faults += 1
        pipe.send((repr(error), target.show(value)))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    count.slowest = max(count.slowest, time.process_time() - began)


def _compare_memory(
    target: FuzzTarget[Any], value: Any, before: int, count: FuzzCount, pipe: Connection
) -> None:
    peak = _peak_megabytes() - before
    if peak > target.megabytes:
        count.faults += 1
        pipe.send((f"took {peak} MB", target.show(value)))
        _forget_peak()
    count.megabytes = max(count.megabytes, peak)


def _too_slow(number: int, frame: FrameType | None) -> None:
    raise TooSlowError


def _limit(megabytes: int, seconds: float) -> None:
    """Limits that end the process: memory at several times what is a fault already, CPU time."""
    size = int(STATUS.read_text().partition("VmSize:")[2].split()[0]) << 10
    limit = size + (4 * megabytes + 512 << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    cpu = round(time.process_time() + seconds * 2 + 60)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _resident() -> int:
    _forget_peak()
    return _peak_megabytes()


def _peak_megabytes() -> int:
    return int(STATUS.read_text().partition("VmHWM:")[2].split()[0]) >> 10


def _forget_peak() -> None:
    # proc(5): 5 resets the peak of resident memory.
    Path("/proc/self/clear_refs").write_text("5")
