"""The room without a network."""

import asyncio
from collections.abc import AsyncIterator

import av
import pytest

from config.errors import RefusedError, RoomError
from sidecar.rooms.base import Consent, ReceiverConstraints, Room
from sidecar.rooms.memory import MemoryMeeting, MemoryRoom
from tests.conformance.room import RoomConformance, RoomHarness
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.rooms.attendance import entered


class MemoryHarness:
    """Implements ``RoomHarness``."""

    def __init__(self) -> None:
        self.meeting = MemoryMeeting()

    def room(self) -> Room:
        return self.meeting.room()

    async def join(self, name: str) -> str:
        self.meeting.join(name.lower(), name, ColourTrack())
        return name.lower()

    async def join_unwatchable(self, name: str) -> str:
        self.meeting.join(name.lower(), name, problem="sends VP9 alone")
        return name.lower()

    async def leave(self, participant: str) -> None:
        self.meeting.leave(participant)

    async def choose(self, participant: str, consent: Consent) -> None:
        self.meeting.choose(participant, consent)

    async def composite_arrives(self) -> None:
        assert self.meeting.composite is not None
        track = self.meeting.composite.subscribe()
        assert isinstance(await track.recv(), av.Packet)
        track.stop()

    async def refuse(self) -> None:
        self.meeting.fail(RefusedError("wrong PIN"), lasting=True)

    async def put_out(self) -> None:
        self.meeting.fail(RefusedError("kicked"), lasting=True)

    async def end(self) -> None:
        self.meeting.end()

    async def lose(self) -> None:
        self.meeting.fail(RoomError("the connection was lost"), lasting=True)

    async def recover(self) -> None:
        self.meeting.participants.clear()
        self.meeting.recover()

    async def hang(self) -> None:
        """There is no server."""


class TestMemoryRoom(RoomConformance):
    @pytest.fixture
    async def harness(self) -> AsyncIterator[RoomHarness]:
        harness = MemoryHarness()
        yield harness
        assert harness.meeting.rooms == []


async def test_a_meeting_keeps_what_its_room_asked_for_and_sent() -> None:
    meeting, want = MemoryMeeting(), ReceiverConstraints(320, 180, 15)
    meeting.join("ada")
    async with meeting.room() as room:
        room.constrain("ada", want)
        room.constrain("bob", want)
        await room.announce({"label": "thumbs_up"})
        assert meeting.rooms == [room]
    assert meeting.constraints == {"ada": want}
    assert meeting.announced == [{"label": "thumbs_up"}]
    assert meeting.rooms == []


async def test_a_participant_who_joins_again_is_replaced() -> None:
    room = MemoryRoom()
    async with entered(room) as attendance:
        room.meeting.join("ada", "Ada", problem="no codec")
        await asyncio.sleep(0)
        room.meeting.join("ada", "Ada", ColourTrack())
        await eventually(lambda: attendance.frames("ada"))
        assert not attendance.problem("ada")
