"""A Ray cluster on this machine: annotated pictures by replicas, and times back after kills.

Several nodes share the cores of one machine here: more replicas than cores add nothing. What a kill
costs is waiting for Ray and starting a process, and is much the same on several machines.
It needs the extra ``cluster``; without Ray nothing is measured.
"""

import asyncio
import importlib.util
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import psutil

from bench.annotate import SHOWN, TOKEN, CpuSeconds, Target, draw_senders
from bench.table import Table
from reactions.pipeline import Care
from sidecar.supervisor.cores import usable_cores

REPLICAS: Final = (1, 2)
SHOW: Final = "a meeting"


def measure(quick: bool) -> Iterator[Table]:
    """Pictures a second by replicas; seconds until rooms are back."""
    if importlib.util.find_spec("ray") is None:
        print("cluster: Ray is not installed: pip install -e '.[cluster]'", file=sys.stderr)
        return
    yield asyncio.run(annotated(1 if quick else 3, 5.0 if quick else 15.0))
    yield asyncio.run(killed(1 if quick else 5))


async def annotated(rounds: int, seconds: float) -> Table:
    """Requests a second with each number of replicas, in turn."""
    from tests.e2e.cluster_rooms import serving
    from tests.sidecar.cluster.nodes import nodes

    table = Table(
        "Annotate service on a Ray cluster",
        ("replicas", "requests/s", "p50 ms", "p95 ms", "not 200", "CPU ms", "of which the server"),
        f"`sidecar serve --engine ray` on one node of {usable_cores():g} cores, with `hey` beside "
        f"it; the load was {os.getloadavg()[0]:.1f} before. As many requests as can be, eight at "
        f"once, JPEG of 640x360 pixels, {SHOW}; CPU of a request in the server and all of Ray.",
    )
    with nodes(1) as cluster, tempfile.TemporaryDirectory() as name:
        pictures = draw_senders(SHOWN[SHOW], Path(name))
        for _ in range(rounds):
            for replicas in REPLICAS:
                counts = {"MIN_REPLICAS": replicas, "MAX_REPLICAS": replicas}
                environ = {f"SIDECAR_SERVE__CLUSTER__{key}": str(n) for key, n in counts.items()}
                environ |= {
                    "SIDECAR_SERVE__REQUESTS_PER_SECOND": "10000",
                    "SIDECAR_API_TOKEN": TOKEN,
                }
                async with serving(Path(name), cluster, None, environ) as served:
                    row = await asyncio.to_thread(
                        _load, served.base, served.process.pid, pictures, seconds
                    )
                table.add(replicas, *row)
    return table


def _load(base: str, pid: int, pictures: Sequence[Path], seconds: float) -> Sequence[float]:
    target = Target(f"{base}/v1/annotate", psutil.Process(pid))
    target.pictures(pictures, 2.0, None, Care.NONE)
    ray = psutil.Process()
    before, server = CpuSeconds.now(ray), psutil.Process(pid).cpu_times()
    load = target.pictures(pictures, seconds, None, Care.NONE)
    now = psutil.Process(pid).cpu_times()
    _, whole, _ = CpuSeconds.now(ray).since(before)
    ours = now.user + now.system - server.user - server.system
    each = 1000 / len(load.times)
    return (load.rate, load.quantile(50), load.quantile(95), load.failed, whole * each, ours * each)


async def killed(rounds: int) -> Table:
    """Seconds until all of three rooms composite again."""
    from tests.sidecar.cluster.nodes import HEALTH

    table = Table(
        "Kills on a Ray cluster of three nodes",
        ("killed", "health checks", "back after s (median)", "all s"),
        "Three rooms in meetings of LiveKit, each with a participant who watches; back is the "
        "third new picture of every room. A node is killed by SIGKILL of its raylet, with its "
        f"rooms; each time another cluster. All nodes share {usable_cores():g} cores, whose load "
        f"was {os.getloadavg()[0]:.1f} before.",
    )
    for health, name in ((HEALTH, "500 ms x 3"), ({}, "Ray's defaults")):
        found = [await _kill_each(health) for _ in range(rounds)]
        for kind, times in zip(("node", "process"), zip(*found, strict=True), strict=True):
            listed = ", ".join(f"{one:.1f}" for one in times)
            table.add(kind, name, sorted(times)[len(times) // 2], listed)
    return table


async def _kill_each(health: Mapping[str, int]) -> tuple[float, float]:
    """Seconds after a node was killed, and after the process of a room that was not on it."""
    from tests.e2e.cluster_rooms import raylet, watched_rooms
    from tests.servers.livekit import livekit
    from tests.sidecar.cluster.nodes import nodes

    async with AsyncExitStack() as life:
        cluster = life.enter_context(nodes(3, health=health))
        folder = Path(life.enter_context(tempfile.TemporaryDirectory()))
        server = await life.enter_async_context(livekit(folder))
        there = await life.enter_async_context(watched_rooms(folder, cluster, server))
        pids = await there.pids()
        hosts = {name: raylet(pid) for name, pid in pids.items()}
        # The server is on the head.
        victim = next(host for host in hosts.values() if host != cluster.head_pid)
        lost = [name for name, host in hosts.items() if host == victim]
        os.kill(victim, signal.SIGKILL)
        node = await there.all_back(pids, lost)
        pids = await there.pids()
        other = next(name for name in hosts if name not in lost)
        process = pids[other]
        assert process is not None
        os.kill(process, signal.SIGKILL)
        return node, await there.all_back(pids, [other])
