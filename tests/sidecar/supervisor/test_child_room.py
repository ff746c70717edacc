import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import psutil
import pytest

from config.errors import NotFoundError, RoomError
from sidecar.inference.shared import DetectorShare
from sidecar.supervisor.child_room import MAX_REPORTS, ChildRoom, ChildTimeouts, ReportQueue
from sidecar.supervisor.control import (
    Begin,
    EventReport,
    ListParticipants,
    ListScores,
    StateReport,
    StatsReport,
)
from sidecar.supervisor.handle import Report
from sidecar.supervisor.room_launcher import StartedProcess, make_launch
from sidecar.supervisor.values import RoomRequest, RoomState, RoomStats
from tests.sidecar.clients import eventually
from tests.sidecar.supervisor.memory_handle import NothingSeen

BEGIN = Begin(
    room="r-1",
    request=RoomRequest(url="memory:"),
    secrets={"TOKEN": "tell-no-one"},
    settings={},
    table={},
    inference="",
)


PATIENT = ChildTimeouts(call=60.0, leave=60.0, silence=60.0)
"""For a machine on which it takes many seconds until a process has started."""


@asynccontextmanager
async def child(behaviour: str, timeouts: ChildTimeouts | None = None) -> AsyncIterator[ChildRoom]:
    command = (sys.executable, "-m", "tests.sidecar.supervisor.fake_child", behaviour)
    async with ChildRoom(launch=make_launch(command), timeouts=timeouts or PATIENT) as room:
        await room.start(BEGIN)
        yield room


async def reports(room: ChildRoom) -> list[Report]:
    return [report async for report in room.reports()]


async def first_reports(room: ChildRoom, count: int) -> list[Report]:
    found = []
    async for report in room.reports():
        found.append(report)
        if len(found) == count:
            break
    return found


async def test_a_room_reports_its_state_its_numbers_and_its_events() -> None:
    async with child("good") as room:
        state, stats, event = await first_reports(room, 3)
    assert state == StateReport(state=RoomState.LIVE)
    assert isinstance(stats, StatsReport)
    assert stats.stats.participants == 2
    assert event == EventReport(event={"event": "begun", "secrets": ["TOKEN"]})


async def test_a_call_is_answered() -> None:
    async with child("good") as room:
        assert await room.call(ListParticipants()) == ["ada"]


async def test_an_error_of_the_room_reaches_its_caller() -> None:
    async with child("good") as room:
        with pytest.raises(NotFoundError, match="no such") as raised:
            await room.call(ListScores())
    assert raised.value.do == "look"


async def test_a_call_that_is_not_answered_is_given_up() -> None:
    async with child("silent", ChildTimeouts(call=0.3)) as room:
        with pytest.raises(TimeoutError):
            await room.call(ListParticipants())


async def test_secrets_are_in_neither_arguments_nor_environment() -> None:
    async with child("good") as room:
        assert room.pid is not None
        process = psutil.Process(room.pid)
        assert "tell-no-one" not in f"{process.cmdline()}{process.environ()}"


async def test_leaving_ends_the_process_and_its_reports() -> None:
    async with child("good") as room:
        pid = room.pid
        following = asyncio.create_task(reports(room))
        await first_call(room)
    assert pid is not None
    assert not psutil.pid_exists(pid)
    assert (await following)[-1] == StateReport(state=RoomState.ENDED, reason="left", final=True)


async def first_call(room: ChildRoom) -> None:
    await room.call(ListParticipants())


async def test_a_process_that_does_not_leave_is_killed() -> None:
    async with child("stays", ChildTimeouts(call=0.2, leave=0.2)) as room:
        await first_reports(room, 3)
        pid = room.pid
    assert pid is not None
    assert not psutil.pid_exists(pid)


async def test_a_killed_process_ends_the_reports_and_what_is_asked_of_it() -> None:
    async with child("silent") as room:
        asking = asyncio.create_task(room.call(ListParticipants()))
        await first_reports(room, 3)
        assert room.pid is not None
        os.kill(room.pid, signal.SIGKILL)
        with pytest.raises(RoomError, match="process ended"):
            await asking
        assert await reports(room) == []
        await eventually(lambda: room.pid is None)
        with pytest.raises(RoomError, match="the room is over"):
            await room.call(ListParticipants())


async def test_a_process_that_says_nothing_is_killed() -> None:
    async with child("silent", ChildTimeouts(silence=0.3)) as room:
        assert len(await reports(room)) == 3
        await eventually(lambda: room.pid is None)


async def test_a_process_that_speaks_nonsense_is_killed() -> None:
    async with child("nonsense") as room:
        assert await reports(room) == []
        await eventually(lambda: room.pid is None)


async def test_a_process_that_dies_at_once_ends_its_reports() -> None:
    async with child("dies") as room:
        assert await reports(room) == []


async def test_a_command_that_is_not_there_is_one_clear_error() -> None:
    async with ChildRoom(launch=make_launch(("/no/such/program",))) as room:
        with pytest.raises(RoomError, match="can't be started"):
            await room.start(BEGIN)


async def test_the_usage_of_a_process_is_measured() -> None:
    async with child("good") as room:
        await first_call(room)
        usage = room.usage()
        assert usage is not None
        assert usage.cpu > 0
        assert usage.memory > 2**20
    assert room.usage() is None


async def test_a_slow_reader_loses_statistics_and_events_but_no_state() -> None:
    queue = ReportQueue(MAX_REPORTS)
    queue.put(StateReport(state=RoomState.LIVE))
    for number in range(MAX_REPORTS + 10):
        queue.put(StatsReport(stats=RoomStats(ticks=number)))
        queue.put(EventReport(event={"number": number}))
    queue.put(StateReport(state=RoomState.ENDED))
    queue.end()
    left = [report async for report in queue]
    assert [report.state for report in left if isinstance(report, StateReport)] == [
        RoomState.LIVE,
        RoomState.ENDED,
    ]
    assert sum(isinstance(report, StatsReport) for report in left) == 1
    assert len(left) <= MAX_REPORTS + 1
    assert queue.dropped > 0


class CallingShare(DetectorShare):
    """Asks something of its room while that starts."""

    def __init__(self, room: Callable[[], ChildRoom]) -> None:
        super().__init__(NothingSeen(), "r-1", slots=1, capacity=1024)
        self._room = room
        self.answer: object = None

    async def start(self) -> None:
        await super().start()
        try:
            self.answer = await self._room().call(ListParticipants())
        except RoomError as error:
            self.answer = error.what


async def test_nothing_is_sent_before_the_first_message() -> None:
    share = CallingShare(lambda: room)
    command = (sys.executable, "-m", "tests.sidecar.supervisor.fake_child", "good")
    async with ChildRoom(
        launch=make_launch(command), share=lambda _: share, timeouts=PATIENT
    ) as room:
        await room.start(BEGIN)
        assert share.answer == "the room is starting"
        assert await room.call(ListParticipants()) == ["ada"]


async def test_a_room_that_is_closed_before_its_process_starts_gives_up_its_turn() -> None:
    waiting = asyncio.Event()
    open_then: list[int] = []

    async def never(descriptors: Sequence[int]) -> StartedProcess:
        waiting.set()
        try:
            await asyncio.Event().wait()
        finally:
            # An OSError where it is closed, and the number perhaps another's.
            open_then.extend(os.fstat(one).st_nlink for one in descriptors)
        raise AssertionError

    def share(room: str) -> DetectorShare:
        return DetectorShare(NothingSeen(), room, slots=1, capacity=64)

    room = ChildRoom(launch=never, share=share)
    async with asyncio.timeout(30):
        starting = asyncio.create_task(room.start(BEGIN))
        await waiting.wait()
        await room.aclose()
        await starting
        assert len(open_then) == 3
        assert (room.pid, await reports(room)) == (None, [])
