"""Looks from time to time whether another program chose another bundle of models."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from sidecar.aio import Component, Contained, TaskSet

EVERY: Final = 0.25
"""Seconds between two looks, each at one small file."""


class BundleWatcher(Component):
    """Awaits ``follow`` again and again while it is started."""

    def __init__(self, follow: Callable[[], Awaitable[None]], *, every: float = EVERY) -> None:
        self._follow = follow
        self._every = every
        self._tasks = TaskSet()

    async def start(self) -> None:
        """Look for the first time after ``every`` seconds."""
        self._tasks.create_task(self._run(), name="models")

    async def aclose(self) -> None:
        """Look no more."""
        await self._tasks.aclose()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            with Contained("models not looked at"):
                await self._follow()
