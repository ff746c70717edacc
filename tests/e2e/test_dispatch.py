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
    return served(own, server, environ=environ, arguments=["--livekit", server.address])


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
            # As La Suite Meet's agents: one that is hidden, and here a second one that publishes.
            people = await owner.participants(server, "standup")
            hidden = {one["name"]: one["permission"]["hidden"] for one in people}
            assert hidden == {"Ada": False, "": True, "Applause": False}
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


ONE_PERSON = {
    # Of a declared 0.178 cores for each room six fit.
    "SIDECAR_SERVE__CORES": "1.4",
    "SIDECAR_SERVE__EXPECTED_PARTICIPANTS": "1",
}


async def test_two_servers_take_ten_rooms_and_neither_more_than_it_has_capacity_for(
    tmp_path: Path, server: LiveKit
) -> None:
    async with (
        worker(tmp_path, server, "one", ONE_PERSON) as one,
        worker(tmp_path, server, "two", ONE_PERSON) as two,
    ):
        await registered(one, two)
        names = [f"room-{number}" for number in range(10)]
        for name in names:
            await owner.dispatch(server, name, WANTED)
        await until_live(10, one, two)
        taken = [await live(each) for each in (one, two)]
        assert max(map(len, taken)) <= 6
        assert sorted(taken[0] + taken[1]) == [server.url(name) for name in names]


async def test_a_server_that_drains_takes_no_job_and_hands_its_rooms_over_when_it_ends(
    tmp_path: Path, server: LiveKit
) -> None:
    patient = {"SIDECAR_SERVE__DRAIN_TIMEOUT": "120"}
    async with worker(tmp_path, server, "one", patient) as one:
        await registered(one)
        await owner.dispatch(server, "first", WANTED)
        await until_live(1, one)
        async with worker(tmp_path, server, "two") as two:
            await registered(two)
            await one.call("POST", "/v1/drain")
            for name in ("second", "third"):
                await owner.dispatch(server, name, WANTED)
            await until_live(2, two)
            assert await live(one) == [server.url("first")]
            # The second signal ends draining.
            one.process.terminate()
            one.process.terminate()
            assert await one.process.wait() == 0
            await until_live(3, two)


async def test_rooms_of_a_killed_server_are_back_once_each_with_two_servers_left(
    tmp_path: Path, server: LiveKit
) -> None:
    names = ["first", "second", "third"]
    async with worker(tmp_path, server, "one") as one:
        await registered(one)
        for name in names:
            await owner.dispatch(server, name, WANTED)
        await until_live(3, one)
        async with (
            worker(tmp_path, server, "two") as two,
            worker(tmp_path, server, "three") as three,
        ):
            await registered(two, three)
            one.process.kill()
            await one.process.wait()
            await until_live(3, two, three)
            back = await live(two) + await live(three)
            assert sorted(back) == [server.url(name) for name in names]
            for name in names:
                found = await owner.dispatches(server, name)
                assert [len(one["state"]["jobs"]) for one in found] == [1]
            counts = [
                await each.metric("sidecar_dispatch_taken_over_total") for each in (two, three)
            ]
            assert sum(counts) == 3


async def test_a_room_that_found_no_server_is_taken_once_there_is_one(
    tmp_path: Path, server: LiveKit
) -> None:
    await owner.dispatch(server, "early", WANTED)
    async with worker(tmp_path, server) as sidecar:

        async def served_once() -> bool:
            found = await owner.dispatches(server, "early")
            jobs = [len(one["state"]["jobs"]) for one in found]
            return jobs == [1] and await live(sidecar) == [server.url("early")]

        await until(served_once)
