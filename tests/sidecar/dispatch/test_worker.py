"""A worker over fake rooms, at a fake LiveKit server: each room costs 0.4 of one core."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from livekit.protocol.agent import JobStatus

from config.errors import CapacityError, ConfigError
from sidecar.aio import Backoff
from sidecar.dispatch import connection
from sidecar.dispatch.abandoned import AbandonedWatch
from sidecar.dispatch.job_board import ASSIGNMENT_TIMEOUT, JobBoard, JobResult, WorkerJob
from sidecar.dispatch.protocol import DispatchedJob
from sidecar.dispatch.worker import DispatchWorker
from sidecar.dispatch.worker_options import WorkerOptions
from sidecar.rooms.livekit.tokens import KeyPair
from sidecar.supervisor.control import StateReport
from sidecar.supervisor.supervisor import Supervisor
from sidecar.supervisor.values import RoomRequest, RoomState
from tests.servers.livekit import KEY, SECRET
from tests.sidecar.clients import eventually
from tests.sidecar.dispatch.fake_livekit import FakeLiveKit, fake_livekit
from tests.sidecar.supervisor.fake_handle import FakeHandle
from tests.sidecar.supervisor.world import World


@pytest.fixture
async def server() -> AsyncIterator[FakeLiveKit]:
    async with fake_livekit() as running:
        yield running


@asynccontextmanager
async def working(
    server: FakeLiveKit, world: World, watch: AbandonedWatch | None = None
) -> AsyncIterator[tuple[DispatchWorker, Supervisor]]:
    """A worker that is registered; ``watch`` looks for abandoned dispatches every second."""
    options = WorkerOptions(server.address, KeyPair(KEY, SECRET), "agent")
    before = len(server.links)
    async with world.running() as supervisor:
        worker = DispatchWorker(
            options, supervisor, backoff=Backoff(first=0.05, longest=0.1), watch=watch
        )
        async with worker:
            await eventually(lambda: len(server.links) > before and not server.links[-1].full)
            yield worker, supervisor


def live(supervisor: Supervisor) -> int:
    return sum(room.state is RoomState.LIVE for room in supervisor.rooms())


async def test_jobs_are_taken_as_far_as_there_is_capacity(server: FakeLiveKit) -> None:
    async with working(server, World()) as (worker, supervisor):
        for room in ("one", "two", "three"):
            server.dispatch(room)
        await eventually(lambda: live(supervisor) == 2)
        await eventually(lambda: worker.results[JobResult.REFUSED] == 1)
        assert worker.jobs == 2
        await eventually(lambda: server.links[0].statuses[-1].job_count == 2)
        assert server.links[0].statuses[-1].load == pytest.approx(0.8)


async def test_a_job_whose_meeting_is_over_is_a_success_and_its_dispatch_is_deleted(
    server: FakeLiveKit,
) -> None:
    world = World()
    async with working(server, world) as (worker, supervisor):
        dispatch = server.dispatch("one")
        await eventually(lambda: live(supervisor) == 1)
        world.handles[0].report(StateReport(state=RoomState.ENDED, final=True))
        world.handles[0].die()
        await eventually(lambda: server.ended() == [(JobStatus.JS_SUCCESS, "")])
        await eventually(lambda: server.deleted == [dispatch])
        assert worker.jobs == 0


async def test_a_room_that_fails_fails_its_job_with_the_reason(server: FakeLiveKit) -> None:
    world = World()
    world.make = lambda: FakeHandle(ConfigError("no such label"))
    async with working(server, world):
        server.dispatch("one")
        await eventually(lambda: server.ended() == [(JobStatus.JS_FAILED, "no such label")])


async def test_a_job_whose_dispatch_is_deleted_is_left(server: FakeLiveKit) -> None:
    async with working(server, World()) as (worker, supervisor):
        dispatch = server.dispatch("one")
        await eventually(lambda: live(supervisor) == 1)
        await server.terminate(dispatch)
        await eventually(lambda: supervisor.rooms()[0].state is RoomState.ENDED)
        assert worker.results[JobResult.TERMINATED] == 1
        assert not server.deleted


async def test_a_dispatch_that_was_deleted_while_the_connection_was_lost_is_noticed(
    server: FakeLiveKit,
) -> None:
    async with working(server, World()) as (_, supervisor):
        dispatch = server.dispatch("one")
        server.dispatch("one", agent="another")
        await eventually(lambda: live(supervisor) == 1)
        del server.dispatches[dispatch]
        await eventually(lambda: supervisor.rooms()[0].state is RoomState.ENDED)


async def test_a_second_dispatch_replaces_the_first(server: FakeLiveKit) -> None:
    async with working(server, World()) as (_, supervisor):
        first = server.dispatch("one")
        await eventually(lambda: live(supervisor) == 1)
        server.dispatch("one")
        await eventually(lambda: server.deleted == [first])
        await eventually(lambda: live(supervisor) == 1 and len(supervisor.rooms()) == 2)


async def test_of_two_dispatches_at_once_one_is_carried_out(server: FakeLiveKit) -> None:
    async with working(server, World()) as (worker, supervisor):
        for _ in range(2):
            server.dispatch("one")
        await eventually(lambda: worker.results[JobResult.TERMINATED] == 1)
        await eventually(lambda: live(supervisor) == worker.jobs == 1)


async def test_a_lost_connection_is_made_again_and_jobs_go_on(server: FakeLiveKit) -> None:
    async with working(server, World()) as (worker, supervisor):
        server.dispatch("one")
        await eventually(lambda: live(supervisor) == 1)
        lost = server.links[0]
        await lost.socket.close()
        await eventually(lambda: server.links and server.links[0] is not lost)
        await eventually(lambda: worker.registered)
        assert live(supervisor) == worker.jobs == 1


async def test_a_server_that_talks_but_registers_no_one_is_connected_to_again(
    server: FakeLiveKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CONNECT", 0.3)
    server.silent = 1
    options = WorkerOptions(server.address, KeyPair(KEY, SECRET), "agent")
    async with World().running() as supervisor:
        worker = DispatchWorker(options, supervisor, backoff=Backoff(first=0.05, longest=0.1))
        async with worker:
            await eventually(lambda: server.links)
            first = server.links[0]
            await eventually(lambda: worker.registered)
            assert first not in server.links


async def test_a_server_that_drains_reports_that_it_is_full(server: FakeLiveKit) -> None:
    async with working(server, World()) as (_, supervisor):
        server.dispatch("one")
        await eventually(lambda: live(supervisor) == 1)
        await supervisor.drain(0)
        await eventually(lambda: server.links[0].full)


async def test_a_server_that_stops_dispatches_its_jobs_again(server: FakeLiveKit) -> None:
    async with working(server, World()) as (_, others):
        async with working(server, World()) as (_, supervisor):
            # The first worker is asked first: it is full then.
            for room in ("one", "two", "three"):
                server.dispatch(room)
            await eventually(lambda: live(others) == 2 and live(supervisor) == 1)
            await others.delete(others.rooms()[0].id)
            await eventually(lambda: live(others) == 1)
        await eventually(lambda: live(others) == 2)


async def test_a_dispatch_without_a_job_is_begun_once_by_two_servers(server: FakeLiveKit) -> None:
    server.dispatch("one")
    watches = [AbandonedWatch(silence=0.5) for _ in range(2)]
    async with (
        working(server, World(), watches[0]) as (first, one),
        working(server, World(), watches[1]) as (second, two),
    ):
        await eventually(lambda: live(one) + live(two) == 1)
        await eventually(lambda: first.taken_over + second.taken_over == 1)
        assert len(server.deleted) == 1
        assert len(server.dispatches) == 1


@pytest.mark.parametrize(
    "method", ["ListRooms", "ListDispatch", "DeleteDispatch", "CreateDispatch"]
)
async def test_a_request_that_fails_once_keeps_no_dispatch_from_being_begun_again(
    server: FakeLiveKit, method: str
) -> None:
    server.dispatch("one")
    server.failing[method] = 2
    async with working(server, World(), AbandonedWatch(silence=0.1)) as (worker, supervisor):
        await eventually(lambda: live(supervisor) == 1)
        assert worker.taken_over == 1
        assert len(server.dispatches) == 1
        assert server.failing[method] == 0


async def test_a_job_that_is_offered_again_while_it_runs_is_not_begun_twice(
    server: FakeLiveKit,
) -> None:
    async with working(server, World()) as (worker, supervisor):
        dispatch = server.dispatch("one")
        await eventually(lambda: live(supervisor) == 1)
        answers = server.links[0].answers
        answers.clear()
        server.offer(dispatch)
        await eventually(lambda: answers and answers[f"AJ_{dispatch}"].done())
        assert not answers[f"AJ_{dispatch}"].result()
        assert live(supervisor) == worker.jobs == 1


async def test_a_job_that_there_is_no_capacity_for_after_all_is_dispatched_again(
    server: FakeLiveKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with working(server, World()) as (worker, supervisor):
        create, refused = supervisor.create, list[str]()

        async def full_at_first(request: RoomRequest, *, reserved: str | None = None) -> object:
            if not refused:
                refused.append(request.url)
                raise CapacityError("draining")
            return await create(request, reserved=reserved)

        monkeypatch.setattr(supervisor, "create", full_at_first)
        first = server.dispatch("one")
        await eventually(lambda: live(supervisor) == 1)
        assert server.deleted == [first]
        assert len(server.dispatches) == 1
        assert worker.results[JobResult.MOVED] == 1
        assert worker.jobs == 1


async def test_a_room_that_can_t_be_made_for_an_unexpected_reason_fails_its_job(
    server: FakeLiveKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with working(server, World()) as (worker, supervisor):

        async def broken(request: RoomRequest, *, reserved: str | None = None) -> object:
            raise ValueError("two\nlines")

        monkeypatch.setattr(supervisor, "create", broken)
        server.dispatch("one")
        await eventually(lambda: server.ended() == [(JobStatus.JS_FAILED, "two lines")])
        assert worker.jobs == 0
        assert supervisor.admission.load(supervisor.now) == 0


def test_what_is_promised_is_freed_where_no_assignment_comes() -> None:
    board = JobBoard()
    board.promise(WorkerJob(DispatchedJob("AJ_1", "AD_1", "one", "RM_1", ""), None), 10.0)
    assert not board.expire(10.0 + ASSIGNMENT_TIMEOUT - 0.1)
    (late,) = board.expire(10.0 + ASSIGNMENT_TIMEOUT)
    assert late.job.job == "AJ_1"
    assert board.assign("AJ_1") is None
    board.promise(late, 20.0)
    assert board.assign("AJ_1") is late
    assert board.assign("AJ_1") is None
    assert not board.expire(100.0)
