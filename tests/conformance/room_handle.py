"""What every RoomHandle must do, wherever its room runs. Subclasses say how one is made."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from config.errors import NotFoundError, RoomError
from sidecar.supervisor.control import (
    Begin,
    ChangeParticipant,
    ChangeRoom,
    ChangeSampling,
    ChoicesReport,
    EventReport,
    ListParticipants,
    StateReport,
    StatsReport,
)
from sidecar.supervisor.handle import Report, RoomHandle
from sidecar.supervisor.values import ParticipantPatch, RoomPatch, RoomState, RoomStats
from tests.sidecar.clients import eventually

PATIENCE = 90.0
"""Seconds for what takes two on a machine that has nothing else to do."""


class RoomHandleConformance(ABC):
    """Tests of a handle whose meeting has one participant with a camera, if ``peopled``."""

    peopled = True

    @abstractmethod
    def make(self) -> RoomHandle:
        """A handle that is not started. Each call makes another."""

    @abstractmethod
    def begin(self) -> Begin:
        """A room that can be joined."""

    def unreachable(self) -> Begin | None:
        """A room that can't; None where every room can."""
        return None

    @asynccontextmanager
    async def live(self) -> AsyncIterator["Followed"]:
        """A room that is live, and its reports so far."""
        handle = self.make()
        try:
            async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
                await handle.start(self.begin())
                followed = Followed(handle)
                following = group.create_task(followed.follow())
                await followed.until(lambda: followed.has_state(RoomState.LIVE))
                yield followed
                await handle.aclose()
                await following
        finally:
            await handle.aclose()

    async def test_a_room_that_is_joined_has_a_process_and_reports_its_numbers(self) -> None:
        async with self.live() as room:
            assert room.handle.pid is not None
            assert {one.state for one in room.states} <= {RoomState.JOINING, RoomState.LIVE}
            await room.until(lambda: len(room.numbers) > 1)
            await room.until(lambda: room.numbers[-1].participants == int(self.peopled))
            used = room.handle.usage()
            assert used is None or used.cpu >= 0
        assert room.handle.usage() is None

    async def test_participants_are_reported_listed_and_changed(self) -> None:
        async with self.live() as room:
            patch = ParticipantPatch(opted_out=True)
            if self.peopled:
                await room.until(lambda: "participant.joined" in room.events)
                (ada,) = await room.handle.call(ListParticipants())
                change = ChangeParticipant(participant=ada["id"], patch=patch)
                changed = await room.handle.call(change)
                assert (ada["opted_out"], changed["opted_out"]) == (False, True)
                await room.until(lambda: room.choices == [{ada["id"]: patch}])
                (listed,) = await room.handle.call(ListParticipants())
                assert listed["opted_out"]
            with pytest.raises(NotFoundError, match="no such participant"):
                await room.handle.call(ChangeParticipant(participant="x", patch=patch))
            assert await room.handle.call(ChangeSampling(factor=0.5)) is None

    async def test_a_change_is_carried_out_and_reported(self) -> None:
        async with self.live() as room:
            await room.handle.call(ChangeRoom(patch=RoomPatch(paused=True)))
            await room.until(lambda: room.has_state(RoomState.PAUSED))
            await room.handle.call(ChangeRoom(patch=RoomPatch(paused=False)))
            await room.until(lambda: room.states[-1].state is RoomState.LIVE)

    async def test_nothing_can_be_asked_of_a_room_that_was_not_started(self) -> None:
        handle = self.make()
        assert handle.pid is None
        assert handle.usage() is None
        with pytest.raises(RoomError):
            await handle.call(ListParticipants())
        await handle.aclose()

    async def test_leaving_is_the_last_report_and_the_room_can_be_joined_again(self) -> None:
        async with self.live() as room:
            pass
        assert (room.states[-1].state, room.states[-1].final) == (RoomState.ENDED, True)
        assert room.handle.pid is None
        with pytest.raises(RoomError, match="over"):
            await room.handle.call(ListParticipants())
        await room.handle.aclose()
        async with self.live() as again:
            assert again.handle.pid is not None

    async def test_a_room_that_is_closed_while_it_joins_is_over(self) -> None:
        handle = self.make()
        async with asyncio.timeout(PATIENCE):
            await handle.start(self.begin())
            await handle.aclose()
            assert handle.pid is None
            # They end, however far the room came.
            assert StateReport(state=RoomState.PAUSED) not in [
                one async for one in handle.reports()
            ]

    async def test_a_meeting_that_does_not_exist_is_a_failure_for_good(self) -> None:
        if (begin := self.unreachable()) is None:
            pytest.skip("this system has no such thing: every room can be joined")
        handle = self.make()
        try:
            async with asyncio.timeout(PATIENCE):
                await handle.start(begin)
                reports = [one async for one in handle.reports()]
        finally:
            await handle.aclose()
        last = [one for one in reports if isinstance(one, StateReport)][-1]
        assert (last.state, last.final) == (RoomState.FAILED, True)
        assert last.reason


class Followed:
    """A handle, and what it has reported so far."""

    def __init__(self, handle: RoomHandle) -> None:
        self.handle = handle
        self.reports: list[Report] = []

    async def follow(self) -> None:
        """Read the reports to their end."""
        async for report in self.handle.reports():
            self.reports.append(report)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until ``condition`` holds."""
        await eventually(condition, PATIENCE)

    @property
    def states(self) -> list[StateReport]:
        return [one for one in self.reports if isinstance(one, StateReport)]

    @property
    def numbers(self) -> list[RoomStats]:
        return [one.stats for one in self.reports if isinstance(one, StatsReport)]

    @property
    def choices(self) -> list[dict[str, ParticipantPatch]]:
        return [one.choices for one in self.reports if isinstance(one, ChoicesReport)]

    @property
    def events(self) -> list[str]:
        return [str(one.event["event"]) for one in self.reports if isinstance(one, EventReport)]

    def has_state(self, state: RoomState) -> bool:
        return state in {one.state for one in self.states}
