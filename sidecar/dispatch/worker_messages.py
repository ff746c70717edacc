"""Messages of LiveKit's worker protocol (protobuf, ``/agent``): what we send. Pure.

Source: ``livekit_agent.proto`` of the server's protocol repository, and the server's
``pkg/agent/worker.go``.
"""

from importlib.metadata import version
from typing import Final

from livekit.protocol.agent import (
    AvailabilityResponse,
    JobStatus,
    JobType,
    RegisterWorkerRequest,
    UpdateJobStatus,
    UpdateWorkerStatus,
    WorkerMessage,
    WorkerPing,
    WorkerStatus,
)
from livekit.protocol.models import ParticipantPermission

PROTOCOL: Final = 1
"""``CurrentProtocol`` of the server's ``pkg/agent/worker.go``."""
PING_EVERY: Final = 5.0
"""Seconds between two pings; the answer has the server's time."""
MAX_ERROR: Final = 500
"""Characters of a job's error that are sent."""


def register(agent_name: str, namespace: str) -> bytes:
    """Register as a worker that takes one job a room.

    The permissions are those of a hidden watcher. The composite's publisher is a participant of its
    own, with a token of its own: LiveKit's clients drop what a hidden participant publishes.
    """
    request = RegisterWorkerRequest(
        type=JobType.JT_ROOM,
        agent_name=agent_name,
        version=version("reaction-sidecar"),
        ping_interval=int(PING_EVERY),
        allowed_permissions=ParticipantPermission(
            can_subscribe=True, can_publish=False, can_publish_data=False, hidden=True
        ),
    )
    if namespace:
        request.namespace = namespace
    return WorkerMessage(register=request).SerializeToString()


def availability(job: str, *, available: bool) -> bytes:
    """Take or refuse an offered job.

    No identity is given: of a participant that it knows by the job, the server ends the job at the
    first lost connection, and we join again instead.
    """
    answer = AvailabilityResponse(job_id=job, available=available)
    return WorkerMessage(availability=answer).SerializeToString()


def worker_status(load: float, jobs: int, *, full: bool) -> bytes:
    """Our load, 0 to 1; a worker that is full is offered nothing."""
    update = UpdateWorkerStatus(
        status=WorkerStatus.WS_FULL if full else WorkerStatus.WS_AVAILABLE,
        load=min(1.0, max(0.0, load)),
        job_count=jobs,
    )
    return WorkerMessage(update_worker=update).SerializeToString()


def job_running(job: str) -> bytes:
    """The room is being joined."""
    update = UpdateJobStatus(job_id=job, status=JobStatus.JS_RUNNING)
    return WorkerMessage(update_job=update).SerializeToString()


def job_ended(job: str, error: str) -> bytes:
    """The job is over; with an ``error`` it failed."""
    status = JobStatus.JS_FAILED if error else JobStatus.JS_SUCCESS
    update = UpdateJobStatus(job_id=job, status=status, error=error[:MAX_ERROR])
    return WorkerMessage(update_job=update).SerializeToString()


def worker_ping(milliseconds: int) -> bytes:
    """A sign of life; the time comes back in the pong."""
    return WorkerMessage(ping=WorkerPing(timestamp=milliseconds)).SerializeToString()
