"""How soon the composite is back in a meeting whose server was killed and started again.

A client that shares no code with the adapter joins as soon as the server is up and waits for
the composite's picture. Real servers, got by ``python -m tests.servers``.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest

from bench.table import Table
from sidecar.rooms.base import JoinOptions, Room
from sidecar.rooms.galene.adapter import ADAPTER as GALENE
from sidecar.rooms.janus.adapter import ADAPTER as JANUS
from sidecar.rooms.livekit.adapter import ADAPTER as LIVEKIT
from sidecar.rooms.reconnect import ReconnectingRoom
from tests.servers.galene import galene
from tests.servers.janus import JanusServer, Setup
from tests.servers.livekit import livekit
from tests.servers.process import ServerProcess
from tests.sidecar.clients import eventually
from tests.sidecar.rooms.composites import grey_composite
from tests.sidecar.rooms.galene import people
from tests.sidecar.rooms.janus.client import JanusClient, client, watching
from tests.sidecar.rooms.livekit import guest

NAME = "Reactions"
GREY = 200


@dataclass(frozen=True, slots=True)
class Ground:
    """A meeting on a real server: how we join it, and how another client sees the composite."""

    process: ServerProcess
    open_room: Callable[[], Room]
    see: Callable[[], Awaitable[None]]


Play: TypeAlias = Callable[[Path, AsyncExitStack], Awaitable[Ground]]


async def livekit_ground(folder: Path, life: AsyncExitStack) -> Ground:
    server = await life.enter_async_context(livekit(folder))
    options = JoinOptions(NAME, server.environ)

    async def see() -> None:
        async with guest.joined(server.address, "room", "ada", watch=True) as ada:
            await eventually(lambda: ada.sees(GREY))

    return Ground(server.process, lambda: LIVEKIT.room(server.url("room"), options), see)


async def janus_ground(folder: Path, life: AsyncExitStack) -> Ground:
    setup = Setup(rooms={"1234": {"publishers": 6}})
    server = await life.enter_async_context(JanusServer(folder / "janus", setup))

    async def see() -> None:
        async with client(server.ports["ws"]) as someone:
            # Janus does not announce that a feed can be watched now: it is asked.
            while True:
                if await _seen(someone):
                    return
                await asyncio.sleep(0.05)

    return Ground(server.process, lambda: JANUS.room(server.url(), JoinOptions(NAME)), see)


async def _seen(someone: JanusClient) -> bool:
    """Whether a picture of the only publisher comes; not before Janus is ready to show them."""
    there = [one for one in await someone.people(1234) if one["publisher"]]
    if not there:
        return False
    try:
        async with watching(someone, 1234, there[0]["id"]) as track:
            await track.recv()
    except KeyError:
        return False
    return True


async def galene_ground(folder: Path, life: AsyncExitStack) -> Ground:
    server = await life.enter_async_context(galene(folder))
    url = server.url("room")

    async def see() -> None:
        async with people.person(url, "Ada") as ada:
            await ada.watch()
            await eventually(lambda: people.sees(ada, NAME))

    return Ground(server.process, lambda: GALENE.room(url, JoinOptions(NAME)), see)


GROUNDS: dict[str, Play] = {
    "LiveKit": livekit_ground,
    "Janus": janus_ground,
    "Galène": galene_ground,
}


async def measured_rejoins(play: Play, rounds: int) -> list[float]:
    """Seconds from the server being up to the composite being seen, for each death."""
    with tempfile.TemporaryDirectory() as name:
        async with AsyncExitStack() as life:
            ground = await play(Path(name), life)
            composite = await life.enter_async_context(grey_composite(GREY))
            room = await life.enter_async_context(ReconnectingRoom(ground.open_room))
            await room.publish(composite)
            await ground.see()
            took = []
            for _ in range(rounds):
                ground.process.kill()
                await asyncio.sleep(1)
                await ground.process.start()
                began = time.perf_counter()
                async with asyncio.timeout(60):
                    await ground.see()
                took.append(time.perf_counter() - began)
            return took


def measure(quick: bool) -> Iterator[Table]:
    """One row for each system whose server is here."""
    table = Table(
        "Back in a meeting after its server died, seconds",
        ("system", "deaths", "median", "longest"),
        "From the moment the server takes connections again (it was down for a second) to the "
        "composite's picture at another participant, who joins in that moment too.",
    )
    for system, play in GROUNDS.items():
        try:
            took = asyncio.run(measured_rejoins(play, 1 if quick else 10))
        except pytest.skip.Exception as missing:
            # How the tests' servers say that they can't be had here; the other systems go on.
            table.add(system, 0, str(missing), "")
        else:
            table.add(system, len(took), statistics.median(took), max(took))
    yield table
