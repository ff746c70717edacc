import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from config.errors import ConfigError, HttpRefusalError, RefusedError, RoomError, SidecarError
from sidecar.supervisor.control import Begin, EventReport, LeaveRoom, StateReport, StatsReport
from sidecar.supervisor.event_log import EventId, EventLog
from sidecar.supervisor.restarts import RestartLimit
from sidecar.supervisor.supervised_room import RoomLimits, SupervisedRoom
from sidecar.supervisor.values import RoomRequest, RoomState, RoomStats
from tests.sidecar.clients import eventually
from tests.sidecar.supervisor.fake_handle import FakeHandle

REQUEST = RoomRequest(url="memory:")


class Lives:
    """A supervised room with the handles of all its lives."""

    def __init__(self, error: SidecarError | None = None) -> None:
        self.handles: list[FakeHandle] = []
        self.events = EventLog()
        self.now = 0.0
        self._error = error
        self.room = SupervisedRoom(
            "r-1",
            REQUEST,
            "memory:",
            datetime.now(UTC),
            make=self._make,
            begin=self._begin,
            events=self.events,
            restarts=RestartLimit(first=0.0, longest=0.0),
            limits=RoomLimits(empty=60.0, media=180.0),
            clock=lambda: self.now,
        )

    @property
    def newest(self) -> FakeHandle:
        return self.handles[-1]

    def _make(self) -> FakeHandle:
        self.handles.append(FakeHandle())
        return self.newest

    def _begin(self, room: SupervisedRoom) -> Begin:
        if self._error is not None:
            raise self._error
        return Begin(
            room=room.id, request=room.request, secrets={}, settings={}, table={}, inference=""
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SupervisedRoom]:
        running = asyncio.create_task(self.room.run())
        try:
            await self.until(RoomState.LIVE, RoomState.FAILED)
            yield self.room
        finally:
            await self.room.leave("the test is over")
            await running

    async def until_life(self, number: int) -> None:
        await eventually(lambda: len(self.handles) == number and self.newest.pid is not None)

    async def until(self, *states: RoomState) -> None:
        await eventually(lambda: self.room.state in states)


async def test_a_room_becomes_live_and_ends_when_it_is_left() -> None:
    lives = Lives()
    async with lives.running() as room:
        assert room.view().pid == 4242
    assert (room.state, room.reason) == (RoomState.ENDED, "the test is over")
    assert lives.newest.closed


async def test_a_room_shows_the_age_of_samples_and_the_reactions_of_five_minutes() -> None:
    lives = Lives()
    async with lives.running() as room:
        stats = RoomStats(participants=3, viewers=2, sample_age=0.9, median_sample_age=0.2)
        lives.newest.report(StatsReport(stats=stats))
        for label in ("wave", "fist", "wave"):
            event = {"event": "reaction.started", "label": label}
            lives.newest.report(EventReport(event=event))
        await eventually(lambda: room.view().reactions == {"wave": 2, "fist": 1})
        view = room.view(load=0.25)
        assert (view.viewers, view.load) == (2, 0.25)
        assert (view.sample_age, view.median_sample_age) == (0.9, 0.2)
        lives.now = 300.0
        assert room.view().reactions == {}


async def test_a_process_that_dies_is_started_again() -> None:
    lives = Lives()
    async with lives.running() as room:
        lives.newest.die()
        await eventually(lambda: len(lives.handles) == 2 and room.state is RoomState.LIVE)
        assert room.view().restarts == 1
        assert lives.handles[0].closed


async def test_a_process_that_dies_too_often_fails_the_room_with_the_reason() -> None:
    lives = Lives()
    async with lives.running() as room:
        for life in range(1, 7):
            await lives.until_life(life)
            lives.newest.die()
        await lives.until(RoomState.FAILED)
        assert "5 restarts in 60 s" in room.reason
        assert "process ended" in room.reason


async def test_a_refusal_is_final() -> None:
    lives = Lives()
    async with lives.running() as room:
        refused = StateReport(state=RoomState.FAILED, reason="wrong PIN", final=True)
        lives.newest.report(refused)
        lives.newest.die()
        await lives.until(RoomState.FAILED)
        assert room.reason == "wrong PIN"
    assert len(lives.handles) == 1


async def test_a_room_whose_secrets_are_gone_is_failed_and_says_what_it_needs() -> None:
    lives = Lives(ConfigError("the secret JANUS_PIN is not known any more", do="give it again"))
    async with lives.running() as room:
        assert room.state is RoomState.FAILED
        assert "JANUS_PIN" in room.reason


async def test_events_of_the_room_are_logged_with_its_states() -> None:
    lives = Lives()
    async with lives.running():
        with lives.events.read(room="r-1", after=EventId(lives.events.run, 0)) as reader:
            event = {"event": "reaction.started", "label": "wave"}
            lives.newest.report(EventReport(event=event))
            kinds = [(await anext(reader)).event["event"] for _ in range(2)]
    assert kinds == ["room.state", "reaction.started"]


async def test_a_room_without_a_process_can_t_be_called() -> None:
    lives = Lives()
    with pytest.raises(RoomError, match="the room is joining"):
        await lives.room.call(LeaveRoom())


async def test_a_process_that_does_not_answer_is_a_504(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(handle: FakeHandle, operation: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(FakeHandle, "call", hang)
    lives = Lives()
    async with lives.running() as room:
        with pytest.raises(HttpRefusalError, match="does not answer") as caught:
            await room.call(LeaveRoom())
    assert caught.value.status == 504


async def test_a_room_that_is_over_refuses_calls_for_ever() -> None:
    lives = Lives()
    async with lives.running() as room:
        await room.leave("deleted")
        await room.over()
        with pytest.raises(RefusedError, match="the room is ended"):
            await room.call(LeaveRoom())


@pytest.mark.parametrize("state", [RoomState.LIVE, RoomState.PAUSED])
@pytest.mark.parametrize(
    ("participants", "frames", "seconds", "reason"),
    [
        (0, lambda now: 0, 60.0, "empty for 60 s"),
        (2, lambda now: 7, 180.0, "no media for 180 s"),
        (2, lambda now: int(now), 600.0, None),
    ],
)
async def test_a_room_that_is_empty_or_without_media_is_idle(
    participants: int,
    frames: Callable[[float], int],
    seconds: float,
    reason: str | None,
    state: RoomState,
) -> None:
    lives = Lives()
    async with lives.running() as room:
        lives.newest.report(StateReport(state=state))
        await eventually(lambda: room.state is state)
        found = None
        while lives.now < seconds + 2:
            assert found is None
            room.stats = RoomStats(participants=participants, frames_in=frames(lives.now))
            found = room.idle()
            lives.now += 1.0
            if found is not None:
                break
        assert found == reason


async def test_a_participant_who_joins_ends_the_wait() -> None:
    lives = Lives()
    async with lives.running() as room:
        for now, participants in ((0.0, 0), (50.0, 0), (55.0, 1), (70.0, 0), (120.0, 0)):
            lives.now = now
            lives.newest.report(StatsReport(stats=RoomStats(participants=participants)))
            room.stats = RoomStats(participants=participants)
            assert room.idle() is None
