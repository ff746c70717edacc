"""A server that dies and restarts: the room rejoins and frees everything."""

import pytest

from sidecar.rooms.base import JoinOptions
from sidecar.rooms.galene.adapter import ADAPTER
from sidecar.rooms.reconnect import ReconnectingRoom
from tests.servers.galene import Galene
from tests.servers.soak import JOINS, RESTARTS
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.leaks import Held, back_to, settled, warm_up
from tests.sidecar.rooms.attendance import entered
from tests.sidecar.rooms.composites import grey_composite
from tests.sidecar.rooms.galene.conftest import NAME, attending
from tests.sidecar.rooms.galene.people import person, sees

pytestmark = pytest.mark.servers


@pytest.mark.soak
async def test_a_server_that_is_killed_is_joined_again_and_nothing_is_left_behind(
    real: Galene,
) -> None:
    url = real.url("room")
    before: Held | None = None
    await warm_up()
    room = ReconnectingRoom(lambda: ADAPTER.room(url, JoinOptions(NAME)))
    async with entered(room, publishing=True) as attendance:
        for deaths in range(RESTARTS + 1):
            async with person(url, "Ada") as ada:
                await ada.show(ColourTrack())
                await ada.watch()
                await eventually(lambda: attendance.frames("Ada") > 3)
                await eventually(lambda: sees(ada, NAME))
                assert sorted(ada.users.values()) == ["Ada", NAME]
                assert set(attendance.present) == {"Ada"}
                before = before or await settled()
                await back_to(before)
                if deaths < RESTARTS:
                    await real.process.restart()
    assert room.rejoined == RESTARTS


@pytest.mark.soak
async def test_joining_and_leaving_leaves_nothing_behind(real: Galene) -> None:
    url = real.url("room")

    async def come_and_go() -> None:
        async with attending(url) as attendance, grey_composite() as composite:
            await attendance.room.publish(composite)
            await eventually(lambda: attendance.frames("Ada") > 0)

    async with person(url, "Ada") as ada:
        await ada.show(ColourTrack())
        await warm_up()
        await come_and_go()
        before = await settled()
        for _ in range(JOINS):
            await come_and_go()
        await back_to(before)
        await eventually(lambda: list(ada.users.values()) == ["Ada"])
