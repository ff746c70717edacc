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


class Hotel:
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
    hotel = Hotel()
    async with RoomManager(hotel.host) as lobby:
        rooms = await asyncio.gather(*(lobby.enter("one") for _ in range(5)))
        assert hotel.opened == ["one"]
        assert len({id(room) for room in rooms}) == 1
    assert hotel.open == {}


async def test_there_are_only_so_many_rooms() -> None:
    hotel = Hotel()
    async with RoomManager(hotel.host, max_rooms=1) as lobby:
        await lobby.enter("one")
        with pytest.raises(HttpRefusalError, match="all 1 rooms are in use") as caught:
            await lobby.enter("two")
        assert refusal(caught) == 503


async def test_one_client_opens_half_of_the_rooms_at_most() -> None:
    hotel = Hotel()
    async with RoomManager(hotel.host, max_rooms=6) as lobby:
        for name in ("one", "two", "three"):
            await lobby.enter(name, "192.0.2.1")
        with pytest.raises(HttpRefusalError, match="opened 3 rooms") as caught:
            await lobby.enter("four", "192.0.2.1")
        assert refusal(caught) == 429
        await lobby.enter("four", "192.0.2.2")
        await lobby.enter("four", "192.0.2.1")


async def test_fixed_rooms_are_open_from_the_start_and_there_are_no_others() -> None:
    hotel = Hotel()
    async with RoomManager(hotel.host, fixed=["demo"]) as lobby:
        assert hotel.opened == ["demo"]
        assert lobby.find("demo").room.name == "demo"
        with pytest.raises(HttpRefusalError) as caught:
            await lobby.enter("other")
        assert refusal(caught) == 404
        assert lobby.first == "demo"


async def test_an_unused_room_is_closed_after_a_while() -> None:
    hotel = Hotel()
    async with RoomManager(hotel.host, idle=0.12) as lobby:
        meeting = (await lobby.enter("one")).meeting
        with meeting.events.listen():
            await asyncio.sleep(0.3)
            assert "one" in hotel.open
        await eventually(lambda: not hotel.open)
        with pytest.raises(HttpRefusalError):
            lobby.find("one")


async def test_a_meeting_that_ends_makes_room_for_a_new_one() -> None:
    hotel = Hotel()
    async with RoomManager(hotel.host, fixed=["demo"]) as lobby:
        hotel.open["demo"].over.set()
        await eventually(lambda: len(lobby) == 0)
        await lobby.enter("demo")
        assert hotel.opened == ["demo", "demo"]


async def test_a_room_that_fails_to_open_says_why_and_can_be_tried_again() -> None:
    hotel = Hotel()
    async with RoomManager(hotel.host) as lobby:
        hotel.error = ModelError("hand_landmark_lite.tflite is missing")
        with pytest.raises(ModelError, match="is missing"):
            await lobby.enter("one")
        hotel.error = RuntimeError("a secret path")
        with pytest.raises(HttpRefusalError, match="can't be opened") as caught:
            await lobby.enter("one")
        assert "secret" not in str(caught.value)
        hotel.error = None
        assert (await lobby.enter("one")).room.name == "one"


async def test_a_fixed_room_that_fails_to_open_fails_the_start() -> None:
    hotel = Hotel()
    hotel.error = ModelError("a model is missing")
    with pytest.raises(ModelError):
        async with RoomManager(hotel.host, fixed=["demo"]):
            pass


async def test_a_closed_manager_admits_no_client() -> None:
    lobby = RoomManager(Hotel().host)
    with pytest.raises(HttpRefusalError) as caught:
        await lobby.enter("one")
    assert refusal(caught) == 503
