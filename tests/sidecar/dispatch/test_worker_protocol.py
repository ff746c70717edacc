"""The worker's state machine, fed with the messages of a real server's protocol."""

from collections.abc import Sequence
from typing import Any

from livekit.protocol.agent import (
    AvailabilityRequest,
    Job,
    JobAssignment,
    JobStatus,
    JobTermination,
    JobType,
    RegisterWorkerResponse,
    ServerMessage,
    WorkerMessage,
    WorkerPong,
    WorkerStatus,
)
from livekit.protocol.models import Room, ServerInfo

from sidecar.dispatch.protocol import (
    MAX_OFFERS,
    DispatchedJob,
    JobAssigned,
    JobOffered,
    JobTerminated,
    WorkerPonged,
    WorkerProtocol,
    WorkerRegistered,
)
from tests.sidecar.dispatch.record import transcript

JOB = DispatchedJob("AJ_1", "AD_1", "standup", "RM_1", "{}")
REGISTER = ServerMessage(
    register=RegisterWorkerResponse(worker_id="AW_1", server_info=ServerInfo(version="1.13.5"))
).SerializeToString()


def job(number: int = 1, **fields: Any) -> Job:
    room = Room(name="standup", sid="RM_1")
    given: dict[str, Any] = {"type": JobType.JT_ROOM, "room": room, "metadata": "{}", **fields}
    return Job(id=f"AJ_{number}", dispatch_id=f"AD_{number}", **given)


def offer(wanted: Job) -> bytes:
    return ServerMessage(availability=AvailabilityRequest(job=wanted)).SerializeToString()


def assignment(wanted: Job) -> bytes:
    return ServerMessage(assignment=JobAssignment(job=wanted, token="t")).SerializeToString()


def sent(protocol: WorkerProtocol) -> Sequence[WorkerMessage]:
    return [WorkerMessage.FromString(data) for data in protocol.take()]


def registered() -> WorkerProtocol:
    protocol = WorkerProtocol("reaction-sidecar")
    protocol.take()
    protocol.receive(REGISTER)
    return protocol


def test_the_first_message_registers_a_worker_of_hidden_watchers() -> None:
    (message,) = sent(WorkerProtocol("reaction-sidecar", "staging"))
    request = message.register
    assert (request.agent_name, request.namespace) == ("reaction-sidecar", "staging")
    assert request.type == JobType.JT_ROOM
    assert request.allowed_permissions.hidden
    assert not request.allowed_permissions.can_publish


def test_no_message_counts_before_the_registration_is_answered() -> None:
    protocol = WorkerProtocol("reaction-sidecar")
    protocol.take()
    assert not protocol.receive(offer(job()))
    protocol.report_load(0.5, 1, full=False)
    protocol.ping(1)
    assert not protocol.take()
    assert protocol.receive(REGISTER) == [WorkerRegistered("AW_1", "1.13.5")]


def test_a_job_is_offered_taken_and_assigned() -> None:
    protocol = registered()
    assert protocol.receive(offer(job())) == [JobOffered(JOB)]
    protocol.answer("AJ_1", available=True)
    (message,) = sent(protocol)
    assert message.availability.available
    assert not message.availability.participant_identity
    assert protocol.receive(assignment(job())) == [JobAssigned(JOB)]


def test_a_job_that_was_refused_or_withdrawn_is_not_assigned() -> None:
    protocol = registered()
    protocol.receive(offer(job(1)))
    protocol.answer("AJ_1", available=False)
    (message,) = sent(protocol)
    assert not message.availability.available
    assert not protocol.receive(assignment(job(1)))
    protocol.receive(offer(job(2)))
    protocol.answer("AJ_2", available=True)
    protocol.withdraw("AJ_2")
    assert not protocol.receive(assignment(job(2)))


def test_an_assignment_comes_once() -> None:
    protocol = registered()
    protocol.receive(offer(job()))
    protocol.answer("AJ_1", available=True)
    assert protocol.receive(assignment(job()))
    assert not protocol.receive(assignment(job()))


def test_a_job_that_is_not_a_room_s_is_refused() -> None:
    protocol = registered()
    for wrong in (job(type=JobType.JT_PUBLISHER), job(room=Room()), job(metadata="x" * 2**21)):
        assert not protocol.receive(offer(wrong))
    answers = [message.availability.available for message in sent(protocol)]
    assert answers == [False, False]


def test_offers_beyond_the_limit_are_refused() -> None:
    protocol = registered()
    for number in range(MAX_OFFERS):
        assert protocol.receive(offer(job(number)))
    assert not protocol.receive(offer(job(MAX_OFFERS)))
    (message,) = sent(protocol)
    assert (message.availability.job_id, message.availability.available) == ("AJ_256", False)


def test_the_load_is_reported_within_0_and_1() -> None:
    protocol = registered()
    protocol.report_load(1.7, 3, full=True)
    protocol.report_load(0.25, 1, full=False)
    full, free = [message.update_worker for message in sent(protocol)]
    assert (full.load, full.status, full.job_count) == (1.0, WorkerStatus.WS_FULL, 3)
    assert (free.load, free.status) == (0.25, WorkerStatus.WS_AVAILABLE)


def test_a_job_s_states_are_reported() -> None:
    protocol = registered()
    protocol.report_running("AJ_1")
    protocol.report_ended("AJ_1")
    protocol.report_ended("AJ_2", "no such label" * 100)
    states = [message.update_job for message in sent(protocol)]
    assert [one.status for one in states] == [
        JobStatus.JS_RUNNING,
        JobStatus.JS_SUCCESS,
        JobStatus.JS_FAILED,
    ]
    assert len(states[2].error) == 500


def test_a_termination_and_a_pong_are_passed_on() -> None:
    protocol = registered()
    end = ServerMessage(termination=JobTermination(job_id="AJ_1"))
    pong = ServerMessage(pong=WorkerPong(last_timestamp=5, timestamp=70))
    assert protocol.receive(end.SerializeToString()) == [JobTerminated("AJ_1")]
    assert protocol.receive(pong.SerializeToString()) == [WorkerPonged(5, 70)]


def test_garbage_changes_nothing() -> None:
    protocol = registered()
    for data in (b"", b"\xff\xff\xff", "text", b"\x00" * 2**21):
        assert not protocol.receive(data)
    assert not protocol.take()


def test_a_recorded_conversation_with_a_real_server_is_understood() -> None:
    protocol = WorkerProtocol("reaction-sidecar")
    events: list[object] = []
    for message in transcript():
        for event in protocol.receive(message):
            events.append(event)
            if isinstance(event, JobOffered):
                protocol.answer(event.job.job, available=event.job.room == "standup")
    kinds = [type(event) for event in events]
    assert kinds == [
        WorkerRegistered,
        WorkerPonged,
        JobOffered,
        JobOffered,
        JobAssigned,
        JobTerminated,
    ]
    assigned = events[4]
    assert isinstance(assigned, JobAssigned)
    assert (assigned.job.room, assigned.job.metadata) == ("standup", '{"labels": ["wave"]}')
    assert assigned.job.dispatch.startswith("AD_")
