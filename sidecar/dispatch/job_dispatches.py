"""The dispatches of our jobs: deleted when a job is over, made again where it is still wanted."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final

import aiohttp
import structlog

from config.errors import SidecarError
from sidecar.aio import Backoff, Component
from sidecar.dispatch.dispatch_api import DispatchApi
from sidecar.dispatch.job_board import WorkerJob
from sidecar.dispatch.renewal import DispatchRenewal
from sidecar.dispatch.worker_options import WorkerOptions
from sidecar.rooms.http import open_http

log = structlog.get_logger(__name__)

RETRIES: Final = 4
"""Attempts at deleting the dispatch of a job that is over."""


class JobDispatches(Component):
    """Asks the LiveKit server while it is started; ``http``, ``api`` and ``renewal`` live as long.

    ``aclose`` waits for dispatches that are deleted and not created again yet.
    """

    http: aiohttp.ClientSession
    api: DispatchApi
    renewal: DispatchRenewal

    def __init__(
        self, options: WorkerOptions, *, backoff: Backoff, wall: Callable[[], float] = time.time
    ) -> None:
        self._options = options
        self._backoff = backoff
        self._wall = wall
        self._resources = AsyncExitStack()

    async def start(self) -> None:
        options = self._options
        self.http = await self._resources.enter_async_context(open_http())
        self.api = DispatchApi(self.http, options.server, options.keys, self._wall)
        renewal = DispatchRenewal(self.api, self._backoff)
        self.renewal = await self._resources.enter_async_context(renewal)

    async def aclose(self) -> None:
        await self._resources.aclose()

    async def delete(self, job: WorkerJob) -> None:
        """Delete the dispatch of a job that is over; one that can't be deleted is given up."""
        if not job.job.dispatch:
            return
        for attempt in range(RETRIES):
            try:
                await self.api.delete(job.job.dispatch, job.job.room)
            except SidecarError as error:
                # A room that is over has no dispatches any more, and its server none to ask.
                log.debug("dispatch not deleted", room=job.job.room, reason=str(error))
                await asyncio.sleep(self._backoff.delay(attempt))
            else:
                return

    async def again(self, job: WorkerJob) -> bool:
        """Dispatch a job again, so that another server takes it; whether that was ours to do.

        Raises SidecarError where the server gives no answer.
        """
        if not job.job.dispatch:
            return False
        found = await self.api.dispatches(job.job.room, self._options.agent_name)
        ours = [one for one in found if one.dispatch == job.job.dispatch]
        return any([await self.renewal.again(dispatch) for dispatch in ours])
