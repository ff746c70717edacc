"""Writes to the journal that its disk did not take: tried again, so that a room that was deleted
while the disk was full does not come back."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import structlog

from config.errors import JournalError
from sidecar.aio import Contained

log = structlog.get_logger(__name__)

JournalWrite: TypeAlias = Callable[[], Awaitable[None]]

EVERY: Final = 1.0
"""Seconds between two tries."""


class LateWrites:
    """The newest write of each key that failed. Belongs to one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], JournalWrite] = {}

    async def write(self, what: str, room: str, write: JournalWrite) -> None:
        """Write now, or by ``again``, where the log names ``what`` of ``room``."""
        self._waiting.pop((what, room), None)
        try:
            await write()
        except JournalError as error:
            self._waiting[what, room] = write
            log.error("journal not written", what=what, room=room, reason=str(error))

    async def run(self, every: float = EVERY) -> None:
        """Try what waits, from time to time, until cancelled."""
        while True:
            await asyncio.sleep(every)
            with Contained("journal not written"):
                await self.again()

    async def again(self) -> None:
        """Try what waits, oldest first, until one fails."""
        for key, write in list(self._waiting.items()):
            try:
                await write()
            except JournalError:
                return
            if self._waiting.get(key) is write:
                del self._waiting[key]
            log.info("journal written later", what=key[0], room=key[1])
