"""The rooms of jobs: a job that is assigned begins one, and its end is the job's."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from typing import Final
from weakref import WeakValueDictionary

import structlog

from config.errors import CapacityError, ConfigError, SidecarError
from sidecar.aio import Contained, TaskSet, log_failure
from sidecar.captured import Captured
from sidecar.dispatch.job_board import JobBoard, JobResult, WorkerJob
from sidecar.dispatch.job_dispatches import JobDispatches
from sidecar.dispatch.registration import WorkerRegistration
from sidecar.supervisor.supervisor import Supervisor
from sidecar.supervisor.values import RoomState

log = structlog.get_logger(__name__)

LEAVING: Final = 10.0
"""Seconds for a room to be left when the server stops."""


class JobRooms:
    """Begins and ends the rooms of the jobs on ``board``; ``results`` counts what came of them.

    ``send_load`` is called after each end. ``tasks`` belong to the worker.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        board: JobBoard,
        registration: WorkerRegistration,
        dispatches: JobDispatches,
        *,
        tasks: TaskSet,
        send_load: Callable[[], None],
    ) -> None:
        self.results: Counter[JobResult] = Counter()
        """Jobs by what came of them."""
        self._supervisor = supervisor
        self._board = board
        self._registration = registration
        self._dispatches = dispatches
        self._tasks = tasks
        self._send_load = send_load
        self._meetings: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def begin(self, job: WorkerJob) -> None:
        """Make the room of a job that was assigned."""
        self.results[JobResult.ACCEPTED] += 1
        async with self._meeting(job):
            for older in self._board.superseded(job.job.room):
                await self._end(older, "dispatched again")
                # Not here: a server that answers late would keep the newer room from beginning.
                deleting = self._dispatches.delete(older)
                self._tasks.create_task(deleting, name=f"end of job {older.job.job}")
            if self._board.find(job.job.job) is job:
                await self._make_room(job)

    async def room_over(self, job: WorkerJob) -> None:
        """The room of ``job`` is over by itself, and the job with it."""
        room = self._supervisor.room(job.room)
        await self._over(job, room.reason if room.state is RoomState.FAILED else "")

    async def terminate(self, job: WorkerJob) -> None:
        """Leave the room of a job whose dispatch was deleted."""
        async with self._meeting(job):
            await self._end(job, "its dispatch was deleted")

    async def hand_over(self, job: WorkerJob) -> None:
        """Leave the room of a job that is still wanted, and dispatch it again."""
        with Contained("job not handed over", job=job.job.job):
            async with self._meeting(job):
                self._board.remove(job.job.job)
                self._supervisor.release(job.reservation)
                await self._leave_room(job)
            await self._dispatch_again(job)

    def _meeting(self, job: WorkerJob) -> asyncio.Lock:
        """Held while a job of the meeting begins or ends: its rooms have the same identities."""
        return self._meetings.setdefault(job.job.room, asyncio.Lock())

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
        self._registration.act(lambda protocol: protocol.report_running(job.job.job))
        if self._supervisor.room(made.id).state.over:
            # Before we knew which room it was.
            await self.room_over(job)

    async def _pass_on(self, job: WorkerJob, error: str) -> None:
        """We said that we take a job and can't, as we drain meanwhile: another server is to."""
        self._board.remove(job.job.job)
        log.warning("job passed on", job=job.job.job, room=job.job.room, reason=error)
        self._registration.act(lambda protocol: protocol.report_ended(job.job.job, error))
        self._send_load()
        with Contained("job not handed over", job=job.job.job):
            await self._dispatch_again(job)

    async def _over(self, job: WorkerJob, error: str) -> None:
        """The job is over by itself: no other server is to begin it again."""
        if self._board.remove(job.job.job) is None:
            return
        self.results[JobResult.FAILED if error else JobResult.SUCCEEDED] += 1
        if error:
            log.warning("job failed", job=job.job.job, room=job.job.room, reason=error)
        self._registration.act(lambda protocol: protocol.report_ended(job.job.job, error))
        self._send_load()
        await self._dispatches.delete(job)

    async def _end(self, job: WorkerJob, why: str) -> None:
        """Leave the room of a job that is wanted no more."""
        if self._board.remove(job.job.job) is None:
            return
        self.results[JobResult.TERMINATED] += 1
        log.info("job ended", job=job.job.job, room=job.job.room, reason=why)
        self._supervisor.release(job.reservation)
        self._registration.withdraw(job.job.job)
        await self._leave_room(job)
        self._registration.act(lambda protocol: protocol.report_ended(job.job.job))
        self._send_load()

    async def _leave_room(self, job: WorkerJob) -> None:
        if not job.room:
            return
        with contextlib.suppress(SidecarError, TimeoutError):
            await self._supervisor.delete(job.room)
            async with asyncio.timeout(LEAVING):
                await self._supervisor.room(job.room).over()

    async def _dispatch_again(self, job: WorkerJob) -> None:
        if await self._dispatches.again(job):
            self.results[JobResult.MOVED] += 1
