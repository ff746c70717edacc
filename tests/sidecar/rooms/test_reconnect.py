import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Self

import pytest
from aiortc import MediaStreamTrack

from config.errors import RefusedError, RoomError
from sidecar.aio import Backoff
from sidecar.rooms.base import Joined, Left, ReceiverConstraints, RoomChange, TrackSource
from sidecar.rooms.reconnect import ReconnectingRoom

AT_ONCE = Backoff(first=0.0, longest=0.0)


class Composite:
    """A composite without viewers."""

    def subscribe(self) -> MediaStreamTrack:
        raise NotImplementedError


class ScriptedRoom:
    """Says ``script``: changes, an error to raise, or the end."""

    def __init__(self, script: list[RoomChange | Exception], refusal: Exception | None) -> None:
        self.script = script
        self.refusal = refusal
        self.entered = 0
        self.left = 0
        self.published: TrackSource | None = None
        self.select_layers: list[str] = []
        self.announced: list[object] = []

    @property
    def name(self) -> str:
        return "scripted"

    async def __aenter__(self) -> Self:
        if self.refusal is not None:
            raise self.refusal
        self.entered += 1
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.left += 1

    async def changes(self) -> AsyncGenerator[RoomChange]:
        for change in self.script:
            await asyncio.sleep(0)
            if isinstance(change, Exception):
                raise change
            yield change

    async def publish(self, composite: TrackSource) -> None:
        self.published = composite

    def constrain(self, participant: str, want: ReceiverConstraints) -> None:
        self.select_layers.append(participant)

    async def announce(self, event: object) -> None:
        self.announced.append(event)


class Meetings:
    """One scripted room for each time that the meeting is joined."""

    def __init__(
        self, *scripts: list[RoomChange | Exception], refusals: dict[int, Exception] | None = None
    ) -> None:
        self.rooms: list[ScriptedRoom] = []
        self._scripts = scripts
        self._refusals = refusals or {}

    def open(self) -> ScriptedRoom:
        number = len(self.rooms)
        script = self._scripts[min(number, len(self._scripts) - 1)]
        self.rooms.append(ScriptedRoom(list(script), self._refusals.get(number)))
        return self.rooms[-1]


def rejoining(open_room: Callable[[], ScriptedRoom]) -> ReconnectingRoom:
    return ReconnectingRoom(open_room, backoff=AT_ONCE)


ADA = Joined("ada", "Ada", None)
LOST = RoomError("the socket closed")


async def changes_of(room: ReconnectingRoom) -> list[RoomChange]:
    async with asyncio.timeout(10), aclosing(room.changes()) as changes:
        return [change async for change in changes]


async def test_a_meeting_that_ends_is_not_joined_again() -> None:
    meetings = Meetings([ADA])
    async with rejoining(meetings.open) as room:
        assert await changes_of(room) == [ADA]
    assert len(meetings.rooms) == 1


async def test_a_lost_meeting_is_joined_again_and_all_participants_leave_meanwhile() -> None:
    meetings = Meetings([ADA, LOST], [ADA])
    async with rejoining(meetings.open) as room:
        changes = await changes_of(room)
        assert changes == [ADA, Left("ada", "the connection to the meeting was lost"), ADA]
        assert room.rejoined == 1
    assert [one.left for one in meetings.rooms] == [1, 1]


async def test_the_lost_room_is_left_before_the_next_is_entered() -> None:
    meetings = Meetings([LOST], [])
    left_when_opened: list[int] = []

    def open_room() -> ScriptedRoom:
        left_when_opened.append(sum(room.left for room in meetings.rooms))
        return meetings.open()

    async with rejoining(open_room) as room:
        await changes_of(room)
    assert left_when_opened == [0, 1]


async def test_a_server_that_is_still_down_is_tried_until_it_is_back() -> None:
    down = {1: RoomError("refused"), 2: OSError("no route"), 3: TimeoutError()}
    meetings = Meetings([LOST], [ADA], refusals=down)
    async with rejoining(meetings.open) as room:
        assert await changes_of(room) == [ADA]
    assert [one.entered for one in meetings.rooms] == [1, 0, 0, 0, 1]


async def test_a_refusal_is_not_tried_again() -> None:
    meetings = Meetings([RefusedError("kicked")])
    async with rejoining(meetings.open) as room:
        with pytest.raises(RefusedError, match="kicked"):
            await changes_of(room)
    assert len(meetings.rooms) == 1


async def test_a_refusal_while_coming_back_ends_it() -> None:
    meetings = Meetings([LOST], refusals={1: RefusedError("the token expired")})
    async with rejoining(meetings.open) as room:
        with pytest.raises(RefusedError, match="expired"):
            await changes_of(room)


async def test_the_first_failure_to_join_is_reported_at_once() -> None:
    meetings = Meetings([], refusals={0: RoomError("connection refused")})
    with pytest.raises(RoomError, match="connection refused"):
        async with rejoining(meetings.open):
            pass


async def test_the_composite_is_published_again() -> None:
    meetings = Meetings([LOST], [])
    composite = Composite()
    async with rejoining(meetings.open) as room:
        await room.publish(composite)
        await changes_of(room)
    assert [one.published for one in meetings.rooms] == [composite, composite]


async def test_wants_and_announcements_go_to_the_room_that_is_joined_now() -> None:
    meetings = Meetings([LOST], [])
    async with rejoining(meetings.open) as room:
        await changes_of(room)
        room.constrain("ada", ReceiverConstraints(320, 180, 5))
        await room.announce({"event": "reaction.started"})
    assert [one.select_layers for one in meetings.rooms] == [[], ["ada"]]
    assert meetings.rooms[1].announced == [{"event": "reaction.started"}]


async def test_a_room_that_can_be_renewed_hands_its_state_on() -> None:
    class RenewableRoom(ScriptedRoom):
        def renewed(self) -> ScriptedRoom:
            successor = meetings.open()
            renewals.append((self, successor))
            return successor

    renewals: list[tuple[ScriptedRoom, ScriptedRoom]] = []
    meetings = Meetings([])
    first = RenewableRoom([ADA, LOST], None)
    async with rejoining(lambda: first) as room:
        await changes_of(room)
        assert room.rejoined == 1
    assert renewals == [(first, meetings.rooms[0])]
