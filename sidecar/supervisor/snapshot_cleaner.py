"""Deletes snapshots whose date has passed: when the server starts, and from time to time."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from sidecar.aio import Component, Contained, TaskSet
from sidecar.supervisor.snapshot_folder import SnapshotFolder

EVERY: Final = 600.0
"""Seconds between two looks at the dates, which are days."""


class SnapshotCleaner(Component):
    """Keeps ``folder`` free of expired sets while it is started."""

    def __init__(
        self,
        folder: SnapshotFolder,
        *,
        every: float = EVERY,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._folder = folder
        self._every = every
        self._now = now
        self._tasks = TaskSet()

    async def start(self) -> None:
        """Delete what expired while no server ran."""
        await self._clean()
        self._tasks.create_task(self._run(), name="snapshots")

    async def aclose(self) -> None:
        """Delete no more."""
        await self._tasks.aclose()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            await self._clean()

    async def _clean(self) -> None:
        with Contained("snapshots not deleted"):
            await asyncio.to_thread(self._folder.delete_expired, self._now())
