"""A server that dies and comes back, and nothing that is left behind."""

import asyncio
import gc
import os
import time

import pytest

from sidecar.rooms.adapter import JoinOptions
from sidecar.rooms.galene.adapter import ADAPTER
from sidecar.rooms.rejoin import Rejoining
from tests.servers.galene import Galene
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.media.pictures import descriptors, threads
from tests.sidecar.rooms.composites import grey_composite
from tests.sidecar.rooms.galene.conftest import NAME, Attendance, attending
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


async def warm_up() -> None:
    """Start every thread that the event loop's executor may ever have: it keeps them."""
    await asyncio.gather(*(asyncio.to_thread(time.sleep, 0.1) for _ in range(40)))


async def settled() -> tuple[int, int, int]:
    """What is held once that has been the same for a second."""
    async with asyncio.timeout(30):
        samples = [held()]
        while len(samples) < 6 or len(set(samples[-6:])) > 1:
            await asyncio.sleep(0.2)
            samples.append(held())
        return samples[-1]


async def back_to(before: tuple[int, int, int]) -> None:
    """Wait until no more is held than before."""
    await eventually(lambda: all(now <= was for now, was in zip(held(), before, strict=True)))


async def test_a_server_that_is_killed_is_joined_again_and_nothing_is_left_behind(
    server: Galene,
) -> None:
    url = server.url("room")
    before: tuple[int, int, int] | None = None
    await warm_up()
    async with (
        Rejoining(lambda: ADAPTER.room(url, JoinOptions(NAME))) as room,
        grey_composite() as composite,
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
                before = before or await settled()
                await back_to(before)
                if deaths < DEATHS:
                    await server.process.restart()
        await attendance.close()
        assert room.rejoined == DEATHS


async def test_joining_and_leaving_leaves_nothing_behind(server: Galene) -> None:
    url = server.url("room")

    async def come_and_go() -> None:
        async with attending(url) as attendance, grey_composite() as composite:
            await attendance.room.publish(composite)
            await eventually(lambda: attendance.frames("Ada") > 0)

    async with person(url, "Ada") as ada:
        await ada.show(ColourTrack())
        await warm_up()
        await come_and_go()
        before = await settled()
        for _ in range(VISITS):
            await come_and_go()
        await back_to(before)
        await eventually(lambda: list(ada.users.values()) == ["Ada"])
