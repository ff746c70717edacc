"""A server that dies and comes back, and nothing that is left behind."""

import asyncio
import gc
import os

import pytest

from sidecar.rooms.adapter import JoinOptions
from sidecar.rooms.galene.adapter import ADAPTER
from sidecar.rooms.rejoin import Rejoining
from tests.servers.galene import Galene
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.media.pictures import descriptors, threads
from tests.sidecar.rooms.galene.conftest import NAME, Attendance, attending, showing
from tests.sidecar.rooms.galene.people import person, sees

pytestmark = pytest.mark.servers

DEATHS = int(os.environ.get("SIDECAR_SOAK_RESTARTS", "5"))
"""How often the server is killed; 50 in a soak."""
VISITS = int(os.environ.get("SIDECAR_SOAK_JOINS", "5"))
"""How often a group is joined and left; 200 in a soak."""


def held() -> tuple[int, int, int]:
    """Tasks, threads and descriptors."""
    gc.collect()
    return len(asyncio.all_tasks()), threads(), descriptors()


async def back_to(before: tuple[int, int, int]) -> None:
    """Wait until no more is held than before."""
    await eventually(lambda: all(now <= was for now, was in zip(held(), before, strict=True)))


async def test_a_server_that_is_killed_is_joined_again_and_nothing_is_left_behind(
    server: Galene,
) -> None:
    url = server.url("room")
    before: tuple[int, int, int] | None = None
    async with (
        Rejoining(lambda: ADAPTER.room(url, JoinOptions(NAME))) as room,
        showing() as composite,
    ):
        attendance = Attendance(room)
        await room.publish(composite)
        for deaths in range(DEATHS + 1):
            async with person(url, "Ada") as ada:
                await ada.show(ColourTrack())
                await ada.watch()
                await eventually(lambda: attendance.frames("Ada") > 3)
                await eventually(lambda: sees(ada, NAME))
                assert sorted(ada.users.values()) == ["Ada", NAME]
                assert set(attendance.present) == {"Ada"}
                before = before or held()
                await back_to(before)
                if deaths < DEATHS:
                    await server.process.restart()
        await attendance.close()
        assert room.rejoined == DEATHS


async def test_joining_and_leaving_leaves_nothing_behind(server: Galene) -> None:
    url = server.url("room")

    async def come_and_go() -> None:
        async with attending(url) as attendance, showing() as composite:
            await attendance.room.publish(composite)
            await eventually(lambda: attendance.frames("Ada") > 0)

    async with person(url, "Ada") as ada:
        await ada.show(ColourTrack())
        await come_and_go()
        before = held()
        for _ in range(VISITS):
            await come_and_go()
        await back_to(before)
        await eventually(lambda: list(ada.users.values()) == ["Ada"])
