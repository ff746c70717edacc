"""The sidecar's media plane on one core, with cameras and viewers in processes on another."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription

from gifs.cache import StickerCache
from sidecar.media.compositor.compositor import Compositor
from sidecar.media.compositor.render_loop import RenderLoop
from sidecar.media.compositor.sticker_loader import StickerPrefetcher
from sidecar.media.compositor.tiles import TileView
from sidecar.media.encoder import Encoder
from sidecar.media.feed import Feed
from sidecar.media.peer_connection import closing, peer_connection
from sidecar.media.send_peer import send_composite
from sidecar.rooms.base import TrackSource

OURS, THEIRS = 1, 0
"""The cores of the sidecar and of all other processes."""


def pin(core: int) -> None:
    """Keep this thread, and those that it starts, on one core where there are two."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {core})


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """``pin`` for a while."""
    if not hasattr(os, "sched_getaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    pin(core)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Child:
    """A process of ``bench.media_peers`` that exchanges JSON lines with us."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._input, self._output = process, process.stdin, process.stdout

    async def read(self) -> Any:
        line = await self._output.readline()
        if not line:
            raise RuntimeError("a process of the benchmark ended early")
        return json.loads(line)

    def write(self, message: object) -> None:
        self._input.write(json.dumps(message).encode() + b"\n")

    async def ask(self, word: str) -> Any:
        """Send a word and read the answer."""
        self.write(word)
        return await self.read()


@asynccontextmanager
async def child(
    *arguments: str, module: str = "bench.media_peers", quiet: bool = False
) -> AsyncIterator[Child]:
    """A process of ``module`` with ``arguments``; it ends on the way out.

    What a ``quiet`` one says to standard error is dropped.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL if quiet else None,
        limit=1 << 20,
    )
    try:
        yield Child(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _answer(connection: RTCPeerConnection, peer: Child) -> None:
    await connection.setLocalDescription(await connection.createAnswer())
    peer.write({"sdp": connection.localDescription.sdp, "type": "answer"})


async def camera(peer: Child, life: AsyncExitStack) -> Feed:
    """The next camera of ``peer`` as a feed."""
    return await life.enter_async_context(Feed(await camera_track(peer, life)))


async def camera_track(peer: Child, life: AsyncExitStack) -> MediaStreamTrack:
    """The next camera of ``peer`` as a track, to be read at once."""
    connection = await life.enter_async_context(closing(peer_connection()))
    tracks: list[MediaStreamTrack] = []
    connection.on("track", tracks.append)
    await connection.setRemoteDescription(RTCSessionDescription(**await peer.read()))
    await _answer(connection, peer)
    return tracks[0]


async def viewer(peer: Child, composite: TrackSource, life: AsyncExitStack) -> None:
    """Show the composite to the next viewer of ``peer``."""
    connection = await life.enter_async_context(closing(peer_connection()))
    send_composite(connection, composite.subscribe())
    await connection.setRemoteDescription(RTCSessionDescription(**await peer.read()))
    await _answer(connection, peer)


@dataclass(slots=True)
class Rig:
    """A composite of ``feeds`` that is running."""

    feeds: list[Feed]
    encoder: Encoder
    composite: RenderLoop


@asynccontextmanager
async def rig(width: int = 1280, height: int = 720) -> AsyncIterator[tuple[Rig, AsyncExitStack]]:
    """A composite without participants. Add feeds to its list, and what they need to the stack."""
    feeds: list[Feed] = []
    encoder = Encoder(width, height)
    loader = StickerPrefetcher(StickerCache())
    compositor = Compositor(width, height, loader)

    def tiles(now: float) -> list[TileView]:
        return [
            TileView(str(n), f"Participant {n + 1}", feed.frame, feed.stale(now))
            for n, feed in enumerate(feeds)
        ]

    async with AsyncExitStack() as life:
        composite = await life.enter_async_context(
            RenderLoop(compositor, tiles, encoder, loader=loader)
        )
        yield Rig(feeds, encoder, composite), life


@dataclass(frozen=True, slots=True)
class Load:
    """What ``seconds`` of a running rig cost and brought."""

    core: float
    """Percent of one core, all threads."""
    fps: float
    late: int
    frames_in: float
    """Frames a second and feed."""
    tick_ms: tuple[float, float]
    """Median and 95th percentile of drawing and encoding, wall clock."""


async def load(running: Rig, seconds: float) -> Load:
    """Measure for ``seconds``."""
    composite = running.composite
    ticks, late = composite.ticks, composite.late
    frames = sum(feed.frames for feed in running.feeds)
    cpu, began = time.process_time(), time.monotonic()
    samples = await _sampled(lambda: composite.seconds, began + seconds)
    cpu, wall = time.process_time() - cpu, time.monotonic() - began
    frames = sum(feed.frames for feed in running.feeds) - frames
    samples.sort()
    return Load(
        core=100 * cpu / wall,
        fps=(composite.ticks - ticks) / wall,
        late=composite.late - late,
        frames_in=frames / wall / max(len(running.feeds), 1),
        tick_ms=(1000 * samples[len(samples) // 2], 1000 * samples[int(len(samples) * 0.95)]),
    )


async def _sampled(value: Callable[[], float], until: float) -> list[float]:
    samples = []
    while time.monotonic() < until:
        await asyncio.sleep(0.04)
        samples.append(value())
    return samples
