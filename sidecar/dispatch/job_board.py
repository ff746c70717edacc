"""The jobs of a worker, and what it has promised: pure, times are arguments."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from sidecar.dispatch.protocol import DispatchedJob
from sidecar.supervisor.values import RoomRequest

ASSIGNMENT_TIMEOUT: Final = 7.5
"""Seconds from our answer to the assignment, as LiveKit's own workers wait
(``ASSIGNMENT_TIMEOUT`` of its agents' ``worker.py``)."""


class JobResult(StrEnum):
    """What may come of a job that is offered to us."""

    REFUSED = "refused"
    """There is no capacity for it here."""
    ACCEPTED = "accepted"
    """It is ours; one of the others follows."""
    SUCCEEDED = "succeeded"
    """The meeting is over."""
    FAILED = "failed"
    TERMINATED = "terminated"
    """Its dispatch was deleted, or came again."""
    MOVED = "moved"
    """This server stopped, or had no capacity after all, and dispatched it again for the others."""


@dataclass(slots=True)
class WorkerJob:
    """A job that is ours, from our answer on."""

    job: DispatchedJob
    request: RoomRequest | None
    """None: the job's metadata can't be read, which ``error`` says."""
    error: str = ""
    promised: float = 0.0
    """When we said that we take it."""
    assigned: bool = False
    room: str = ""
    """The id of its room, once that is made."""

    @property
    def reservation(self) -> str:
        """The name of what it has reserved until its room is made."""
        return f"job {self.job.job}"


@dataclass(slots=True)
class JobBoard:
    """All jobs of a worker by their id."""

    _jobs: dict[str, WorkerJob] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many jobs are assigned."""
        return sum(one.assigned for one in self._jobs.values())

    def all(self) -> Sequence[WorkerJob]:
        """All jobs, the oldest first."""
        return list(self._jobs.values())

    def promise(self, job: WorkerJob, now: float) -> None:
        """We said that we take ``job``."""
        job.promised = now
        self._jobs[job.job.job] = job

    def assign(self, job: str) -> WorkerJob | None:
        """The job is ours; None for one that was not promised, or is assigned already."""
        found = self._jobs.get(job)
        if found is None or found.assigned:
            return None
        found.assigned = True
        return found

    def find(self, job: str) -> WorkerJob | None:
        """The job with this id."""
        return self._jobs.get(job)

    def of_room(self, room: str) -> WorkerJob | None:
        """The job whose room has this id of ours."""
        return next((one for one in self._jobs.values() if room and one.room == room), None)

    def superseded(self, meeting: str) -> Sequence[WorkerJob]:
        """The assigned jobs in a meeting but the newest: the application dispatched again."""
        jobs = [one for one in self._jobs.values() if one.assigned and one.job.room == meeting]
        return jobs[:-1]

    def remove(self, job: str) -> WorkerJob | None:
        """Forget a job; None where it was forgotten before."""
        return self._jobs.pop(job, None)

    def expire(self, now: float) -> Sequence[WorkerJob]:
        """Take out and return jobs whose assignment did not come in time."""
        late = [
            one
            for one in self._jobs.values()
            if not one.assigned and now - one.promised >= ASSIGNMENT_TIMEOUT
        ]
        for one in late:
            del self._jobs[one.job.job]
        return late
