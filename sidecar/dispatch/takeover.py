"""Takes over the dispatches of servers that were killed, as far as we have capacity for them."""

import asyncio
import time
from collections.abc import Callable

import structlog

from config.errors import CapacityError, ConfigError
from sidecar.aio import Contained
from sidecar.dispatch.abandoned import AbandonedWatch
from sidecar.dispatch.dispatch_api import RoomDispatch
from sidecar.dispatch.job_board import JobBoard
from sidecar.dispatch.job_dispatches import JobDispatches
from sidecar.dispatch.job_rooms import JobRooms
from sidecar.dispatch.registration import WorkerRegistration
from sidecar.dispatch.sweep import DispatchSweep
from sidecar.dispatch.worker_options import WorkerOptions
from sidecar.supervisor.supervisor import Supervisor

log = structlog.get_logger(__name__)


class DispatchTakeover:
    """Looks for abandoned dispatches while ``run`` runs, and begins them again."""

    def __init__(
        self,
        options: WorkerOptions,
        supervisor: Supervisor,
        board: JobBoard,
        registration: WorkerRegistration,
        dispatches: JobDispatches,
        rooms: JobRooms,
        *,
        watch: AbandonedWatch,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.taken_over = 0
        """Dispatches without a living server that we dispatched again."""
        self.server_ahead = 0.0
        """Seconds that the server's clock is before ours."""
        self._options = options
        self._supervisor = supervisor
        self._board = board
        self._registration = registration
        self._dispatches = dispatches
        self._rooms = rooms
        self._watch = watch
        self._clock = clock
        self._wall = wall

    async def run(self) -> None:
        """Look until cancelled."""
        agent, api = self._options.agent_name, self._dispatches.api
        sweep = DispatchSweep(api, agent, self._watch, self._clock)
        while True:
            await asyncio.sleep(sweep.pause)
            with Contained("dispatches not looked at"):
                await self._dispatches.renewal.settle()
                if self._registration.registered and not self._supervisor.draining:
                    await self._look(sweep)

    async def _look(self, sweep: DispatchSweep) -> None:
        own = [one.job for one in self._board.all() if one.job.dispatch]
        found = await sweep.look(own, self._wall() + self.server_ahead)
        for withdrawn in found.withdrawn:
            if (job := self._board.find(withdrawn.job)) is not None:
                await self._rooms.terminate(job)
        for dispatch in found.abandoned:
            if self._has_capacity(dispatch) and await self._dispatches.renewal.again(dispatch):
                self.taken_over += 1
                log.info(
                    "abandoned dispatch begun again",
                    room=dispatch.room,
                    dispatch=dispatch.dispatch,
                    had_job=bool(dispatch.jobs),
                )

    def _has_capacity(self, dispatch: RoomDispatch) -> bool:
        """Whether we would take its job: a server that is full leaves it to another."""
        name = f"dispatch {dispatch.dispatch}"
        try:
            request = self._options.request(dispatch.room, dispatch.message.metadata)
            self._supervisor.reserve(name, request)
        except ConfigError:
            return True
        except CapacityError:
            return False
        self._supervisor.release(name)
        return True
