"""The composite in a VideoRoom, with a fake server."""

from collections.abc import AsyncIterator

import pytest

from config.errors import RefusedError, RoomError
from tests.sidecar.clients import eventually
from tests.sidecar.rooms.attendance import entered
from tests.sidecar.rooms.composites import grey_composite
from tests.sidecar.rooms.janus.attending import NAME, options
from tests.sidecar.rooms.janus.fake_server import FakeJanusServer
from tests.sidecar.rooms.janus.test_conformance import IMPATIENT


@pytest.fixture
async def server() -> AsyncIterator[FakeJanusServer]:
    async with FakeJanusServer() as running:
        yield running


async def test_the_composite_joins_under_its_name_and_description(server: FakeJanusServer) -> None:
    async with entered(IMPATIENT.room(server.url, options()), publishing=True):
        await server.composite_arrived.wait()
        assert [each.display for each in server.participants.values()] == [NAME]
        (body,) = server.bodies("publish")
        assert body["descriptions"] == [{"mid": "0", "description": "reaction-sidecar composite"}]


async def test_a_full_room_takes_no_composite_and_its_connection_is_freed(
    server: FakeJanusServer,
) -> None:
    server.full = True
    async with (
        entered(IMPATIENT.room(server.url, options())) as attendance,
        grey_composite() as composite,
    ):
        with pytest.raises(RoomError, match="raise publishers") as raised:
            await attendance.room.publish(composite)
        assert not isinstance(raised.value, RefusedError)
        await eventually(lambda: composite.viewers == 0)
        assert not attendance.ended


async def test_a_hang_up_of_the_composite_ends_the_room(server: FakeJanusServer) -> None:
    room = IMPATIENT.room(server.url, options())
    async with entered(room, publishing=True) as attendance:
        await server.hang_up()
        await eventually(lambda: attendance.ended)
    assert "DTLS alert" in str(attendance.failure)
    assert not isinstance(attendance.failure, RefusedError)


async def test_a_lost_room_takes_no_composite(server: FakeJanusServer) -> None:
    async with (
        entered(IMPATIENT.room(server.url, options())) as attendance,
        grey_composite() as composite,
    ):
        await server.lose()
        await eventually(lambda: attendance.ended)
        with pytest.raises(RoomError, match="lost or left"):
            await attendance.room.publish(composite)
        assert composite.viewers == 0


async def test_an_event_without_a_data_channel_is_dropped(server: FakeJanusServer) -> None:
    room = IMPATIENT.room(server.url, options())
    async with entered(room, publishing=True):
        await room.announce({"label": "thumbs_up"})
