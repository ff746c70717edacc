"""Rooms as Ray actors, on a cluster of one node."""

import asyncio
import functools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

pytest.importorskip("ray", reason="Ray is not installed: `.ci/cluster` has it")

from sidecar.cluster.ray_connection import RayConnection
from sidecar.cluster.ray_room import ActorLimits, ActorRoom
from sidecar.supervisor.control import Begin, ListParticipants
from sidecar.supervisor.handle import RoomHandle
from sidecar.supervisor.values import RoomState
from tests.conformance.room_handle import PATIENCE, Followed, RoomHandleConformance
from tests.sidecar.clients import eventually
from tests.sidecar.cluster.nodes import Nodes, nodes
from tests.sidecar.supervisor.clip_meeting import clip_begin, grey_clip

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[Nodes]:
    with nodes(1) as started:
        yield started


@pytest.fixture(scope="module", autouse=True)
def connection(cluster: Nodes) -> Iterator[RayConnection]:
    there = RayConnection(cluster.address, "tests")
    asyncio.run(there.start())
    yield there
    asyncio.run(there.aclose())


@pytest.fixture(scope="module")
def meeting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("meeting")
    grey_clip(folder / "Ada.mkv", 60)
    return folder


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "journal.key"
    path.write_text("0123456789abcdef" * 2)
    return path


class TestActorRoom(RoomHandleConformance):
    @pytest.fixture(autouse=True)
    def _there(self, connection: RayConnection, meeting: Path, key_file: Path) -> None:
        self.connection, self.meeting, self.key_file = connection, meeting, key_file

    def make(self) -> RoomHandle:
        return ActorRoom(self.connection, self.key_file)

    def begin(self) -> Begin:
        return clip_begin(self.meeting)

    def unreachable(self) -> Begin | None:
        return clip_begin(self.meeting / "nothing")


async def test_a_second_server_finds_the_room_and_the_first_lets_go_of_it(
    connection: RayConnection, meeting: Path, key_file: Path
) -> None:
    first, second = (Followed(ActorRoom(connection, key_file)) for _ in range(2))
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        for one in (first, second):
            await one.handle.start(clip_begin(meeting))
            group.create_task(one.follow())
            await one.until(functools.partial(one.has_state, RoomState.LIVE))
        pid = second.handle.pid
        await first.until(lambda: first.states[-1].final)
        assert "another server" in first.states[-1].reason
        await first.handle.aclose()
        assert second.handle.pid == pid
        assert await second.handle.call(ListParticipants())
        await second.handle.aclose()
    assert pid is not None
    await eventually(lambda: not psutil.pid_exists(pid))


async def test_a_room_whose_process_hangs_is_started_again(
    connection: RayConnection, meeting: Path, key_file: Path
) -> None:
    room = Followed(ActorRoom(connection, key_file, ActorLimits(silence=4.0)))
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        await room.handle.start(clip_begin(meeting))
        group.create_task(room.follow())
        await room.until(lambda: room.has_state(RoomState.LIVE))
        pid = room.handle.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        await room.until(lambda: any(one.restarted for one in room.states))
        await room.until(lambda: room.states[-1].state is RoomState.LIVE)
        assert room.handle.pid not in {None, pid}
        await room.handle.aclose()
    await eventually(lambda: not psutil.pid_exists(pid))


async def test_a_node_without_the_key_is_a_reason_and_not_a_failure_for_good(
    connection: RayConnection, meeting: Path, tmp_path: Path
) -> None:
    key = tmp_path / "journal.key"
    key.write_text("0123456789abcdef" * 2)
    room = Followed(ActorRoom(connection, key))
    key.unlink()
    async with asyncio.timeout(PATIENCE):
        await room.handle.start(clip_begin(meeting))
        await room.follow()
        await room.handle.aclose()
    assert (room.states[-1].state, room.states[-1].final) == (RoomState.REJOINING, False)
    assert "same path on each node" in room.states[-1].reason
