"""A multipoint control unit of aiortc as one writes it first, driven by JSON lines.

Frames become RGB arrays, numpy puts them together, and each viewer has a sender of its own, which
encodes. Nothing of ``sidecar`` is imported, so that its patches of aiortc are not in it.

``{"camera": {"sdp": …}}`` and ``{"viewer": {"sdp": …}}`` are answered with an SDP, ``"load"`` with
seconds of CPU and pictures composed so far.
"""

import asyncio
import json
import os
import sys
import time
from fractions import Fraction
from typing import Any

import av
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from numpy.typing import NDArray

WIDTH, HEIGHT, FPS = 1280, 720, 25


class Mixer:
    """The newest frame of each camera, and the picture of all of them."""

    def __init__(self) -> None:
        self.newest: list[av.VideoFrame | None] = []
        self.picture: NDArray[np.uint8] = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        self.composed = 0
        self._next = asyncio.Event()

    async def another(self) -> None:
        """Return once a new picture is there."""
        await self._next.wait()

    async def drain(self, place: int, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.VideoFrame)
                self.newest[place] = frame
        except MediaStreamError:
            self.newest[place] = None

    async def run(self) -> None:
        due = time.monotonic()
        while True:
            self.picture = self.compose()
            self.composed += 1
            self._next.set()
            self._next = asyncio.Event()
            due = max(due + 1 / FPS, time.monotonic())
            await asyncio.sleep(due - time.monotonic())

    def compose(self) -> NDArray[np.uint8]:
        columns = max(1, int(np.ceil(np.sqrt(len(self.newest)))))
        width, height = WIDTH // columns, HEIGHT // columns
        picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        for place, frame in enumerate(self.newest):
            if frame is not None:
                tile = frame.reformat(width, height, format="rgb24").to_ndarray()
                row, column = divmod(place, columns)
                y, x = row * height, column * width
                picture[y : y + height, x : x + width] = tile
        return picture


class MixedTrack(MediaStreamTrack):
    """The mixed picture for one viewer."""

    kind = "video"

    def __init__(self, mixer: Mixer) -> None:
        super().__init__()
        self._mixer = mixer
        self._count = 0

    async def recv(self) -> av.VideoFrame:
        await self._mixer.another()
        frame = av.VideoFrame.from_ndarray(self._mixer.picture, format="rgb24")
        frame.pts, frame.time_base = self._count * 90000 // FPS, Fraction(1, 90000)
        self._count += 1
        return frame


class PlainMcu:
    """Answers what its parent asks."""

    def __init__(self) -> None:
        self.mixer = Mixer()
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections: list[RTCPeerConnection] = []

    async def camera(self, offer: dict[str, str]) -> dict[str, str]:
        connection = self._connection()

        def drain(track: MediaStreamTrack) -> None:
            self.mixer.newest.append(None)
            place = len(self.mixer.newest) - 1
            self._tasks.add(asyncio.create_task(self.mixer.drain(place, track)))

        connection.on("track", drain)
        return await self._answer(connection, offer)

    async def viewer(self, offer: dict[str, str]) -> dict[str, str]:
        connection = self._connection()
        connection.addTrack(MixedTrack(self.mixer))
        return await self._answer(connection, offer)

    def _connection(self) -> RTCPeerConnection:
        bundled = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        self._connections.append(RTCPeerConnection(bundled))
        return self._connections[-1]

    async def _answer(self, connection: RTCPeerConnection, offer: dict[str, str]) -> dict[str, str]:
        await connection.setRemoteDescription(RTCSessionDescription(**offer))
        await connection.setLocalDescription(await connection.createAnswer())
        described = connection.localDescription
        return {"sdp": described.sdp, "type": described.type}

    async def asked(self, message: Any) -> Any:
        if message == "load":
            return {"cpu": time.process_time(), "composed": self.mixer.composed}
        ((kind, offer),) = message.items()
        return await (self.camera(offer) if kind == "camera" else self.viewer(offer))


async def main(core: int) -> None:
    """Answer until the parent is gone."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {core})
    reader = asyncio.StreamReader(limit=1 << 20)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    unit = PlainMcu()
    mixing = asyncio.create_task(unit.mixer.run())
    try:
        while line := await reader.readline():
            print(json.dumps(await unit.asked(json.loads(line))), flush=True)
    finally:
        mixing.cancel()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
