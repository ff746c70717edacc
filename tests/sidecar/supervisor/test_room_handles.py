"""Rooms in child processes and in the server's own process, held to the suite of all handles."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sidecar.inference.shared import DetectorShare
from sidecar.server.hosted_rooms import HostedRooms
from sidecar.supervisor.child_room import ChildRoom
from sidecar.supervisor.control import Begin
from sidecar.supervisor.handle import RoomHandle
from sidecar.supervisor.room_launcher import ForkServer, can_fork
from tests.conformance.room_handle import RoomHandleConformance
from tests.sidecar.supervisor.clip_meeting import clip_begin, grey_clip
from tests.sidecar.supervisor.memory_handle import NothingSeen

LONG = 60.0
"""Seconds of the meeting: longer than any test."""


@pytest.fixture(scope="module")
def meeting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("meeting")
    grey_clip(folder / "Ada.mkv", LONG)
    return folder


class TestChildRoom(RoomHandleConformance):
    @pytest.fixture(autouse=True)
    def _meeting(self, meeting: Path) -> None:
        self.meeting = meeting

    def make(self) -> RoomHandle:
        return ChildRoom(
            share=lambda room: DetectorShare(NothingSeen(), room, slots=1, capacity=640 * 640 * 3)
        )

    def begin(self) -> Begin:
        return clip_begin(self.meeting)

    def unreachable(self) -> Begin | None:
        return clip_begin(self.meeting / "nothing")


@pytest.mark.skipif(not can_fork(), reason="a fork server needs Linux")
class TestForkedRoom(RoomHandleConformance):
    @pytest.fixture(autouse=True)
    async def _forking(self, meeting: Path) -> AsyncIterator[None]:
        self.meeting = meeting
        async with ForkServer() as self.forks:
            yield

    def make(self) -> RoomHandle:
        return ChildRoom(
            launch=self.forks.launch,
            share=lambda room: DetectorShare(NothingSeen(), room, slots=1, capacity=640 * 640 * 3),
        )

    def begin(self) -> Begin:
        return clip_begin(self.meeting)

    def unreachable(self) -> Begin | None:
        return clip_begin(self.meeting / "nothing")


class TestHostedRoomHandle(RoomHandleConformance):
    peopled = False

    @pytest.fixture(autouse=True)
    def _rooms(self) -> None:
        self.rooms = HostedRooms(NothingSeen())

    def make(self) -> RoomHandle:
        return self.rooms.handle()

    def begin(self) -> Begin:
        return clip_begin(Path("room:standup"))
