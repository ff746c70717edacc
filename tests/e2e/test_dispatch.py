"""``sidecar serve --livekit``: a real LiveKit server dispatches rooms to real servers of ours."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from tests.e2e.served import SMALL, Served, served
from tests.servers.livekit import LiveKit, livekit
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.dispatch import owner
from tests.sidecar.rooms.livekit import guest

pytestmark = [pytest.mark.models, pytest.mark.servers]

WANTED = json.dumps({"layout": SMALL, "rate": 2})


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[LiveKit]:
    async with livekit(tmp_path) as found:
        yield found


def worker(
    folder: Path,
    server: LiveKit,
    name: str = "one",
    environ: Mapping[str, str] = MappingProxyType({}),
) -> AbstractAsyncContextManager[Served]:
    """A server of ours that takes rooms from ``server``."""
    own = folder / name
    own.mkdir(exist_ok=True)
    whole = {"SIDECAR_SERVE__LIVEKIT__URL": server.address, **environ}
    return served(own, server, environ=whole)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 120) -> None:
    """Ask ten times a second until ``condition`` holds."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def registered(*workers: Served) -> None:
    for one in workers:

        async def counted(one: Served = one) -> bool:
            return await one.metric("sidecar_dispatch_registered") == 1

        await until(counted)


async def rooms(sidecar: Served, *states: str) -> list[dict[str, Any]]:
    listed = await sidecar.call("GET", "/v1/rooms")
    return [room for room in listed["rooms"] if not states or room["state"] in states]


async def live(sidecar: Served) -> list[str]:
    """The addresses of rooms that are live."""
    return [room["url"] for room in await rooms(sidecar, "live")]


async def until_live(count: int, *sidecars: Served) -> None:
    """Wait until all of ``sidecars`` together have ``count`` live rooms."""

    async def counted() -> bool:
        return sum([len(await live(one)) for one in sidecars]) == count

    await until(counted)


async def test_a_dispatched_room_is_joined_and_left_when_its_dispatch_is_deleted(
    tmp_path: Path, server: LiveKit
) -> None:
    async with worker(tmp_path, server) as sidecar:
        await registered(sidecar)
        wanted = json.dumps({"layout": SMALL, "rate": 2, "name": "Applause"})
        async with guest.joined(server.address, "standup", "ada", watch=True) as ada:
            await ada.publish(ColourTrack(100))
            dispatch = await owner.dispatch(server, "standup", wanted)
            await until_live(1, sidecar)
            await eventually(lambda: ada.names() == ["Applause"])
            await eventually(lambda: ada.frames)
            (room,) = await rooms(sidecar)
            assert room["url"].endswith("#standup")
            await sidecar.until(room["id"], participants=1)
            await owner.withdraw(server, "standup", dispatch)
            await sidecar.until(room["id"], state="ended")
            await eventually(lambda: not ada.names())
            assert await sidecar.metric("sidecar_dispatch_results_total") == 2


async def test_a_job_with_wrong_metadata_fails_with_one_line_and_harms_no_other(
    tmp_path: Path, server: LiveKit
) -> None:
    log = tmp_path / "log"
    with log.open("w") as stderr:
        own = {"SIDECAR_SERVE__LIVEKIT__URL": server.address}
        async with served(tmp_path, server, environ=own, stderr=stderr) as sidecar:
            await registered(sidecar)
            await owner.dispatch(server, "good", WANTED)
            await until_live(1, sidecar)
            await owner.dispatch(server, "bad", '{"labels": "wave"}')

            async def given_up() -> bool:
                return not await owner.dispatches(server, "bad")

            await until(given_up)
            assert len(await live(sidecar)) == 1
    (line,) = [one for one in log.read_text().splitlines() if "job failed" in one]
    assert "job metadata: labels: Input should be a valid" in line
