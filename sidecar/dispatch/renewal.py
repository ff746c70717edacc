"""Dispatch rooms again: a dispatch is deleted, and another one like it created.

The server lets one caller delete a dispatch, so that of several servers one creates it. From then
on the room has no dispatch but in our memory: what can't be created at once is tried again.
"""

import asyncio
from typing import Final

import structlog
from livekit.protocol.agent_dispatch import AgentDispatch

from config.errors import NotFoundError, SidecarError
from sidecar.aio import Backoff, Component, TaskSet
from sidecar.dispatch.dispatch_api import DispatchApi, RoomDispatch

log = structlog.get_logger(__name__)

RETRIES: Final = 4
"""Attempts at the end, when there is no later time."""


class DispatchRenewal(Component):
    """Dispatches again by ``api``; ``aclose`` waits for what is deleted and not created yet."""

    def __init__(self, api: DispatchApi, backoff: Backoff) -> None:
        self._api = api
        self._backoff = backoff
        self._tasks = TaskSet()
        self._owed: dict[str, AgentDispatch] = {}
        """What we deleted and did not create yet, by the id that it had."""

    async def aclose(self) -> None:
        """Create what is owed; what can't be created is named in the log."""
        await self._tasks.aclose()
        for attempt in range(RETRIES):
            if not self._owed:
                return
            await asyncio.sleep(self._backoff.delay(attempt))
            await self.settle()
        for lost in self._owed.values():
            log.error("dispatch lost", room=lost.room, reason="the server did not create it again")

    async def again(self, dispatch: RoomDispatch) -> bool:
        """Dispatch it again; False where another server did, or where it could not be deleted.

        Cancelling the caller does not end it in between: the dispatch would be lost.
        """
        work = self._tasks.create_cleanup(self._replace(dispatch), name="dispatch again")
        return await asyncio.shield(work)

    async def settle(self) -> None:
        """Try again to create what is owed."""
        await asyncio.gather(*(self._create(dispatch) for dispatch in list(self._owed)))

    async def _replace(self, dispatch: RoomDispatch) -> bool:
        try:
            deleted = await self._api.delete(dispatch.dispatch, dispatch.room)
        except SidecarError as error:
            log.warning("dispatch not deleted", room=dispatch.room, reason=str(error))
            return False
        if deleted:
            self._owed[dispatch.dispatch] = dispatch.message
            await self._create(dispatch.dispatch)
        return deleted

    async def _create(self, dispatch: str) -> None:
        wanted = self._owed.pop(dispatch, None)
        if wanted is None:
            return
        try:
            await self._api.create(wanted)
        except NotFoundError:
            log.info("room is gone, not dispatched again", room=wanted.room)
        except SidecarError as error:
            log.warning("not dispatched again yet", room=wanted.room, reason=str(error))
            self._owed[dispatch] = wanted
