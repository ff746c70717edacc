"""A room that outlives its server, with a meeting in memory."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from config.errors import NotFoundError
from sidecar.cluster.begin_changes import changed_begin
from sidecar.cluster.room_host import Attached, RoomHost
from sidecar.rooms.memory import MemoryMeeting
from sidecar.supervisor.control import (
    ChangeParticipant,
    ChangeRoom,
    EventReport,
    ListParticipants,
    StateReport,
)
from sidecar.supervisor.handle import Report
from sidecar.supervisor.values import ParticipantPatch, RoomPatch, RoomState
from tests.sidecar.clients import eventually
from tests.sidecar.supervisor.clip_meeting import clip_begin
from tests.sidecar.supervisor.memory_handle import MemoryAdapter, NothingSeen, SlowCamera

BEGIN = clip_begin(Path("memory"))
SOON = 0.05
"""Seconds that a test's server waits for reports."""


class World:
    """A meeting in memory, and the room that takes part in it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.meeting = MemoryMeeting()
        self.meeting.join("ada", "Ada", SlowCamera())
        self.host = RoomHost(BEGIN, NothingSeen(), find=self._find, clock=clock)
        self.joins = 0

    async def _find(self, url: str) -> MemoryAdapter:
        self.joins += 1
        return MemoryAdapter(self.meeting)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[RoomHost]:
        async with asyncio.timeout(30), self.host:
            yield self.host

    async def read(self, server: Attached, state: RoomState, after: int = 0) -> list[Report]:
        """Reports up to one of ``state``, acknowledged as they come."""
        found = list[Report]()
        while not any(isinstance(one, StateReport) and one.state is state for one in found):
            batch = await self.host.follow(server.reader, after, SOON)
            assert batch is not None
            found += [one.report for one in batch.reports]
            after = max([after, *(one.number for one in batch.reports)])
        return found


async def test_a_server_reads_what_happens_in_order_and_once() -> None:
    world = World()
    async with world.running() as host:
        server = await host.attach(BEGIN)
        reports = await world.read(server, RoomState.LIVE)
        events = [one.event["event"] for one in reports if isinstance(one, EventReport)]
        assert len(events) == len(set(events))
        assert (await host.call(ListParticipants()))[0]["name"] == "Ada"


async def test_what_was_not_acknowledged_is_given_again() -> None:
    world = World()
    async with world.running() as host:
        server = await host.attach(BEGIN)
        await world.read(server, RoomState.LIVE)
        host_reports = await host.follow(server.reader, 0, SOON)
        again = await host.follow(server.reader, 0, SOON)
        assert host_reports is not None
        assert again is not None
        seen = {one.number for one in again.reports}
        kept = [one for one in host_reports.reports if isinstance(one.report, EventReport)]
        assert {one.number for one in kept} <= seen


async def test_a_second_server_takes_over_and_the_room_is_joined_once() -> None:
    world = World()
    async with world.running() as host:
        first = await host.attach(BEGIN)
        await world.read(first, RoomState.LIVE)
        waiting = asyncio.create_task(host.follow(first.reader, 1000, 30))
        await asyncio.sleep(0)
        second = await host.attach(BEGIN)
        assert await waiting is None
        assert await host.follow(first.reader, 0, SOON) is None
        assert second.state.state is RoomState.LIVE
        assert await host.follow(second.reader, 0, SOON) is not None
        assert world.joins == 1


async def test_changes_are_made_again_without_joining_again() -> None:
    world = World()
    async with world.running() as host:
        first = await host.attach(BEGIN)
        await world.read(first, RoomState.LIVE)
        wanted = changed_begin(BEGIN, ChangeRoom(patch=RoomPatch(rate=1.0)))
        await host.attach(wanted)
        assert world.joins == 1
        await host.attach(wanted)
        assert world.joins == 1


async def test_a_room_that_is_wanted_otherwise_is_joined_again() -> None:
    world = World()
    async with world.running() as host:
        first = await host.attach(BEGIN)
        await world.read(first, RoomState.LIVE)
        server = await host.attach(BEGIN.model_copy(update={"secrets": {"TOKEN": "another"}}))
        reports = await world.read(server, RoomState.REJOINING)
        await eventually(lambda: world.joins == 2)
        ended = [one for one in reports if isinstance(one, StateReport) and one.final]
        assert ended == []


async def test_what_the_room_raises_reaches_the_server() -> None:
    world = World()
    async with world.running() as host:
        await world.read(await host.attach(BEGIN), RoomState.LIVE)
        patch = ParticipantPatch(opted_out=True)
        with pytest.raises(NotFoundError, match="no such participant"):
            await host.call(ChangeParticipant(participant="x", patch=patch))


async def test_a_meeting_that_ends_is_the_last_report() -> None:
    world = World()
    async with world.running() as host:
        server = await host.attach(BEGIN)
        await world.read(server, RoomState.LIVE)
        world.meeting.end()
        reports = await world.read(server, RoomState.ENDED)
        assert isinstance(reports[-1], StateReport)
        batch = await host.follow(server.reader, 1000, SOON)
        assert batch is not None
        assert batch.ended


async def test_a_room_that_no_server_reads_is_orphaned() -> None:
    now = 0.0
    world = World(lambda: now)
    async with world.running() as host:
        server = await host.attach(BEGIN)
        orphaned = asyncio.create_task(host.wait_orphaned(0.02))
        await host.follow(server.reader, 0, SOON)
        assert not orphaned.done()
        now = 1.0
        await eventually(orphaned.done)
        await orphaned
