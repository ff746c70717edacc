"""A worker of a LiveKit server: its jobs become rooms of our supervisor."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable

import structlog

from config.errors import CapacityError, ConfigError
from sidecar.aio import Backoff, Component, TaskSet
from sidecar.dispatch.abandoned import AbandonedWatch
from sidecar.dispatch.job_board import JobBoard, JobResult, WorkerJob
from sidecar.dispatch.job_dispatches import JobDispatches
from sidecar.dispatch.job_rooms import JobRooms
from sidecar.dispatch.load_reports import LoadReports
from sidecar.dispatch.protocol import (
    DispatchedJob,
    JobAssigned,
    JobOffered,
    JobTerminated,
    WorkerEvent,
    WorkerPonged,
    WorkerRegistered,
)
from sidecar.dispatch.registration import WorkerRegistration
from sidecar.dispatch.takeover import DispatchTakeover
from sidecar.dispatch.worker_options import WorkerOptions
from sidecar.supervisor.event_log import EventRecord
from sidecar.supervisor.supervisor import Supervisor
from sidecar.supervisor.values import RoomState

log = structlog.get_logger(__name__)


class DispatchWorker(Component):
    """Takes jobs while it is started; ``supervisor`` runs their rooms.

    At its end it dispatches the jobs again that still run, so that other servers take them.
    """

    def __init__(
        self,
        options: WorkerOptions,
        supervisor: Supervisor,
        *,
        backoff: Backoff | None = None,
        watch: AbandonedWatch | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        backoff = backoff or Backoff(longest=10.0)
        self._options = options
        self._supervisor = supervisor
        self._clock = clock
        self._wall = wall
        self._tasks = TaskSet()
        self._board = JobBoard()
        self._registration = WorkerRegistration(options, self._take, backoff=backoff, wall=wall)
        self._load = LoadReports(supervisor, self._board, self._registration, clock)
        self._dispatches = JobDispatches(options, backoff=backoff, wall=wall)
        self._rooms = JobRooms(
            supervisor,
            self._board,
            self._registration,
            self._dispatches,
            tasks=self._tasks,
            send_load=self._load.send,
        )
        self._takeover = DispatchTakeover(
            options,
            supervisor,
            self._board,
            self._registration,
            self._dispatches,
            self._rooms,
            watch=watch or AbandonedWatch(),
            clock=clock,
            wall=wall,
        )

    @property
    def registered(self) -> bool:
        """Whether the server may offer jobs now."""
        return self._registration.registered

    @property
    def jobs(self) -> int:
        """How many jobs are ours now."""
        return len(self._board)

    @property
    def results(self) -> Counter[JobResult]:
        """Jobs by what came of them."""
        return self._rooms.results

    @property
    def taken_over(self) -> int:
        """Dispatches without a living server that we dispatched again."""
        return self._takeover.taken_over

    async def start(self) -> None:
        """Begin to connect; a server that can't be reached is tried again without end."""
        await self._dispatches.start()
        self._supervisor.events.subscribe(self._on_record)
        self._tasks.create_task(
            self._registration.keep(self._dispatches.http), name="LiveKit worker"
        )
        self._tasks.create_task(self._load.run(), name="LiveKit worker's load")
        self._tasks.create_task(self._takeover.run(), name="LiveKit dispatches")

    async def aclose(self) -> None:
        """Take no more jobs, leave the rooms of ours, and let other servers have them."""
        self._load.stopping = True
        self._load.send()
        await asyncio.gather(*(self._rooms.hand_over(one) for one in self._board.all()))
        await self._tasks.aclose()
        await self._dispatches.aclose()

    def _take(self, event: WorkerEvent) -> None:
        match event:
            case WorkerRegistered():
                log.info("LiveKit worker registered", worker=event.worker, version=event.version)
                self._load.send()
            case JobOffered():
                self._offered(event.job)
            case JobAssigned():
                if (job := self._board.assign(event.job.job)) is not None:
                    self._tasks.create_task(self._rooms.begin(job), name=f"job {job.job.job}")
            case JobTerminated():
                if (job := self._board.find(event.job)) is not None:
                    ending = self._rooms.terminate(job)
                    self._tasks.create_task(ending, name=f"end of job {job.job.job}")
            case WorkerPonged():
                self._takeover.server_ahead = event.server / 1000 - self._wall()

    def _offered(self, offered: DispatchedJob) -> None:
        """Answer by our admission; a job that can't be read is taken, to be failed."""
        if (ours := self._board.find(offered.job)) is not None:
            # Offered again after a lost connection; a job that runs is not begun twice.
            ours.promised = self._clock()
            self._registration.act(
                lambda protocol: protocol.answer(offered.job, available=not ours.assigned)
            )
            return
        job = self._read(offered)
        try:
            if self._load.stopping:
                raise CapacityError("the server is stopping")
            if job.request is not None:
                self._supervisor.reserve(job.reservation, job.request)
        except CapacityError as error:
            log.info("job refused", job=offered.job, room=offered.room, reason=str(error))
            self.results[JobResult.REFUSED] += 1
            available = False
        else:
            self._board.promise(job, self._clock())
            available = True
        self._registration.act(lambda protocol: protocol.answer(offered.job, available=available))
        # At once: the server draws the worker of its next job by the load that it knows.
        self._load.send()

    def _read(self, offered: DispatchedJob) -> WorkerJob:
        try:
            return WorkerJob(offered, self._options.request(offered.room, offered.metadata))
        except ConfigError as error:
            return WorkerJob(offered, None, str(error))

    def _on_record(self, record: EventRecord) -> None:
        if record.event.get("event") != "room.state" or self._load.stopping:
            return
        if (job := self._board.of_room(record.room)) is None:
            return
        if RoomState(record.event["state"]).over:
            self._tasks.create_task(self._rooms.room_over(job), name=f"end of job {job.job.job}")
