"""A worker's connection to a LiveKit server as a state machine.

Sans I/O: messages go in, events come out, and ``take`` returns what is to be sent; no socket, no
task, no clock. What is not understood (garbage, unknown messages, those of another state) yields no
event and changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, TypeAlias

from google.protobuf.message import DecodeError
from livekit.protocol.agent import (
    AvailabilityRequest,
    Job,
    JobAssignment,
    JobTermination,
    JobType,
    RegisterWorkerResponse,
    ServerMessage,
    WorkerPong,
)

from sidecar.dispatch import worker_messages
from sidecar.plain_text import clean_text

MAX_MESSAGE: Final = 1 << 20
"""Bytes of one message of the server; metadata are 64 KiB at most by the server's default."""
MAX_OFFERS: Final = 256
"""Jobs that may wait for their assignment at a time."""
MAX_ID: Final = 256
"""Characters of an id or a room's name; LiveKit's own limits are below."""


@dataclass(frozen=True, slots=True)
class DispatchedJob:
    """One room that is to have a sidecar."""

    job: str
    """``AJ_…``"""
    dispatch: str
    """``AD_…``; empty for a simulated job, which has none."""
    room: str
    room_sid: str
    """Of this life of the room."""
    metadata: str
    """What the application gave, as it is."""


@dataclass(frozen=True, slots=True)
class WorkerRegistered:
    """The server knows us as ``worker``."""

    worker: str
    version: str
    """Of the server."""


@dataclass(frozen=True, slots=True)
class JobOffered:
    """The server asks whether we take ``job``; it waits for 10 s."""

    job: DispatchedJob


@dataclass(frozen=True, slots=True)
class JobAssigned:
    """The job that we offered to take is ours."""

    job: DispatchedJob


@dataclass(frozen=True, slots=True)
class JobTerminated:
    """The job is to end: its dispatch was deleted."""

    job: str


@dataclass(frozen=True, slots=True)
class WorkerPonged:
    """The server's clock said ``server`` when it answered the ping of ``sent``; milliseconds."""

    sent: int
    server: int


WorkerEvent: TypeAlias = WorkerRegistered | JobOffered | JobAssigned | JobTerminated | WorkerPonged


class WorkerPhase(Enum):
    """How far a worker's connection is."""

    REGISTERING = auto()
    REGISTERED = auto()


class WorkerProtocol:
    """The state of one connection, which begins with the registration."""

    def __init__(self, agent_name: str, namespace: str = "") -> None:
        self.phase = WorkerPhase.REGISTERING
        self._outgoing = [worker_messages.register(agent_name, namespace)]
        self._offered: dict[str, DispatchedJob] = {}
        """Jobs that wait for our answer."""
        self._taken: dict[str, DispatchedJob] = {}
        """Jobs that wait for their assignment."""
        self._handlers: Mapping[str, Callable[[ServerMessage], Sequence[WorkerEvent]]] = {
            "availability": lambda message: self._offer(message.availability),
            "assignment": lambda message: self._assign(message.assignment),
            "termination": lambda message: _terminated(message.termination),
            "pong": lambda message: _ponged(message.pong),
        }

    def take(self) -> list[bytes]:
        """The messages to send now, in their order; each is returned once."""
        taken, self._outgoing = self._outgoing, []
        return taken

    def receive(self, data: bytes | str) -> Sequence[WorkerEvent]:
        """What one message of the server means."""
        if isinstance(data, str) or len(data) > MAX_MESSAGE:
            return []
        try:
            message = ServerMessage.FromString(data)
        except DecodeError:
            return []
        kind = message.WhichOneof("message") or ""
        if self.phase is WorkerPhase.REGISTERING:
            return self._registered(message.register) if kind == "register" else []
        handle = self._handlers.get(kind)
        return [] if handle is None else handle(message)

    def answer(self, job: str, *, available: bool) -> None:
        """Take or refuse an offered job; a job that is not offered is ignored."""
        if (offered := self._offered.pop(job, None)) is None:
            return
        if available:
            self._taken[job] = offered
        self._outgoing.append(worker_messages.availability(job, available=available))

    def withdraw(self, job: str) -> None:
        """Expect the assignment of a job no more: it did not come in time."""
        self._taken.pop(job, None)

    def report_load(self, load: float, jobs: int, *, full: bool) -> None:
        """Report our load, once registered."""
        if self.phase is WorkerPhase.REGISTERED:
            self._outgoing.append(worker_messages.worker_status(load, jobs, full=full))

    def report_running(self, job: str) -> None:
        """Report that the room is being joined."""
        self._report(worker_messages.job_running(job))

    def report_ended(self, job: str, error: str = "") -> None:
        """Report that the job is over; with an ``error`` it failed."""
        self._report(worker_messages.job_ended(job, error))

    def ping(self, milliseconds: int) -> None:
        """Give a sign of life at this time, once registered."""
        self._report(worker_messages.worker_ping(milliseconds))

    def _report(self, message: bytes) -> None:
        if self.phase is WorkerPhase.REGISTERED:
            self._outgoing.append(message)

    def _registered(self, response: RegisterWorkerResponse) -> Sequence[WorkerEvent]:
        self.phase = WorkerPhase.REGISTERED
        version = clean_text(response.server_info.version, 32)
        return [WorkerRegistered(clean_text(response.worker_id, MAX_ID), version)]

    def _offer(self, request: AvailabilityRequest) -> Sequence[WorkerEvent]:
        job = _read_job(request.job)
        if job is None or len(self._offered) + len(self._taken) >= MAX_OFFERS:
            self._outgoing.append(
                worker_messages.availability(request.job.id[:MAX_ID], available=False)
            )
            return []
        self._offered[job.job] = job
        return [JobOffered(job)]

    def _assign(self, assignment: JobAssignment) -> Sequence[WorkerEvent]:
        """The token of the assignment is not used: its hour may end before the meeting does."""
        job = self._taken.pop(assignment.job.id, None)
        return [] if job is None else [JobAssigned(job)]


def _read_job(job: Job) -> DispatchedJob | None:
    """The job, None for one that is of another kind or names no room."""
    names = (job.id, job.dispatch_id, job.room.name, job.room.sid)
    if job.type != JobType.JT_ROOM or not (job.id and job.room.name):
        return None
    if any(len(name) > MAX_ID for name in names):
        return None
    return DispatchedJob(job.id, job.dispatch_id, job.room.name, job.room.sid, job.metadata)


def _terminated(termination: JobTermination) -> Sequence[WorkerEvent]:
    return [JobTerminated(termination.job_id)]


def _ponged(pong: WorkerPong) -> Sequence[WorkerEvent]:
    return [WorkerPonged(pong.last_timestamp, pong.timestamp)]
