"""A worker of a LiveKit server: its jobs become rooms of our supervisor."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakValueDictionary

import aiohttp
import structlog

from config.errors import CapacityError, ConfigError, RoomError, SidecarError
from sidecar.aio import Backoff, Component, Contained, TaskSet, is_logged, log_failure
from sidecar.captured import Captured
from sidecar.dispatch.abandoned import AbandonedWatch
from sidecar.dispatch.connection import WorkerConnection
from sidecar.dispatch.dispatch_api import DispatchApi, RoomDispatch
from sidecar.dispatch.job_board import JobBoard, JobResult, WorkerJob
from sidecar.dispatch.job_metadata import read_metadata, room_request, room_suffix
from sidecar.dispatch.protocol import (
    DispatchedJob,
    JobAssigned,
    JobOffered,
    JobTerminated,
    WorkerEvent,
    WorkerPhase,
    WorkerPonged,
    WorkerProtocol,
    WorkerRegistered,
)
from sidecar.dispatch.renewal import DispatchRenewal
from sidecar.dispatch.sweep import DispatchSweep
from sidecar.rooms.http import open_http
from sidecar.rooms.livekit.tokens import IDENTITY_SUFFIX, KEY, SECRET, KeyPair
from sidecar.supervisor.event_log import EventRecord
from sidecar.supervisor.supervisor import Supervisor
from sidecar.supervisor.values import RoomRequest, RoomState

log = structlog.get_logger(__name__)

LOOK_EVERY: Final = 0.5
"""Seconds between two looks at our load, as in LiveKit's agents (``UPDATE_LOAD_INTERVAL``)."""
REPORT_EVERY: Final = 2.5
"""Seconds after which the load is reported though it is the same (``UPDATE_STATUS_INTERVAL``)."""
LEAVING: Final = 10.0
"""Seconds for a room to be left when the server stops."""
RETRIES: Final = 4
"""Attempts at deleting the dispatch of a job that is over."""


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """At which LiveKit server we register, and as what."""

    server: str
    """``ws://`` or ``wss://``, without a path."""
    keys: KeyPair
    agent_name: str
    namespace: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Further secrets of each room: the keys of end-to-end encryption."""


@dataclass(frozen=True, slots=True)
class ReportedLoad:
    """What the server was last informed of."""

    load: float
    jobs: int
    full: bool


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
        self.results: Counter[JobResult] = Counter()
        """Jobs by what came of them."""
        self.taken_over = 0
        """Dispatches without a living server that we dispatched again."""
        self._options = options
        self._supervisor = supervisor
        self._backoff = backoff or Backoff(longest=10.0)
        self._watch = watch or AbandonedWatch()
        self._clock = clock
        self._wall = wall
        self._server_ahead = 0.0
        """Seconds that the server's clock is before ours."""
        self._board = JobBoard()
        self._meetings: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._protocol = WorkerProtocol(options.agent_name, options.namespace)
        self._connection: WorkerConnection | None = None
        self._api: DispatchApi | None = None
        self._renewal: DispatchRenewal | None = None
        self._resources = contextlib.AsyncExitStack()
        self._tasks = TaskSet()
        self._reported: tuple[ReportedLoad, float] | None = None
        self._stopping = False

    @property
    def registered(self) -> bool:
        """Whether the server may offer jobs now."""
        return self._connection is not None and self._protocol.phase is WorkerPhase.REGISTERED

    @property
    def jobs(self) -> int:
        """How many jobs are ours now."""
        return len(self._board)

    async def start(self) -> None:
        """Begin to connect; a server that can't be reached is tried again without end."""
        http = await self._resources.enter_async_context(open_http())
        self._api = DispatchApi(http, self._options.server, self._options.keys, self._wall)
        renewal = DispatchRenewal(self._api, self._backoff)
        self._renewal = await self._resources.enter_async_context(renewal)
        sweep = DispatchSweep(self._api, self._options.agent_name, self._watch, self._clock)
        self._supervisor.events.subscribe(self._on_record)
        self._tasks.create_task(self._stay_connected(http), name="LiveKit worker")
        self._tasks.create_task(self._report(), name="LiveKit worker's load")
        self._tasks.create_task(self._look_for_abandoned(sweep, renewal), name="LiveKit dispatches")

    async def aclose(self) -> None:
        """Take no more jobs, leave the rooms of ours, and let other servers have them."""
        self._stopping = True
        self._send_load()
        await asyncio.gather(*(self._hand_over(one) for one in self._board.all()))
        await self._tasks.aclose()
        await self._resources.aclose()

    async def _stay_connected(self, http: aiohttp.ClientSession) -> None:
        options, failures = self._options, 0
        while True:
            self._protocol = WorkerProtocol(options.agent_name, options.namespace)
            connection = WorkerConnection(
                http, options.server, options.keys, self._protocol, self._wall
            )
            try:
                async with connection:
                    self._connection, self._reported = connection, None
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

    def _take(self, event: WorkerEvent) -> None:
        match event:
            case WorkerRegistered():
                log.info("LiveKit worker registered", worker=event.worker, version=event.version)
                self._send_load()
            case JobOffered():
                self._offered(event.job)
            case JobAssigned():
                if (job := self._board.assign(event.job.job)) is not None:
                    self._tasks.create_task(self._begin(job), name=f"job {job.job.job}")
            case JobTerminated():
                if (job := self._board.find(event.job)) is not None:
                    self._tasks.create_task(self._terminate(job), name=f"end of job {job.job.job}")
            case WorkerPonged():
                self._server_ahead = event.server / 1000 - self._wall()

    def _offered(self, offered: DispatchedJob) -> None:
        """Answer by our admission; a job that can't be read is taken, to be failed."""
        if (ours := self._board.find(offered.job)) is not None:
            # Offered again after a lost connection; a job that runs is not begun twice.
            ours.promised = self._clock()
            self._act(lambda protocol: protocol.answer(offered.job, available=not ours.assigned))
            return
        job = self._read(offered)
        try:
            if self._stopping:
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
        self._act(lambda protocol: protocol.answer(offered.job, available=available))
        # At once: the server draws the worker of its next job by the load that it knows.
        self._send_load()

    def _read(self, offered: DispatchedJob) -> WorkerJob:
        try:
            return WorkerJob(offered, self._request(offered.room, offered.metadata))
        except ConfigError as error:
            return WorkerJob(offered, None, str(error))

    def _request(self, room: str, metadata: str) -> RoomRequest:
        options = self._options
        identity = {IDENTITY_SUFFIX: room_suffix(options.agent_name, room)}
        keys = {KEY: options.keys.key, SECRET: options.keys.secret}
        secrets = {**options.secrets, **keys, **identity}
        return room_request(options.server, room, secrets, read_metadata(metadata))

    def _meeting(self, job: WorkerJob) -> asyncio.Lock:
        """Held while a job of the meeting begins or ends: its rooms have the same identities."""
        return self._meetings.setdefault(job.job.room, asyncio.Lock())

    async def _begin(self, job: WorkerJob) -> None:
        """Make the room of a job that was assigned."""
        self.results[JobResult.ACCEPTED] += 1
        async with self._meeting(job):
            for older in self._board.superseded(job.job.room):
                await self._end(older, "dispatched again")
                # Not here: a server that answers late would keep the newer room from beginning.
                self._tasks.create_task(self._delete(older), name=f"end of job {older.job.job}")
            if self._board.find(job.job.job) is job:
                await self._make_room(job)

    async def _make_room(self, job: WorkerJob) -> None:
        with Captured() as attempt:
            if job.request is None:
                raise ConfigError(job.error)
            made, _ = await self._supervisor.create(job.request, reserved=job.reservation)
        if attempt.error is not None:
            if not isinstance(attempt.error, SidecarError):
                log_failure("job not begun", attempt.error, job=job.job.job)
            self._supervisor.release(job.reservation)
            if isinstance(attempt.error, CapacityError):
                await self._pass_on(job, attempt.reason)
            else:
                await self._over(job, attempt.reason)
            return
        job.room = made.id
        log.info("job begun", job=job.job.job, room=made.id)
        self._act(lambda protocol: protocol.report_running(job.job.job))
        if self._supervisor.room(made.id).state.over:
            # Before we knew which room it was.
            await self._room_over(job)

    async def _pass_on(self, job: WorkerJob, error: str) -> None:
        """We said that we take a job and can't, as we drain meanwhile: another server is to."""
        self._board.remove(job.job.job)
        log.warning("job passed on", job=job.job.job, room=job.job.room, reason=error)
        self._act(lambda protocol: protocol.report_ended(job.job.job, error))
        self._send_load()
        with Contained("job not handed over", job=job.job.job):
            await self._dispatch_again(job)

    def _on_record(self, record: EventRecord) -> None:
        if record.event.get("event") != "room.state" or self._stopping:
            return
        if (job := self._board.of_room(record.room)) is None:
            return
        if RoomState(record.event["state"]).over:
            self._tasks.create_task(self._room_over(job), name=f"end of job {job.job.job}")

    async def _room_over(self, job: WorkerJob) -> None:
        room = self._supervisor.room(job.room)
        await self._over(job, room.reason if room.state is RoomState.FAILED else "")

    async def _over(self, job: WorkerJob, error: str) -> None:
        """The job is over by itself: no other server is to begin it again."""
        if self._board.remove(job.job.job) is None:
            return
        self.results[JobResult.FAILED if error else JobResult.SUCCEEDED] += 1
        if error:
            log.warning("job failed", job=job.job.job, room=job.job.room, reason=error)
        self._act(lambda protocol: protocol.report_ended(job.job.job, error))
        self._send_load()
        await self._delete(job)

    async def _terminate(self, job: WorkerJob) -> None:
        async with self._meeting(job):
            await self._end(job, "its dispatch was deleted")

    async def _end(self, job: WorkerJob, why: str) -> None:
        """Leave the room of a job that is wanted no more."""
        if self._board.remove(job.job.job) is None:
            return
        self.results[JobResult.TERMINATED] += 1
        log.info("job ended", job=job.job.job, room=job.job.room, reason=why)
        self._supervisor.release(job.reservation)
        self._protocol.withdraw(job.job.job)
        await self._leave_room(job)
        self._act(lambda protocol: protocol.report_ended(job.job.job))
        self._send_load()

    async def _leave_room(self, job: WorkerJob) -> None:
        if not job.room:
            return
        with contextlib.suppress(SidecarError, TimeoutError):
            await self._supervisor.delete(job.room)
            async with asyncio.timeout(LEAVING):
                await self._supervisor.room(job.room).over()

    async def _delete(self, job: WorkerJob) -> None:
        if self._api is None or not job.job.dispatch:
            return
        for attempt in range(RETRIES):
            try:
                await self._api.delete(job.job.dispatch, job.job.room)
            except SidecarError as error:
                # A room that is over has no dispatches any more, and its server none to ask.
                log.debug("dispatch not deleted", room=job.job.room, reason=str(error))
                await asyncio.sleep(self._backoff.delay(attempt))
            else:
                return

    async def _hand_over(self, job: WorkerJob) -> None:
        """Leave the room of a job that is still wanted, and dispatch it again."""
        with Contained("job not handed over", job=job.job.job):
            async with self._meeting(job):
                self._board.remove(job.job.job)
                self._supervisor.release(job.reservation)
                await self._leave_room(job)
            await self._dispatch_again(job)

    async def _dispatch_again(self, job: WorkerJob) -> None:
        if self._api is None or self._renewal is None or not job.job.dispatch:
            return
        found = await self._api.dispatches(job.job.room, self._options.agent_name)
        for dispatch in found:
            if dispatch.dispatch == job.job.dispatch and await self._renewal.again(dispatch):
                self.results[JobResult.MOVED] += 1

    async def _look_for_abandoned(self, sweep: DispatchSweep, renewal: DispatchRenewal) -> None:
        while True:
            await asyncio.sleep(sweep.pause)
            with Contained("dispatches not looked at"):
                await renewal.settle()
                if self.registered and not self._supervisor.draining:
                    await self._look(sweep, renewal)

    async def _look(self, sweep: DispatchSweep, renewal: DispatchRenewal) -> None:
        own = [one.job for one in self._board.all() if one.job.dispatch]
        found = await sweep.look(own, self._wall() + self._server_ahead)
        for withdrawn in found.withdrawn:
            if (job := self._board.find(withdrawn.job)) is not None:
                await self._terminate(job)
        for dispatch in found.abandoned:
            if self._has_capacity(dispatch) and await renewal.again(dispatch):
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
            request = self._request(dispatch.room, dispatch.message.metadata)
            self._supervisor.reserve(name, request)
        except ConfigError:
            return True
        except CapacityError:
            return False
        self._supervisor.release(name)
        return True

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            for late in self._board.expire(self._clock()):
                log.info("job not assigned in time", job=late.job.job, room=late.job.room)
                self._supervisor.release(late.reservation)
                self._protocol.withdraw(late.job.job)
            reported = self._reported
            old = reported is None or self._clock() - reported[1] >= REPORT_EVERY
            if old or (reported is not None and reported[0] != self._load()):
                self._send_load()

    def _load(self) -> ReportedLoad:
        """Measured and reserved cores by those that may be used, in steps of a hundredth."""
        load = self._supervisor.admission.load(self._supervisor.now)
        full = self._stopping or self._supervisor.draining or load >= 1
        return ReportedLoad(round(load, 2), len(self._board), full)

    def _send_load(self) -> None:
        now = self._load()
        self._reported = (now, self._clock())
        self._act(lambda protocol: protocol.report_load(now.load, now.jobs, full=now.full))

    def _act(self, act: Callable[[WorkerProtocol], None]) -> None:
        if self._connection is not None:
            with self._connection.send_context() as protocol:
                act(protocol)
