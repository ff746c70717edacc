"""Work done behind somebody's back, none of which outlives its owner."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeAlias

import structlog

log = structlog.get_logger(__name__)

Work: TypeAlias = Coroutine[Any, Any, None]


class Errands:
    """Tasks: those that may be called off at the end, and those that must be carried through."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._partings: set[asyncio.Task[None]] = set()

    def start(self, work: Work) -> None:
        """Do ``work`` soon; it is cancelled at the end."""
        _keep(self._running, work)

    def part(self, work: Work) -> None:
        """Do ``work``, which frees something: the end waits for it."""
        _keep(self._partings, work)

    async def close(self) -> None:
        """Cancel what may be, and wait for all of it."""
        for task in self._running:
            task.cancel()
        while self._running or self._partings:
            await asyncio.gather(*self._running, *self._partings, return_exceptions=True)


def _keep(tasks: set[asyncio.Task[None]], work: Work) -> None:
    task = asyncio.create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    task.add_done_callback(_tell)


def _tell(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("work broke off", exc_info=error)
