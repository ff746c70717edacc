"""What every room must do, for one that reconnects."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sidecar.aio import Backoff
from sidecar.rooms.base import Room
from sidecar.rooms.reconnect import ReconnectingRoom
from tests.conformance.room import RoomConformance, RoomHarness, watched
from tests.sidecar.clients import eventually
from tests.sidecar.rooms.attendance import entered
from tests.sidecar.rooms.test_memory import MemoryHarness


class ReconnectingHarness(MemoryHarness):
    """A meeting in memory, whose rooms reconnect."""

    def room(self) -> Room:
        return ReconnectingRoom(self.meeting.room, backoff=Backoff(first=0.1, longest=0.2))


class TestReconnectingRoom(RoomConformance):
    @pytest.fixture
    async def harness(self) -> AsyncIterator[RoomHarness]:
        harness = ReconnectingHarness()
        yield harness
        assert harness.meeting.rooms == []

    async def test_a_lost_server_ends_the_changes_with_an_error_that_is_not_final(
        self, harness: RoomHarness
    ) -> None:
        """It does not end them: participants leave, and the room goes on."""
        ada = await harness.join("Ada")
        async with entered(harness.room()) as attendance:
            await watched(attendance, ada)
            await harness.lose()
            await eventually(lambda: not attendance.present)
            await asyncio.sleep(60)
            assert not attendance.ended

    async def test_a_lost_server_is_joined_again(self, harness: RoomHarness) -> None:
        ada = await harness.join("Ada")
        async with entered(harness.room()) as attendance:
            await watched(attendance, ada)
            await harness.lose()
            await eventually(lambda: not attendance.present)
            await harness.recover()
            ada = await harness.join("Ada")
            await watched(attendance, ada)
            assert isinstance(attendance.room, ReconnectingRoom)
            assert attendance.room.rejoined == 1
