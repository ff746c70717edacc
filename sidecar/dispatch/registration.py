"""A worker's registration: its connection is made again after each loss, without an end."""

import asyncio
import time
from collections.abc import Callable

import aiohttp
import structlog

from config.errors import RoomError
from sidecar.aio import Backoff, Contained, is_logged
from sidecar.dispatch.connection import WorkerConnection
from sidecar.dispatch.protocol import WorkerEvent, WorkerPhase, WorkerProtocol, WorkerRegistered
from sidecar.dispatch.worker_options import WorkerOptions

log = structlog.get_logger(__name__)


class WorkerRegistration:
    """Registers at the LiveKit server while ``keep`` runs; ``take`` gets what the server says."""

    def __init__(
        self,
        options: WorkerOptions,
        take: Callable[[WorkerEvent], None],
        *,
        backoff: Backoff,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._options = options
        self._take = take
        self._backoff = backoff
        self._wall = wall
        self._protocol = WorkerProtocol(options.agent_name, options.namespace)
        self._connection: WorkerConnection | None = None

    @property
    def registered(self) -> bool:
        """Whether the server may offer jobs now."""
        return self._connection is not None and self._protocol.phase is WorkerPhase.REGISTERED

    async def keep(self, http: aiohttp.ClientSession) -> None:
        """Connect, and again after each loss, until cancelled."""
        options, failures = self._options, 0
        while True:
            self._protocol = WorkerProtocol(options.agent_name, options.namespace)
            connection = WorkerConnection(
                http, options.server, options.keys, self._protocol, self._wall
            )
            try:
                async with connection:
                    self._connection = connection
                    async for event in connection.events():
                        failures = 0 if isinstance(event, WorkerRegistered) else failures
                        with Contained("LiveKit worker's message not handled"):
                            self._take(event)
            except RoomError as error:
                failures += 1
                if is_logged(failures):
                    log.warning("LiveKit worker not connected", reason=str(error))
            finally:
                self._connection = None
            await asyncio.sleep(self._backoff.delay(failures))

    def act(self, act: Callable[[WorkerProtocol], None]) -> None:
        """Act on the protocol; what it wants sent is sent soon. Nothing without a connection."""
        if self._connection is not None:
            with self._connection.send_context() as protocol:
                act(protocol)

    def withdraw(self, job: str) -> None:
        """Forget a job that we said we take."""
        self._protocol.withdraw(job)
