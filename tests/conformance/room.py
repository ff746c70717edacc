"""What every Room must do.

A system is plugged in by a ``RoomHarness`` for its server, and a subclass that gives it::

    class TestMyRoom(RoomConformance):
        @pytest.fixture
        async def harness(self) -> AsyncIterator[RoomHarness]:
            async with MyServer() as server:
                yield MyHarness(server)

A harness calls ``lacks`` for what its system does not have. Where a system does it in its own
way, the subclass overrides the test with what it does.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from typing import NoReturn, Protocol

import pytest

from config.errors import RefusedError, RoomError
from sidecar.aio import Backoff
from sidecar.rooms.base import (
    Consent,
    ConsentChanged,
    Joined,
    Left,
    ReceiverConstraints,
    Room,
    RoomChange,
)
from sidecar.rooms.reconnect import ReconnectingRoom
from tests.sidecar.clients import eventually
from tests.sidecar.rooms.attendance import Attendance, entered, following
from tests.sidecar.rooms.composites import grey_composite

LEAVING = 10.0
"""Seconds, far below the half minute after which aiortc notices a dead peer."""
WANT = ReceiverConstraints(320, 180, 15.0)


class RoomHarness(Protocol):
    """A server with one meeting, and the other participants in it."""

    def room(self) -> Room:
        """A room of the meeting, not entered yet. Each call makes another."""
        ...

    async def join(self, name: str) -> str:
        """A participant with a camera joins; return their id in the room's changes."""
        ...

    async def join_unwatchable(self, name: str) -> str:
        """A participant joins whose camera can't be decoded; return their id."""
        ...

    async def leave(self, participant: str) -> None:
        """A participant leaves."""
        ...

    async def choose(self, participant: str, consent: Consent) -> None:
        """A participant opts out or in, by a means of the system."""
        ...

    async def composite_arrives(self) -> None:
        """Wait until another participant gets a frame of the published composite."""
        ...

    async def refuse(self) -> None:
        """Let no room in from now on, for a reason that trying again does not cure."""
        ...

    async def put_out(self) -> None:
        """Put the sidecar, which publishes, out of the meeting for good."""
        ...

    async def end(self) -> None:
        """End the meeting for all."""
        ...

    async def lose(self) -> None:
        """Cut all connections to the server, and take no new ones."""
        ...

    async def recover(self) -> None:
        """The server is back after ``lose``, with the same meeting and without participants."""
        ...

    async def hang(self) -> None:
        """The server sends and answers nothing more, and keeps its connections."""
        ...


def lacks(what: str) -> NoReturn:
    """Skip the test: the system does not have what it is about, since ``what``."""
    pytest.skip(f"this system has no such thing: {what}")


def kinds(participant: str, changes: Sequence[RoomChange]) -> list[type[RoomChange]]:
    """The kinds of one participant's changes, without ``Joined`` in place of a ``Joined``."""
    found: list[type[RoomChange]] = []
    present = False
    for change in changes:
        if change.participant != participant:
            continue
        if not (present and isinstance(change, Joined)):
            found.append(type(change))
        present = (present or isinstance(change, Joined)) and not isinstance(change, Left)
    return found


async def watched(attendance: Attendance, participant: str) -> None:
    """Wait until frames of a participant come."""
    await eventually(lambda: attendance.frames(participant) > 0)


class RoomConformance(ABC):
    """Tests of a room with its server, which ``harness`` gives."""

    @pytest.fixture
    @abstractmethod
    def harness(self) -> AsyncIterator[RoomHarness]:
        """The server, empty."""

    async def test_participants_who_are_present_are_reported_with_their_cameras(
        self, harness: RoomHarness
    ) -> None:
        people = [await harness.join("Ada"), await harness.join("Bob")]
        async with entered(harness.room()) as attendance:
            for participant in people:
                await watched(attendance, participant)
            names = {joined.name for joined in attendance.present.values()}
        assert names == {"Ada", "Bob"}

    async def test_changes_come_in_their_order(self, harness: RoomHarness) -> None:
        async with entered(harness.room()) as attendance:
            ada = await harness.join("Ada")
            await watched(attendance, ada)
            for consent in (Consent.OPT_OUT, Consent.OPT_IN):
                await harness.choose(ada, consent)
                await eventually(lambda: attendance.consents.get(ada) is consent)  # noqa: B023
            await harness.leave(ada)
            await eventually(lambda: ada not in attendance.present)
            changes = kinds(ada, attendance.changes)
        assert changes == [Joined, ConsentChanged, ConsentChanged, Left]

    async def test_an_opt_out_precedes_the_camera_of_who_is_present(
        self, harness: RoomHarness
    ) -> None:
        ada = await harness.join("Ada")
        await harness.choose(ada, Consent.OPT_OUT)
        async with entered(harness.room()) as first, harness.room() as late:
            await eventually(lambda: first.consents.get(ada) is Consent.OPT_OUT)
            async with following(late) as attendance:
                await eventually(lambda: attendance.consents.get(ada) is Consent.OPT_OUT)
                await watched(attendance, ada)

    async def test_the_feed_ends_when_its_participant_leaves(self, harness: RoomHarness) -> None:
        ada = await harness.join("Ada")
        async with entered(harness.room()) as attendance:
            await watched(attendance, ada)
            feed = attendance.feed(ada)
            assert feed is not None
            await harness.leave(ada)
            await eventually(lambda: feed.ended)
            await eventually(lambda: ada not in attendance.present)

    async def test_a_camera_that_can_not_be_decoded_has_a_problem_and_disturbs_no_other(
        self, harness: RoomHarness
    ) -> None:
        vic = await harness.join_unwatchable("Vic")
        ada = await harness.join("Ada")
        async with entered(harness.room()) as attendance:
            await watched(attendance, ada)
            await eventually(lambda: attendance.problem(vic))
            assert attendance.feed(vic) is None

    async def test_a_slow_reader_gets_the_newest_state(self, harness: RoomHarness) -> None:
        async with entered(harness.room()) as prompt, harness.room() as slow:
            ada = await harness.join("Ada")
            await watched(prompt, ada)
            await harness.leave(ada)
            bob = await harness.join("Bob")
            await harness.choose(bob, Consent.OPT_OUT)
            await watched(prompt, bob)
            await eventually(lambda: ada not in prompt.present)
            await eventually(lambda: prompt.consents.get(bob) is Consent.OPT_OUT)
            async with following(slow) as attendance:
                await watched(attendance, bob)
                await eventually(lambda: attendance.consents.get(bob) is Consent.OPT_OUT)
                await eventually(lambda: list(attendance.present) == [bob])

    async def test_constraints_of_an_unknown_participant_are_ignored(
        self, harness: RoomHarness
    ) -> None:
        ada = await harness.join("Ada")
        async with entered(harness.room()) as attendance:
            attendance.room.constrain("unknown", WANT)
            await watched(attendance, ada)
            attendance.room.constrain(ada, WANT)
            attendance.room.constrain("unknown", WANT)
            seen = attendance.frames(ada)
            await eventually(lambda: attendance.frames(ada) > seen + 2)

    async def test_the_published_composite_is_shown_to_others_and_not_to_itself(
        self, harness: RoomHarness
    ) -> None:
        ada = await harness.join("Ada")
        async with entered(harness.room(), publishing=True) as attendance:
            async with asyncio.timeout(30):
                await harness.composite_arrives()
            await watched(attendance, ada)
            assert [attendance.find(ada)] == list(attendance.present.values())

    async def test_a_refused_room_is_not_entered_and_the_error_is_final(
        self, harness: RoomHarness
    ) -> None:
        await harness.refuse()
        before = asyncio.all_tasks()
        room = harness.room()
        with pytest.raises(RefusedError):
            await room.__aenter__()
        await eventually(lambda: not asyncio.all_tasks() - before)

    async def test_a_sidecar_that_is_put_out_is_refused_for_good(
        self, harness: RoomHarness
    ) -> None:
        async with entered(harness.room(), publishing=True) as attendance:
            async with asyncio.timeout(30):
                await harness.composite_arrives()
            await harness.put_out()
            await eventually(lambda: attendance.ended)
        assert isinstance(attendance.failure, RefusedError)

    async def test_changes_end_when_the_meeting_ends(self, harness: RoomHarness) -> None:
        ada = await harness.join("Ada")
        async with entered(harness.room()) as attendance:
            await watched(attendance, ada)
            await harness.end()
            await eventually(lambda: attendance.ended)
        assert attendance.failure is None

    async def test_a_server_that_is_not_there_can_not_be_entered(
        self, harness: RoomHarness
    ) -> None:
        await harness.lose()
        with pytest.raises(RoomError) as raised:
            await harness.room().__aenter__()
        assert not isinstance(raised.value, RefusedError)

    async def test_a_lost_server_ends_the_changes_with_an_error_that_is_not_final(
        self, harness: RoomHarness
    ) -> None:
        ada = await harness.join("Ada")
        async with entered(harness.room()) as attendance:
            await watched(attendance, ada)
            await harness.lose()
            await eventually(lambda: attendance.ended)
        assert isinstance(attendance.failure, RoomError)
        assert not isinstance(attendance.failure, RefusedError)

    async def test_a_lost_server_is_joined_again(self, harness: RoomHarness) -> None:
        at_once = Backoff(first=0.1, longest=0.2)
        room = ReconnectingRoom(harness.room, backoff=at_once)
        ada = await harness.join("Ada")
        async with entered(room) as attendance:
            await watched(attendance, ada)
            await harness.lose()
            await eventually(lambda: not attendance.present)
            await harness.recover()
            ada = await harness.join("Ada")
            await watched(attendance, ada)
        assert room.rejoined >= 1

    async def test_leaving_frees_feeds_and_tasks(self, harness: RoomHarness) -> None:
        ada = await harness.join("Ada")
        async with entered(harness.room()) as attendance:
            # Her own connection is up from now on, and starts no more tasks.
            await watched(attendance, ada)
        before = asyncio.all_tasks()
        async with entered(harness.room(), publishing=True) as attendance:
            await watched(attendance, ada)
            feed = attendance.feed(ada)
        assert feed is not None
        assert feed.ended
        await eventually(lambda: not asyncio.all_tasks() - before)

    async def test_leaving_ends_the_changes(self, harness: RoomHarness) -> None:
        room = harness.room()
        async with following(await room.__aenter__()) as attendance:
            await room.__aexit__(None, None, None)
            await eventually(lambda: attendance.ended)
        assert attendance.failure is None

    async def test_leaving_is_bounded_when_the_server_hangs(self, harness: RoomHarness) -> None:
        ada = await harness.join("Ada")
        async with grey_composite() as composite:
            room = await harness.room().__aenter__()
            await room.publish(composite)
            async with following(room) as attendance:
                await watched(attendance, ada)
            await harness.hang()
            async with asyncio.timeout(LEAVING):
                await room.__aexit__(None, None, None)
            assert composite.viewers == 0

    async def test_leaving_before_entering_is_done_frees_everything(
        self, harness: RoomHarness
    ) -> None:
        before = asyncio.all_tasks()
        for steps in (0, 1, 2, 5, 20):
            entering = asyncio.create_task(harness.room().__aenter__())
            for _ in range(steps):
                await asyncio.sleep(0)
            entering.cancel()
            await asyncio.wait([entering])
            if not entering.cancelled():
                await entering.result().__aexit__(None, None, None)
        await eventually(lambda: not asyncio.all_tasks() - before)

    async def test_a_room_has_a_name_before_it_is_entered_and_keeps_it(
        self, harness: RoomHarness
    ) -> None:
        room = harness.room()
        name = room.name
        assert name
        async with room:
            assert room.name == name
