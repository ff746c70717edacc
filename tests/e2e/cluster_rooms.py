"""Rooms on a Ray cluster in meetings of a LiveKit server, and who watches them."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import psutil

from tests.e2e.served import Served, served
from tests.servers.livekit import LiveKit
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.cluster.nodes import Nodes
from tests.sidecar.rooms.livekit import guest

NAMES: Final = ("one", "two", "three")


@dataclass(slots=True)
class WatchedRooms:
    """A server's rooms by their names, and who watches each."""

    sidecar: Served
    rooms: Mapping[str, str]
    guests: Mapping[str, guest.Guest]

    async def pids(self) -> dict[str, int | None]:
        """The process of each room."""
        shown = {one["id"]: one for one in (await self.sidecar.call("GET", "/v1/rooms"))["rooms"]}
        return {name: shown[room]["pid"] for name, room in self.rooms.items()}

    async def _is_another(self, name: str, before: Mapping[str, int | None]) -> bool:
        return (await self.pids())[name] not in {None, before[name]}

    async def composites(self, name: str) -> None:
        """Wait for three new pictures of a room."""
        for _ in range(3):
            await self._picture(name)

    async def _picture(self, name: str) -> None:
        frames = self.guests[name].frames
        before = dict(frames)
        await eventually(lambda: any(frames[one] is not before.get(one) for one in frames))

    async def all_back(self, before: Mapping[str, int | None], lost: Collection[str]) -> float:
        """Seconds until the rooms ``lost`` have other processes, and all composite."""
        began = time.monotonic()
        for name in lost:
            while not await self._is_another(name, before):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        for name, room in self.rooms.items():
            await self.sidecar.until(room, state="live", participants=1)
            await self.composites(name)
        return time.monotonic() - began

    async def check_once(self) -> None:
        """Each room is in its meeting once, by the process that the server says it has.

        Now and then Ray keeps one more process that has started an actor and is given no call: it
        is in no meeting, and counts for nothing here.
        """
        for watching in self.guests.values():
            await eventually(lambda: watching.names().count("Reactions") == 1)  # noqa: B023
        pids = set((await self.pids()).values())
        with suppress(TimeoutError):
            await eventually(lambda: {one.pid for one in processes("ray::RoomActor")} >= pids)
        assert {one.pid for one in processes("ray::RoomActor")} >= pids
        assert len(pids) == len(self.rooms)


def processes(title: str) -> list[psutil.Process]:
    """Processes that Ray gave this title."""
    found = psutil.process_iter(["cmdline"])
    return [one for one in found if "".join(one.info["cmdline"] or []).startswith(title)]


def raylet(pid: int | None) -> int:
    """The process of the node that a process belongs to."""
    return next(one.pid for one in psutil.Process(pid).parents() if one.name() == "raylet")


@asynccontextmanager
async def serving(
    folder: Path,
    cluster: Nodes,
    server: LiveKit | None,
    environ: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[Served]:
    """A server on the cluster, with ``environ`` in its environment."""
    key = folder / "journal.key"
    key.write_text("0123456789abcdef" * 2)
    whole = {
        "SIDECAR_SERVE__ENGINE": "ray",
        "SIDECAR_SERVE__KEY_FILE": str(key),
        "SIDECAR_SERVE__CLUSTER__ADDRESS": cluster.address,
        **environ,
    }
    async with served(folder, server, environ=whole, seconds=400) as sidecar:
        yield sidecar


@asynccontextmanager
async def watched_rooms(
    folder: Path, cluster: Nodes, server: LiveKit
) -> AsyncIterator[WatchedRooms]:
    """Three rooms, each with a participant who watches."""
    async with AsyncExitStack() as life:
        guests = {}
        for name in NAMES:
            joined = guest.joined(server.address, name, "ada", watch=True)
            guests[name] = await life.enter_async_context(joined)
            await guests[name].publish(ColourTrack(100))
        sidecar = await life.enter_async_context(serving(folder, cluster, server))
        rooms = {name: await sidecar.join(server.url(name)) for name in NAMES}
        found = WatchedRooms(sidecar, rooms, guests)
        await found.all_back(dict.fromkeys(NAMES), ())
        yield found
