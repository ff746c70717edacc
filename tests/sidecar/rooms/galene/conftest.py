"""A real Galène, and the sidecar's room in one of its groups."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from config.errors import RoomError
from sidecar.rooms.base import Consent, ConsentChanged, Joined, JoinOptions, Left, Room, RoomChange
from sidecar.rooms.galene.adapter import ADAPTER
from tests.servers.galene import Galene, galene

NAME = "Reactions (sidecar)"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Galene]:
    async with galene(tmp_path) as running:
        yield running


class Attendance:
    """What a room's changes come to."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.present: dict[str, Joined] = {}
        self.consents: dict[str, Consent] = {}
        self.log: list[RoomChange] = []
        self.ended: RoomError | None = None
        self._task = asyncio.create_task(self._follow())

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def frames(self, participant: str) -> int:
        """How many pictures of somebody came."""
        joined = self.present.get(participant)
        return joined.feed.frames if joined is not None and joined.feed is not None else 0

    async def _follow(self) -> None:
        try:
            async for change in self.room.changes():
                self.log.append(change)
                match change:
                    case Joined():
                        self.present[change.participant] = change
                    case Left():
                        del self.present[change.participant]
                    case ConsentChanged():
                        self.consents[change.participant] = change.consent
        except RoomError as error:
            self.ended = error


@asynccontextmanager
async def attending(
    url: str,
    *,
    name: str = NAME,
    environ: Mapping[str, str] | None = None,
    relay_only: bool = False,
) -> AsyncIterator[Attendance]:
    """The sidecar in the group at ``url``, publishing nothing."""
    options = JoinOptions(name, environ or {}, relay_only=relay_only)
    async with ADAPTER.room(url, options) as room:
        attendance = Attendance(room)
        try:
            yield attendance
        finally:
            await attendance.close()
