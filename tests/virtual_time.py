"""An event loop whose clock jumps to the next timer instead of waiting for it.

A conftest chooses it for the tests below it (``pytest_asyncio_loop_factories``). Clocks of what is
tested must be the loop's: ``clock=asyncio.get_running_loop().time``. Sockets of other programs know
nothing of this time: tests with a network keep the real one.
"""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Final, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

THREADS: Final = 10.0
"""Real seconds that work in a thread may take before time goes on without it."""


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits for a timer; waits for work in threads, which takes no virtual time."""

    def __init__(self) -> None:
        super().__init__()
        self.threads = 0
        """Calls that run in threads."""
        self.passed = 0.0
        """Virtual seconds."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.threads or timeout is None:
            # A thread ends by a byte in the loop's own socket.
            ready = super().select(THREADS)
            if ready:
                return ready
        if timeout is None:
            raise RuntimeError("all tasks wait for something that never comes")
        self.passed += timeout
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """The loop; its ``time`` begins at 0."""

    def __init__(self) -> None:
        self._selector_of_time = _JumpingSelector()
        super().__init__(self._selector_of_time)

    def time(self) -> float:
        return self._selector_of_time.passed

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
        self._selector_of_time.threads += 1
        future.add_done_callback(self._thread_done)
        return future

    def _thread_done(self, _: asyncio.Future[Any]) -> None:
        self._selector_of_time.threads -= 1
