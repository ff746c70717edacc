"""``sidecar serve --engine ray`` on three nodes of one machine: rooms of a real LiveKit server."""

import asyncio
import io
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

pytest.importorskip("ray", reason="Ray is not installed: `.ci/cluster` has it")

from reactions.mannequin import CAST, POSES, Scene, render
from tests.e2e.cluster_rooms import NAMES, processes, raylet, serving, watched_rooms
from tests.e2e.served import TOKEN
from tests.servers.livekit import KEY, SECRET, LiveKit, livekit
from tests.sidecar.clients import eventually
from tests.sidecar.cluster.nodes import ENVIRON, Nodes, Redis, nodes, redis

pytestmark = [pytest.mark.cluster, pytest.mark.models]

BACK = 15.0
"""Seconds after which every room composites again."""
AWAY = 3.0
"""Seconds without a control store."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with redis(tmp_path_factory.mktemp("redis")) as started:
        yield started


@pytest.fixture(scope="module")
def cluster(store: Redis) -> Iterator[Nodes]:
    with nodes(3, environ={**ENVIRON, "RAY_REDIS_ADDRESS": store.address}) as started:
        yield started


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[LiveKit]:
    async with livekit(tmp_path) as found:
        yield found


def report(what: str, seconds: float) -> None:
    """Print a time for docs/cluster.md."""
    print(f"\n{what}: back after {seconds:.1f} s", flush=True)
    assert seconds < BACK


async def test_rooms_are_spread_over_the_nodes_and_pictures_annotated(
    tmp_path: Path, cluster: Nodes, server: LiveKit
) -> None:
    async with watched_rooms(tmp_path, cluster, server) as there:
        assert len({raylet(pid) for pid in (await there.pids()).values()}) > 1
        await there.check_once()
        scene = render(next(iter(CAST.values())), POSES["thumbs_up"], Scene(), 640, 360, seed=1)
        picture = io.BytesIO()
        Image.fromarray(scene).save(picture, "JPEG")
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "image/jpeg"}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.post(f"{there.sidecar.base}/v1/annotate", data=picture.getvalue()) as answer,
        ):
            assert answer.status == 200
            assert "thumbs_up" in await answer.text()
        room = there.rooms["one"]
        await there.sidecar.call("PATCH", f"/v1/rooms/{room}", {"rate": 1.0})
        (ada,) = await there.sidecar.call("GET", f"/v1/rooms/{room}/participants")
        assert ada["name"] == "Ada"
        await there.sidecar.call("DELETE", f"/v1/rooms/{room}")
        await there.sidecar.until(room, state="ended", pid=None)
        await eventually(lambda: "Reactions" not in there.guests["one"].names())


async def test_what_ray_keeps_of_a_room_shows_no_secret(
    tmp_path: Path, cluster: Nodes, server: LiveKit, store: Redis
) -> None:
    async with watched_rooms(tmp_path, cluster, server) as there:
        kept = await asyncio.to_thread(store.dump)
        for room in there.rooms.values():
            assert f"room:{room}".encode() in kept
        assert KEY.encode() not in kept
        assert SECRET.encode() not in kept
        assert server.address.encode() not in kept


async def test_rooms_of_a_node_that_dies_are_back_elsewhere_and_none_is_joined_twice(
    tmp_path: Path, cluster: Nodes, server: LiveKit
) -> None:
    async with watched_rooms(tmp_path, cluster, server) as there:
        pids = await there.pids()
        hosts = {name: raylet(pid) for name, pid in pids.items()}
        victim = next(one for one in hosts.values() if one != cluster.head_pid)
        lost = [name for name, one in hosts.items() if one == victim]
        os.kill(victim, signal.SIGKILL)
        report(f"a node with {len(lost)} of 3 rooms killed", await there.all_back(pids, lost))
        await there.check_once()
        for name in lost:
            shown = await there.sidecar.call("GET", f"/v1/rooms/{there.rooms[name]}")
            assert shown["restarts"] == 1
    cluster.add()


async def test_a_room_s_process_that_is_killed_is_back(
    tmp_path: Path, cluster: Nodes, server: LiveKit
) -> None:
    async with watched_rooms(tmp_path, cluster, server) as there:
        pids = await there.pids()
        killed = pids["one"]
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        report("a room's process killed", await there.all_back(pids, ["one"]))
        await there.check_once()


async def test_detection_is_back_after_its_replica_was_killed(
    tmp_path: Path, cluster: Nodes, server: LiveKit
) -> None:
    async with watched_rooms(tmp_path, cluster, server) as there:
        pids = await there.pids()
        await there.sidecar.counted("sidecar_samples_total", 2)
        (replica,) = processes("ray::ServeReplica")
        replica.kill()
        began = time.monotonic()
        await eventually(
            lambda: {one.pid for one in processes("ray::ServeReplica")} - {replica.pid}
        )
        # More than the rooms have detected and not reported yet.
        await there.sidecar.counted("sidecar_samples_total", 8)
        report("detection's only replica killed", time.monotonic() - began)
        assert await there.pids() == pids
        for name in NAMES:
            await there.composites(name)


async def test_a_server_that_is_killed_finds_its_rooms_again(
    tmp_path: Path, cluster: Nodes, server: LiveKit
) -> None:
    async with watched_rooms(tmp_path, cluster, server) as there:
        pids = await there.pids()
        os.kill(there.sidecar.process.pid, signal.SIGKILL)
        await there.sidecar.process.wait()
        for name in NAMES:
            await there.composites(name)
        began = time.monotonic()
        async with serving(tmp_path, cluster, server) as again:
            there.sidecar = again
            await there.all_back(pids, ())
            report("the server killed and started again", time.monotonic() - began)
            assert await there.pids() == pids
            await there.check_once()


async def test_rooms_go_on_without_a_control_store_and_it_knows_them_again(
    tmp_path: Path, cluster: Nodes, server: LiveKit
) -> None:
    async with watched_rooms(tmp_path, cluster, server) as there:
        pids = await there.pids()
        restart = asyncio.to_thread(cluster.restart_control_store, lambda: time.sleep(AWAY))
        restarting = asyncio.create_task(restart)
        for name in NAMES:
            await there.composites(name)
        await restarting
        report("the head's control store started again", await there.all_back(pids, ()))
        assert await there.pids() == pids
        killed = pids["two"]
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        report("and a room's process killed after it", await there.all_back(pids, ["two"]))
        await there.check_once()
