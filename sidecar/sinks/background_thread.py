"""One daemon thread for calls that may never return: writing to a pipe, a terminal, a dead disk.

Threads of ``concurrent.futures`` are joined when the process ends, so that a write into a pipe that
is never read would keep it alive.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Final, TypeAlias, TypeVar

from sidecar.captured import Captured

T = TypeVar("T")

BACKLOG: Final = 1000
"""Posted calls that wait at most."""

_Job: TypeAlias = "tuple[Callable[[], Any], asyncio.Future[Any] | None] | None"


class BackgroundThread:
    """Runs calls one after another. A call that hangs delays later calls and nothing else."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._current: asyncio.Future[Any] | None = None
        self._ended: asyncio.Future[None] | None = None

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self._thread.start()

    async def aclose(self, patience: float = 1.0) -> bool:
        """End the thread after the calls that wait; False if it hangs for ``patience`` seconds."""
        if self._ended is None:
            return True
        self._jobs.put(None)
        await asyncio.wait([self._ended], timeout=patience)
        return self._ended.done()

    async def call(self, work: Callable[[], T]) -> T:
        """The result of ``work``; waits for earlier calls first.

        Cancelling ends the waiting; work that has begun is finished.
        """
        while self._current is not None and not self._current.done():
            await asyncio.wait([self._current])
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        # What is raised after the caller was cancelled is of no use to anyone.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._current = future
        self._jobs.put((work, future))
        return await asyncio.shield(future)

    def post(self, work: Callable[[], object]) -> bool:
        """Run ``work`` later, from any thread; False, without running it, if too many wait."""
        if self._jobs.qsize() >= BACKLOG:
            return False
        self._jobs.put((work, None))
        return True

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            work, future = job
            result = None
            with Captured() as attempt:
                result = work()
            self._report(future, result, attempt.error)
        self._report(self._ended, None, None)

    def _report(
        self, future: asyncio.Future[Any] | None, result: object, error: Exception | None
    ) -> None:
        def report(future: asyncio.Future[Any]) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        if future is not None and self._loop is not None:
            with contextlib.suppress(RuntimeError):  # The loop may be closed by now.
                self._loop.call_soon_threadsafe(report, future)
