"""A meeting in memory that is lost, and joined again."""

import asyncio
from collections.abc import Callable

import pytest
from aiortc import MediaStreamTrack
from structlog.testing import capture_logs

from config.errors import (
    ConfigError,
    LostError,
    NegotiationError,
    ProtocolError,
    RefusedError,
    RoomError,
    SignallingError,
)
from sidecar.aio import Backoff
from sidecar.rooms.base import Consent, ConsentChanged, Joined, Left, ReceiverConstraints
from sidecar.rooms.memory import MemoryMeeting, MemoryRoom
from sidecar.rooms.reconnect import LOST, ReconnectingRoom, ReconnectTimeouts, loss_kind
from tests.sidecar.clients import eventually
from tests.sidecar.rooms.attendance import Attendance, entered

EVERY_SECOND = Backoff(first=1.0, factor=1.0, jitter=0.0)
OUTAGE = RoomError("the socket closed")


class Composite:
    """A composite of which no track is taken."""

    def subscribe(self) -> MediaStreamTrack:
        raise NotImplementedError


def reconnecting(open_room: Callable[[], MemoryRoom]) -> ReconnectingRoom:
    return ReconnectingRoom(open_room, backoff=EVERY_SECOND)


def kinds(attendance: Attendance) -> list[type]:
    return [type(change) for change in attendance.changes]


async def test_a_meeting_that_ends_is_not_joined_again() -> None:
    meeting = MemoryMeeting()
    meeting.join("ada")
    room = reconnecting(meeting.room)
    async with entered(room) as attendance:
        await eventually(lambda: attendance.present)
        meeting.end()
        await eventually(lambda: attendance.ended)
        await asyncio.sleep(60)
    assert attendance.failure is None
    assert room.rejoined == 0


async def test_all_participants_leave_until_a_lost_meeting_is_joined_again() -> None:
    meeting = MemoryMeeting()
    meeting.join("ada", "Ada")
    room = reconnecting(meeting.room)
    async with entered(room) as attendance:
        await eventually(lambda: attendance.present)
        meeting.fail(OUTAGE)
        await eventually(lambda: not attendance.present)
        assert room.lost == str(OUTAGE)
        await eventually(lambda: attendance.present)
        assert kinds(attendance) == [Joined, Left, Joined]
        assert attendance.changes[1] == Left("ada", LOST)
        assert (room.rejoined, room.lost) == (1, "")


async def test_the_lost_room_is_left_before_the_next_is_entered() -> None:
    meeting = MemoryMeeting()
    taking_part: list[int] = []

    def open_room() -> MemoryRoom:
        taking_part.append(len(meeting.rooms))
        return meeting.room()

    room = reconnecting(open_room)
    async with entered(room):
        meeting.fail(OUTAGE)
        await eventually(lambda: room.rejoined)
        assert len(meeting.rooms) == 1
    assert taking_part == [0, 0]


async def test_a_server_that_is_still_down_is_tried_until_it_is_back() -> None:
    meeting = MemoryMeeting()
    meeting.join("ada")
    room = reconnecting(meeting.room)
    with capture_logs() as logs:
        async with entered(room) as attendance:
            meeting.fail(OUTAGE, lasting=True)
            await asyncio.sleep(3.5)
            assert (room.rejoined, attendance.present) == (0, {})
            meeting.recover()
            await eventually(lambda: attendance.present)
    assert [log["event"] for log in logs] == [
        "meeting lost",
        *["rejoin failed, retrying"] * 3,
        "meeting rejoined",
    ]
    assert logs[0]["reason"] == str(OUTAGE)
    assert logs[-1]["attempts"] == 4


@pytest.mark.parametrize("error", [OSError("no route"), TimeoutError(), ValueError("a bug")])
async def test_an_error_that_is_no_room_error_is_a_loss_too(error: Exception) -> None:
    class FailingRoom(MemoryRoom):
        async def start(self) -> None:
            if attempts.pop():
                raise error
            await super().start()

    meeting = MemoryMeeting()
    attempts = [False, True, False]
    room = reconnecting(lambda: FailingRoom(meeting))
    async with entered(room):
        meeting.fail(OUTAGE)
        await eventually(lambda: room.rejoined)
    assert attempts == []


@pytest.mark.parametrize(
    "error", [RefusedError("kicked"), ConfigError("the token can't be read")], ids=str
)
async def test_a_refusal_is_final(error: RefusedError | ConfigError) -> None:
    class EndingRoom(MemoryRoom):
        async def start(self) -> None:
            if rooms:
                raise error
            rooms.append(self)
            await super().start()

    rooms: list[MemoryRoom] = []
    meeting = MemoryMeeting()
    room = reconnecting(lambda: EndingRoom(meeting))
    async with entered(room) as attendance:
        meeting.fail(OUTAGE)
        await eventually(lambda: attendance.ended)
    assert attendance.failure is error
    assert room.rejoined == 0


async def test_a_room_that_puts_us_out_is_not_joined_again() -> None:
    meeting = MemoryMeeting()
    room = reconnecting(meeting.room)
    async with entered(room) as attendance:
        meeting.fail(RefusedError("kicked"))
        await eventually(lambda: attendance.ended)
        await asyncio.sleep(60)
    assert isinstance(attendance.failure, RefusedError)
    assert room.rejoined == 0


async def test_the_first_failure_to_join_is_raised_at_once() -> None:
    meeting = MemoryMeeting()
    meeting.fail(RoomError("no server at this address"), lasting=True)
    with pytest.raises(RoomError, match="no server"):
        await reconnecting(meeting.room).start()
    assert asyncio.get_running_loop().time() == 0


async def test_joining_has_a_limit() -> None:
    meeting = MemoryMeeting()
    meeting.hang()
    room = ReconnectingRoom(meeting.room, timeouts=ReconnectTimeouts(joining=7.0))
    with pytest.raises(RoomError, match="within 7 s"):
        await room.start()
    assert asyncio.get_running_loop().time() == 7.0
    assert meeting.rooms == []


async def test_a_server_that_hangs_is_tried_again() -> None:
    meeting = MemoryMeeting()
    room = ReconnectingRoom(
        meeting.room, backoff=EVERY_SECOND, timeouts=ReconnectTimeouts(joining=7.0)
    )
    async with entered(room):
        meeting.fail(OUTAGE)
        meeting.hang()
        await asyncio.sleep(20)
        meeting.recover()
        await eventually(lambda: room.rejoined)


async def test_delays_grow_until_a_connection_has_lasted() -> None:
    meeting = MemoryMeeting()
    backoff = Backoff(first=1.0, factor=2.0, longest=60.0, jitter=0.0)
    room = ReconnectingRoom(meeting.room, backoff=backoff, timeouts=ReconnectTimeouts(settled=30))
    loop = asyncio.get_running_loop()
    took = []
    async with entered(room):
        for lasting in (0.0, 5.0, 5.0, 31.0):
            await asyncio.sleep(lasting)
            rejoined, began = room.rejoined, loop.time()
            meeting.fail(OUTAGE)
            await eventually(lambda: room.rejoined > rejoined)  # noqa: B023
            took.append(round(loop.time() - began))
    assert took == [1, 2, 4, 1]


async def test_the_composite_is_published_again() -> None:
    meeting, composite = MemoryMeeting(), Composite()
    room = reconnecting(meeting.room)
    async with entered(room):
        await room.publish(composite)
        assert meeting.composite is composite
        meeting.fail(OUTAGE)
        await eventually(lambda: meeting.composite is None)
        await eventually(lambda: meeting.composite is composite)
    assert meeting.composite is None


async def test_a_composite_that_is_published_while_the_meeting_is_lost_is_shown_later() -> None:
    meeting, composite = MemoryMeeting(), Composite()
    room = reconnecting(meeting.room)
    async with entered(room):
        meeting.fail(OUTAGE)
        await eventually(lambda: room.lost)
        await room.publish(composite)
        assert meeting.composite is None
        await eventually(lambda: meeting.composite is composite)


async def test_constraints_and_announcements_go_to_the_room_that_is_joined_now() -> None:
    meeting, want = MemoryMeeting(), ReceiverConstraints(320, 180, 5)
    meeting.join("ada")
    room = reconnecting(meeting.room)
    async with entered(room):
        meeting.fail(OUTAGE)
        await eventually(lambda: room.lost)
        await room.announce({"event": "lost on the way"})
        await eventually(lambda: room.rejoined)
        room.constrain("ada", want)
        await room.announce({"event": "reaction.started"})
    assert meeting.constraints == {"ada": want}
    assert meeting.announced == [{"event": "reaction.started"}]


async def test_a_choice_holds_while_the_meeting_is_lost_and_is_reported_once() -> None:
    meeting = MemoryMeeting()
    meeting.join("ada")
    meeting.choose("ada", Consent.OPT_OUT)
    room = reconnecting(meeting.room)
    async with entered(room) as attendance:
        await eventually(lambda: attendance.present)
        meeting.fail(OUTAGE)
        await eventually(lambda: room.rejoined and attendance.present)
        assert kinds(attendance) == [ConsentChanged, Joined, Left, Joined]


async def test_it_comes_back_without_a_reader_of_its_changes() -> None:
    meeting = MemoryMeeting()
    async with reconnecting(meeting.room) as room:
        meeting.fail(OUTAGE)
        await eventually(lambda: room.rejoined)


async def test_leaving_while_the_meeting_is_lost_ends_the_attempts() -> None:
    meeting = MemoryMeeting()
    room = reconnecting(meeting.room)
    async with entered(room) as attendance:
        meeting.fail(OUTAGE, lasting=True)
        await asyncio.sleep(2.5)
    assert attendance.failure is None
    assert len(asyncio.all_tasks()) == 1


async def test_a_room_that_can_be_renewed_hands_its_state_on() -> None:
    class RenewableRoom(MemoryRoom):
        def renewed(self) -> MemoryRoom:
            renewals.append(self)
            return RenewableRoom(self.meeting)

    renewals: list[MemoryRoom] = []
    meeting = MemoryMeeting()
    opened: list[MemoryRoom] = []

    def open_room() -> MemoryRoom:
        opened.append(RenewableRoom(meeting))
        return opened[-1]

    room = reconnecting(open_room)
    async with entered(room):
        meeting.fail(OUTAGE)
        await eventually(lambda: room.rejoined == 1)
        meeting.fail(OUTAGE)
        await eventually(lambda: room.rejoined == 2)
    assert len(opened) == 1
    assert renewals[0] is opened[0]
    assert len(renewals) == 2


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (LostError("the socket closed"), "lost"),
        (NegotiationError("no media path"), "negotiation"),
        (ProtocolError("no offer"), "protocol"),
        (SignallingError("gone", status=404), "signalling"),
        (TimeoutError(), "timeout"),
        (ValueError("a mistake of the adapter"), "other"),
    ],
)
def test_a_loss_has_a_kind(error: Exception, kind: str) -> None:
    assert loss_kind(error) == kind
