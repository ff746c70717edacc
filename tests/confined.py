"""Runs a function in a child process whose memory and CPU time are limited."""

import multiprocessing
import resource
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar, TypeVarTuple, cast

import psutil

Arguments = TypeVarTuple("Arguments")
R = TypeVar("R")


def confined(run: Callable[[*Arguments], R], *args: *Arguments, megabytes: int, seconds: int) -> R:
    """What ``run`` returns in a process of its own.

    The process may take ``megabytes`` beyond what it has after its imports, and ``seconds`` of CPU
    time; beyond either it fails, and so does the test. ``run`` must be importable.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_run, args=(theirs, megabytes, seconds, run, args))
    child.start()
    theirs.close()
    try:
        outcome = ours.recv() if ours.poll(seconds * 4 + 60) else None
    except EOFError:
        outcome = None
    finally:
        child.join(10)
        child.kill()
        ours.close()
    if outcome is None:
        raise AssertionError(f"the process ended without a result: status {child.exitcode}")
    result, failure, peak = outcome
    assert failure is None, failure
    assert peak <= megabytes, f"took {peak} MB, more than {megabytes}"
    return cast("R", result)


def _run(
    pipe: Connection,
    megabytes: int,
    seconds: int,
    run: Callable[..., object],
    args: tuple[object, ...],
) -> None:
    process = psutil.Process()
    before = process.memory_info()
    limit = before.vms + (megabytes << 20) * 2
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    used = round(time.process_time())
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, used + seconds + 1))
    result, failure = None, None
    try:
        result = run(*args)
    except BaseException as error:
        failure = repr(error)
    pipe.send((result, failure, (_peak() - before.rss) >> 20))


def _peak() -> int:
    """The most bytes that this process has held.

    Not ``ru_maxrss``: that one counts what the process held before it ran its own program, when it
    was a copy of the tests' process.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) << 10
