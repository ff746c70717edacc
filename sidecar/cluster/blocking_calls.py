"""Calls that may block for ever, each on a daemon thread.

Threads of ``concurrent.futures`` are joined when the process ends: a call that waits for a cluster
that is gone would keep the server from ending.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

from sidecar.captured import Captured

P = ParamSpec("P")
T = TypeVar("T")


class BlockingCalls:
    """Runs calls side by side, at most ``most`` at once; further ones wait their turn."""

    def __init__(self, most: int, name: str) -> None:
        self._free = asyncio.Semaphore(most)
        self._name = name

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of ``call``. Cancelling ends the waiting; the call itself goes on."""
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        bound = partial(call, *args, **kwargs)

        def work() -> None:
            result: list[T] = []
            with Captured() as attempt:
                result.append(bound())
            # The loop may be closed by now.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._report, future, result, attempt.error)

        threading.Thread(target=work, name=self._name, daemon=True).start()
        return await future

    def _report(self, future: asyncio.Future[T], result: list[T], error: Exception | None) -> None:
        self._free.release()
        if future.done():
            return
        if error is None:
            future.set_result(result[0])
        else:
            future.set_exception(error)
