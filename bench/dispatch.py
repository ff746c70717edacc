"""How soon rooms that LiveKit dispatched are live again after their server was killed.

A real LiveKit server, three servers of ours with their own processes; the first has all rooms and
is killed, and the two others take them.
"""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.table import Table
from tests.e2e.served import SMALL, Served, served
from tests.servers.livekit import LiveKit, livekit
from tests.sidecar.dispatch import owner

WANTED = json.dumps({"layout": SMALL, "rate": 2})
EVERY = 0.05
"""Seconds between two looks at the servers' lists of rooms."""
SECONDS = 600
"""After which a round is given up."""


async def live(*sidecars: Served) -> int:
    """How many rooms are live."""
    lists = [await one.call("GET", "/v1/rooms") for one in sidecars]
    return sum(room["state"] == "live" for each in lists for room in each["rooms"])


async def reach(count: int, *sidecars: Served) -> list[float]:
    """Seconds until one, two, … and ``count`` rooms are live."""
    begun, found = time.monotonic(), list[float]()
    while len(found) < count:
        now = await live(*sidecars)
        found += [time.monotonic() - begun] * (now - len(found))
        await asyncio.sleep(EVERY)
    return found


async def registered(*sidecars: Served) -> None:
    """Wait until all may be given jobs."""
    for one in sidecars:
        while not await one.metric("sidecar_dispatch_registered"):  # noqa: ASYNC110
            await asyncio.sleep(EVERY)


async def round_of(folder: Path, server: LiveKit, rooms: int, number: int) -> list[float]:
    """Seconds until each of the killed server's rooms was live again."""
    environ = {"SIDECAR_SERVE__LIVEKIT__URL": server.address}

    def start(name: str) -> Path:
        own = folder / f"{name}-{number}"
        own.mkdir()
        return own

    async with served(start("one"), server, environ=environ, seconds=SECONDS) as one:
        await registered(one)
        for room in range(rooms):
            await owner.dispatch(server, f"round-{number}-{room}", WANTED)
        await reach(rooms, one)
        async with (
            served(start("two"), server, environ=environ, seconds=SECONDS) as two,
            served(start("three"), server, environ=environ, seconds=SECONDS) as three,
        ):
            await registered(two, three)
            one.process.kill()
            found = await reach(rooms, two, three)
            for room in range(rooms):
                name = f"round-{number}-{room}"
                for dispatch in await owner.dispatches(server, name):
                    await owner.withdraw(server, name, dispatch["id"])
            return found


async def rounds(rooms: int, count: int) -> list[float]:
    """All rounds with ``rooms`` rooms, one after the other."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with livekit(folder) as server:
            return [
                seconds
                for number in range(count)
                for seconds in await round_of(folder, server, rooms, number)
            ]


def measure(quick: bool) -> Iterator[Table]:
    """Kill a server with one room, and one with four."""
    table = Table(
        "Rooms of a killed server by LiveKit's dispatch",
        ("rooms", "servers killed", "live again after s, median", "s, longest"),
        "SIGKILL to the server with all rooms; two others take them. Of that, 5 s are silence "
        "before a room counts as abandoned; the rest is forking the rooms' processes and joining.",
    )
    for rooms in (1, 4):
        count = 1 if quick else 3
        found = asyncio.run(rounds(rooms, count))
        table.add(rooms, count, statistics.median(found), max(found))
    yield table
