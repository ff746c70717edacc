"""Rooms that open and close."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from config.errors import HttpRefusalError, ModelError
from sidecar.rooms.hosted.room import HostedRoom
from sidecar.server.room_manager import RoomManager
from tests.sidecar.clients import eventually
from tests.sidecar.server.conftest import GreyMeeting


class SessionFactoryDouble:
    """Meetings without pictures: what was opened, and what is open."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.open: dict[str, GreyMeeting] = {}
        self.error: Exception | None = None

    @asynccontextmanager
    async def host(self, room: HostedRoom) -> AsyncIterator[GreyMeeting]:
        self.opened.append(room.name)
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        async with room:
            self.open[room.name] = GreyMeeting(room)
            try:
                yield self.open[room.name]
            finally:
                del self.open[room.name]


def refusal(error: pytest.ExceptionInfo[HttpRefusalError]) -> int:
    return error.value.status


async def test_a_room_is_opened_once_however_many_come_at_once() -> None:
    factory = SessionFactoryDouble()
    async with RoomManager(factory.host) as rooms:
        entered = await asyncio.gather(*(rooms.enter("one") for _ in range(5)))
        assert factory.opened == ["one"]
        assert len({id(room) for room in entered}) == 1
    assert factory.open == {}


async def test_there_are_only_so_many_rooms() -> None:
    factory = SessionFactoryDouble()
    async with RoomManager(factory.host, max_rooms=1) as rooms:
        await rooms.enter("one")
        with pytest.raises(HttpRefusalError, match="all 1 rooms are in use") as caught:
            await rooms.enter("two")
        assert refusal(caught) == 503


async def test_one_client_opens_half_of_the_rooms_at_most() -> None:
    factory = SessionFactoryDouble()
    async with RoomManager(factory.host, max_rooms=6) as rooms:
        for name in ("one", "two", "three"):
            await rooms.enter(name, "192.0.2.1")
        with pytest.raises(HttpRefusalError, match="opened 3 rooms") as caught:
            await rooms.enter("four", "192.0.2.1")
        assert refusal(caught) == 429
        await rooms.enter("four", "192.0.2.2")
        await rooms.enter("four", "192.0.2.1")


async def test_fixed_rooms_are_open_from_the_start_and_there_are_no_others() -> None:
    factory = SessionFactoryDouble()
    async with RoomManager(factory.host, fixed=["demo"]) as rooms:
        assert factory.opened == ["demo"]
        assert rooms.find("demo").room.name == "demo"
        with pytest.raises(HttpRefusalError) as caught:
            await rooms.enter("other")
        assert refusal(caught) == 404
        assert rooms.first == "demo"


async def test_an_unused_room_is_closed_after_a_while() -> None:
    factory = SessionFactoryDouble()
    async with RoomManager(factory.host, idle=0.12) as rooms:
        meeting = (await rooms.enter("one")).meeting
        with meeting.events.listen():
            await asyncio.sleep(0.3)
            assert "one" in factory.open
        await eventually(lambda: not factory.open)
        with pytest.raises(HttpRefusalError):
            rooms.find("one")


async def test_a_meeting_that_ends_makes_room_for_a_new_one() -> None:
    factory = SessionFactoryDouble()
    async with RoomManager(factory.host, fixed=["demo"]) as rooms:
        factory.open["demo"].over.set()
        await eventually(lambda: len(rooms) == 0)
        await rooms.enter("demo")
        assert factory.opened == ["demo", "demo"]


async def test_a_room_that_fails_to_open_says_why_and_can_be_tried_again() -> None:
    factory = SessionFactoryDouble()
    async with RoomManager(factory.host) as rooms:
        factory.error = ModelError("hand_landmark_lite.tflite is missing")
        with pytest.raises(ModelError, match="is missing"):
            await rooms.enter("one")
        factory.error = RuntimeError("a secret path")
        with pytest.raises(HttpRefusalError, match="can't be opened") as caught:
            await rooms.enter("one")
        assert "secret" not in str(caught.value)
        factory.error = None
        assert (await rooms.enter("one")).room.name == "one"


async def test_a_fixed_room_that_fails_to_open_fails_the_start() -> None:
    factory = SessionFactoryDouble()
    factory.error = ModelError("a model is missing")
    with pytest.raises(ModelError):
        async with RoomManager(factory.host, fixed=["demo"]):
            pass


async def test_a_closed_manager_admits_no_client() -> None:
    rooms = RoomManager(SessionFactoryDouble().host)
    with pytest.raises(HttpRefusalError) as caught:
        await rooms.enter("one")
    assert refusal(caught) == 503
