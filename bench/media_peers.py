"""Cameras and viewers in a process of their own, driven by JSON lines; see ``media_rig``.

``cameras COUNT CLIP`` publishes a recorded clip so many times; ``viewers COUNT`` watches the
composite; ``stamps CLIP`` does both once, with the time burnt into each picture.
"""

import asyncio
import json
import sys
import time
from collections import deque
from contextlib import AsyncExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from aiortc import MediaStreamTrack, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from bench.media_footage import BITRATE, FPS, HEIGHT, WIDTH
from bench.media_rig import THEIRS, pin
from sidecar.media.clip_track import ClipTrack
from sidecar.media.compositor.i420 import Planes
from sidecar.media.encoder import Encoder
from sidecar.media.feed import Feed
from sidecar.media.packet_track import VideoPacket
from sidecar.media.peer_connection import closing, peer_connection
from sidecar.media.send_peer import send_composite

BITS = 20
"""Milliseconds up to 17 minutes, one bit a square, in a row across the top of the picture."""
CELL = WIDTH // BITS


def stamp(frame: av.VideoFrame, milliseconds: int) -> None:
    """Burn a time into the top of a picture of 640 pixels' width."""
    row = Planes.of(frame).luma[:CELL]
    for bit in range(BITS):
        row[:, bit * CELL : (bit + 1) * CELL] = 220 if milliseconds >> bit & 1 else 30


def stamped(frame: av.VideoFrame) -> int:
    """The time burnt into a picture of any size."""
    cell = frame.width / BITS
    row = Planes.of(frame).luma[int(cell * 0.3) : int(cell * 0.7)].mean(axis=0)
    bits = [
        row[int((bit + 0.3) * cell) : int((bit + 0.7) * cell)].mean() > 125 for bit in range(BITS)
    ]
    return sum(1 << bit for bit, lit in enumerate(bits) if lit)


def now_ms() -> int:
    return int(time.monotonic() * 1000) % (1 << BITS)


def send(message: object) -> None:
    print(json.dumps(message), flush=True)


class Pipe:
    """What the parent writes to us."""

    def __init__(self) -> None:
        self._reader = asyncio.StreamReader(limit=1 << 20)

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(self._reader), sys.stdin)

    async def read(self) -> Any:
        return json.loads(await self._reader.readline())


async def publish(track: MediaStreamTrack, pipe: Pipe, life: AsyncExitStack) -> None:
    connection = await life.enter_async_context(closing(peer_connection()))
    send_composite(connection, track)
    await connection.setLocalDescription(await connection.createOffer())
    send({"sdp": connection.localDescription.sdp, "type": "offer"})
    await connection.setRemoteDescription(RTCSessionDescription(**await pipe.read()))


async def watch(pipe: Pipe, life: AsyncExitStack) -> MediaStreamTrack:
    connection = await life.enter_async_context(closing(peer_connection()))
    tracks: list[MediaStreamTrack] = []
    connection.on("track", tracks.append)
    connection.addTransceiver("video", direction="recvonly")
    await connection.setLocalDescription(await connection.createOffer())
    send({"sdp": connection.localDescription.sdp, "type": "offer"})
    await connection.setRemoteDescription(RTCSessionDescription(**await pipe.read()))
    return tracks[0]


class StampedCamera(MediaStreamTrack):
    """A camera that burns the moment of capture into its pictures and encodes them as we do."""

    kind = "video"

    def __init__(self, clip: Path) -> None:
        super().__init__()
        with av.open(str(clip)) as container:
            self._pictures = [frame.to_ndarray() for frame in container.decode(video=0)]
        self._encoder = Encoder(WIDTH, HEIGHT, fps=FPS, bitrate=BITRATE)
        self._began = time.monotonic()
        self._count = 0

    async def recv(self) -> VideoPacket:
        self._count = max(self._count + 1, int((time.monotonic() - self._began) * FPS))
        await asyncio.sleep(self._began + self._count / FPS - time.monotonic())
        picture = self._pictures[self._count % len(self._pictures)]
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        stamp(frame, now_ms())
        (packet,) = self._encoder.encode(frame, self._count)
        packet.time_base = Fraction(1, FPS)
        return packet


async def measure_delays(track: MediaStreamTrack, delays: "deque[int]") -> None:
    """How old, in milliseconds, each picture is when it has been decoded."""
    try:
        while True:
            frame = await track.recv()
            if isinstance(frame, av.VideoFrame):
                delays.append((now_ms() - stamped(frame)) % (1 << BITS))
    except MediaStreamError:
        pass


async def cameras(count: int, clip: Path, pipe: Pipe, life: AsyncExitStack) -> None:
    for _ in range(count):
        await publish(ClipTrack(clip), pipe, life)
    await pipe.read()


async def viewers(count: int, pipe: Pipe, life: AsyncExitStack) -> None:
    feeds = []
    for _ in range(count):
        track = await watch(pipe, life)
        feeds.append(await life.enter_async_context(Feed(track)))
    while True:
        await pipe.read()
        send([feed.frames for feed in feeds])


async def stamps(clip: Path, pipe: Pipe, life: AsyncExitStack) -> None:
    await publish(StampedCamera(clip), pipe, life)
    delays: deque[int] = deque()
    reader = asyncio.create_task(measure_delays(await watch(pipe, life), delays))
    life.callback(reader.cancel)
    while True:
        await pipe.read()
        send(list(delays))
        delays.clear()


async def main() -> None:
    """Do what the command line says until the parent is gone."""
    pin(THEIRS)
    pipe = Pipe()
    await pipe.open()
    async with AsyncExitStack() as life:
        match sys.argv[1:]:
            case ["cameras", count, clip]:
                await cameras(int(count), Path(clip), pipe, life)
            case ["viewers", count]:
                await viewers(int(count), pipe, life)
            case ["stamps", clip]:
                await stamps(Path(clip), pipe, life)
            case _:
                raise SystemExit(__doc__)


if __name__ == "__main__":
    asyncio.run(main())
