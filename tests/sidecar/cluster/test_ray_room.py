"""Rooms as Ray actors, on a cluster of one node."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="Ray is not installed: `.ci/cluster` has it")

from sidecar.cluster.ray_connection import RayConnection
from sidecar.cluster.ray_room import ActorRoom
from sidecar.supervisor.control import Begin
from sidecar.supervisor.handle import RoomHandle
from tests.conformance.room_handle import RoomHandleConformance
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
