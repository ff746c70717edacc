"""Building blocks of components that run on the event loop.

Lives, tasks, contained failures, mailboxes, wake-ups and retries.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol, Self, TypeVar

import structlog

from config.errors import SidecarError
from sidecar.captured import Captured

log = structlog.get_logger(__name__)

T = TypeVar("T")

MAX_EXPONENT: Final = 32
"""Attempts after which a delay no longer grows: the power would only overflow."""


class Component:
    """A component with a life: from ``start`` to ``aclose``, or an async context manager."""

    async def start(self) -> None:
        """Begin; what raises here has left nothing behind."""

    async def aclose(self) -> None:
        """End, and free everything."""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()


class Closable(Protocol):
    """What holds something until it is closed."""

    async def aclose(self) -> None:
        """Free everything."""
        ...


@asynccontextmanager
async def undo_on_failure(undo: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Await ``undo()`` where the block raises or is cancelled: for a start that fails halfway."""
    async with AsyncExitStack() as stack:
        stack.push_async_callback(undo)
        yield
        stack.pop_all()


async def start_all(components: Iterable[Component]) -> None:
    """Start ``components`` side by side; where some fail, raise the first failure of them."""
    starting = (component.start() for component in components)
    for failure in await asyncio.gather(*starting, return_exceptions=True):
        if failure is not None:
            raise failure


class Contained(Captured):
    """As ``Captured``; the exception is also logged as ``event`` with ``fields``."""

    def __init__(self, event: str, *passing: type[Exception], **fields: object) -> None:
        super().__init__(*passing)
        self._event = event
        self._fields = fields

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        contained = super().__exit__(kind, error, traceback)
        if contained and self.error is not None:
            log_failure(self._event, self.error, **self._fields)
        return contained


def log_failure(event: str, error: BaseException, **fields: object) -> None:
    """Log that something failed: one line for an error that a user can act on, else a traceback."""
    if isinstance(error, SidecarError):
        log.warning(event, reason=str(error), **fields)
    else:
        log.error(event, reason=repr(error), exc_info=error, **fields)


def is_logged(failures: int) -> bool:
    """Whether the last of ``failures`` in a row is logged: the first, second, fourth, eighth …

    What fails many times a second would fill the log else.
    """
    return failures & (failures - 1) == 0


async def cancel_and_wait(*tasks: asyncio.Future[Any]) -> None:
    """Cancel ``tasks`` and wait until they are done.

    A task that fails while it is cancelled is logged, and raises nothing here.
    """
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled() and (error := task.exception()) is not None:
            log_failure("task failed", error, task=_name(task))


async def finish(work: Awaitable[T]) -> T:
    """Run ``work``, which frees something, to its end; return or raise what it did.

    Cancellation waits for that end, and is raised then. ``work`` bounds its own time.
    """
    task = asyncio.ensure_future(work)
    cancellation: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancellation = error
    if cancellation is not None:
        # Asking for the failure keeps asyncio from logging it as lost.
        raise cancellation from (None if task.cancelled() else task.exception())
    return task.result()


async def close_all(components: Iterable[Closable]) -> None:
    """Close ``components`` side by side, cancelled or not; where some fail, raise the first."""
    closing = (component.aclose() for component in components)
    for failure in await finish(asyncio.gather(*closing, return_exceptions=True)):
        if failure is not None:
            raise failure


async def run_until_first(*work: Coroutine[Any, Any, T]) -> T:
    """Run ``work`` side by side until one ends, and return or raise what that one did.

    The others are cancelled, and awaited.
    """
    tasks = [asyncio.create_task(each) for each in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancel_and_wait(*(task for task in tasks if not task.done()))
    # Of several that ended in the same step, one that failed says more.
    failed = [task for task in done if not task.cancelled() and task.exception() is not None]
    return (failed or list(done))[0].result()


def _name(task: asyncio.Future[Any]) -> str:
    return task.get_name() if isinstance(task, asyncio.Task) else repr(task)


class TaskSet(Component):
    """The tasks of one component; ``aclose`` ends all of them.

    A task that fails is logged, and ``on_failure`` is called with its error, so that the owner can
    end or restart itself. Nothing is restarted here.
    """

    def __init__(self, on_failure: Callable[[Exception], None] | None = None) -> None:
        self._on_failure = on_failure
        self._tasks: set[asyncio.Task[Any]] = set()
        self._cleanups: set[asyncio.Task[Any]] = set()
        self._closed = False

    def __len__(self) -> int:
        """How many tasks run, cleanup tasks included."""
        return len(self._tasks) + len(self._cleanups)

    def create_task(
        self, work: Coroutine[Any, Any, T], *, name: str | None = None
    ) -> asyncio.Task[T]:
        """Run ``work`` until it ends or the set is closed, which cancels it.

        In a closed set, ``work`` is cancelled before it begins.
        """
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)
        if self._closed:
            task.cancel()
        return task

    def create_cleanup(
        self, work: Coroutine[Any, Any, T], *, name: str | None = None
    ) -> asyncio.Task[T]:
        """Run ``work``, which frees something: ``aclose`` waits for it and never cancels it.

        Its failure is logged, and not passed to ``on_failure``. ``work`` bounds its own time.
        """
        task = asyncio.create_task(work, name=name)
        self._cleanups.add(task)
        task.add_done_callback(self._cleanup_done)
        return task

    async def aclose(self) -> None:
        """Cancel the tasks, and wait for them and for the cleanup tasks.

        The task that calls this is left alone, so that a task may close its own set.
        """
        self._closed = True
        current = asyncio.current_task()
        while pending := (self._tasks | self._cleanups) - {current}:
            for task in self._tasks - {current}:
                task.cancel()
            await asyncio.wait(pending)
            # The callbacks that take done tasks out of the sets run in the loop's next step.
            await asyncio.sleep(0)

    def _task_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        log_failure("task failed", error, task=task.get_name())
        if self._on_failure is not None and not self._closed and isinstance(error, Exception):
            self._on_failure(error)

    def _cleanup_done(self, task: asyncio.Task[Any]) -> None:
        self._cleanups.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log_failure("task failed", error, task=task.get_name())


class MailboxClosedError(Exception):
    """A mailbox is closed and empty. Its reader handles it: it reaches no user."""


class Mailbox(Generic[T]):
    """One place for one item, on the event loop: a newer item replaces one that was not read.

    For one reader. Iterating reads until the mailbox is closed and empty.
    """

    def __init__(self) -> None:
        self._items: list[T] = []
        self._changed = asyncio.Event()
        self.closed = False
        """No more items are taken."""
        self.replaced = 0
        """How many items were replaced before they were read."""

    def put(self, item: T) -> None:
        """Offer ``item`` in place of any that was not read; ignored once closed."""
        if self.closed:
            return
        self.replaced += len(self._items)
        self._items = [item]
        self._changed.set()

    def close(self) -> None:
        """Take no more items; the last one can still be read."""
        self.closed = True
        self._changed.set()

    async def get(self) -> T:
        """Wait for the next item and take it; raises MailboxClosedError if there are no more."""
        while not self._items:
            if self.closed:
                raise MailboxClosedError
            self._changed.clear()
            await self._changed.wait()
        return self._items.pop()

    async def __aiter__(self) -> AsyncIterator[T]:
        while True:
            try:
                item = await self.get()
            except MailboxClosedError:
                return
            yield item


class Broadcast:
    """Wakes all tasks that wait for a change of some state.

    Changes are counted, so that one is not missed between reading the state and waiting::

        async for _ in changed.updates():  # at once, and after each change
            read the state
    """

    def __init__(self) -> None:
        self._waiting = asyncio.Event()
        self.version = 0
        """How many changes there were."""

    def notify(self) -> None:
        """The state has changed: wake all tasks that wait now."""
        self.version += 1
        self._waiting.set()
        self._waiting = asyncio.Event()

    async def wait(self, seen: int | None = None) -> int:
        """Wait until ``version`` differs from ``seen`` (None: from what it is now); return it."""
        seen = self.version if seen is None else seen
        while self.version == seen:
            await self._waiting.wait()
        return self.version

    async def wait_for(self, predicate: Callable[[], bool]) -> None:
        """Wait until ``predicate`` holds; it is tested at once and after each change."""
        while not predicate():
            await self.wait()

    def updates(self) -> "Updates":
        """Iterate over the changes: one step at once, then one for all changes since the last."""
        return Updates(self)


class Updates:
    """The changes of a ``Broadcast``, without end: changes during one step make one more step."""

    def __init__(self, changed: Broadcast) -> None:
        self._changed = changed
        self._seen: int | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> None:
        if self._seen is not None:
            await self._changed.wait(self._seen)
        self._seen = self._changed.version


@dataclass(frozen=True, slots=True)
class Backoff:
    """A retry schedule: exponential delays with jitter, so that not all clients come at once."""

    first: float = 0.3
    """Delay before attempt 0, in seconds (or any other unit that the caller counts in)."""
    factor: float = 1.7
    """Growth from one attempt to the next; 1 for a constant delay."""
    longest: float = 3.0
    """The delay grows no longer than this."""
    jitter: float = 0.5
    """The share of each delay that is random: 0 for none, 0.5 for the upper half."""
    random: Callable[[], float] = field(default=random.random, compare=False)
    """Numbers from 0 to 1."""

    def delay(self, attempt: int) -> float:
        """The delay before ``attempt`` (0, 1, …)."""
        grown = self.first * self.factor ** max(0, min(attempt, MAX_EXPONENT))
        return min(self.longest, grown) * (1 - self.jitter * (1 - self._spread()))

    def _spread(self) -> float:
        return self.random() if self.jitter else 1.0
