"""Reports our load to the LiveKit server, which draws the worker of its next job by it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from sidecar.dispatch.job_board import JobBoard
from sidecar.dispatch.registration import WorkerRegistration
from sidecar.supervisor.supervisor import Supervisor

log = structlog.get_logger(__name__)

LOOK_EVERY: Final = 0.5
"""Seconds between two looks at our load, as in LiveKit's agents (``UPDATE_LOAD_INTERVAL``)."""
REPORT_EVERY: Final = 2.5
"""Seconds after which the load is reported though it is the same (``UPDATE_STATUS_INTERVAL``)."""


@dataclass(frozen=True, slots=True)
class ReportedLoad:
    """What the server was last informed of."""

    load: float
    jobs: int
    full: bool


class LoadReports:
    """Looks at our load while ``run`` runs, and reports it when it changes."""

    def __init__(
        self,
        supervisor: Supervisor,
        board: JobBoard,
        registration: WorkerRegistration,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stopping = False
        """Whether this server takes no more jobs."""
        self._supervisor = supervisor
        self._board = board
        self._registration = registration
        self._clock = clock
        self._reported: tuple[ReportedLoad, float] | None = None

    async def run(self) -> None:
        """Report until cancelled; jobs that were not assigned in time reserve nothing any more."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            self._expire()
            reported = self._reported
            old = reported is None or self._clock() - reported[1] >= REPORT_EVERY
            if old or (reported is not None and reported[0] != self._load()):
                self.send()

    def send(self) -> None:
        """Report our load at once."""
        now = self._load()
        self._reported = (now, self._clock())
        self._registration.act(
            lambda protocol: protocol.report_load(now.load, now.jobs, full=now.full)
        )

    def _expire(self) -> None:
        for late in self._board.expire(self._clock()):
            log.info("job not assigned in time", job=late.job.job, room=late.job.room)
            self._supervisor.release(late.reservation)
            self._registration.withdraw(late.job.job)

    def _load(self) -> ReportedLoad:
        """Measured and reserved cores by those that may be used, in steps of a hundredth."""
        load = self._supervisor.admission.load(self._supervisor.now)
        full = self.stopping or self._supervisor.draining or load >= 1
        return ReportedLoad(round(load, 2), len(self._board), full)
