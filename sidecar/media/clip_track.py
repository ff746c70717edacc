"""A recorded VP8 clip as a track: its packets in a loop, at their own pace, never decoded."""

import asyncio
import time
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from config.errors import PictureError
from sidecar.captured import failure_text
from sidecar.media.container.inputs import FAILURES, open_file
from sidecar.media.packet_track import VideoPacket

VIDEO_CLOCK = Fraction(1, 90_000)


class ClipTrack(MediaStreamTrack):
    """Plays the VP8 video at ``path`` for ever, as a camera would; costs no encoding.

    A viewer's key frame request is answered by the clip's own next key frame. Raises PictureError
    if the file holds no VP8.
    """

    kind = "video"

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._packets, self._length = _read(path)
        self._next = 0
        self._loops = 0
        self.began: float | None = None
        """When the first packet was handed out, in seconds of the monotonic clock."""

    async def recv(self) -> VideoPacket:
        """The next packet, when it is due."""
        if self.readyState != "live":
            raise MediaStreamError
        data, key_frame, due = self._packets[self._next]
        due += self._loops * self._length
        self._next += 1
        if self._next == len(self._packets):
            self._next, self._loops = 0, self._loops + 1
        now = time.monotonic()
        if self.began is None:
            self.began = now
        await asyncio.sleep(self.began + due - now)
        packet = cast("VideoPacket", av.Packet(data))
        packet.time_base = VIDEO_CLOCK
        packet.pts = packet.dts = round(due / VIDEO_CLOCK)
        packet.is_keyframe = key_frame
        return packet


def _read(path: Path) -> tuple[list[tuple[bytes, bool, float]], float]:
    """Every packet's bytes, whether it is a key frame, and when it is due; and the length."""
    with open_file(path) as container:
        stream = next(iter(container.streams.video), None)
        codec = None if stream is None else stream.codec_context.name
        if stream is None or codec not in ("vp8", "libvpx"):
            raise PictureError(f"holds {codec or 'no video'}, not VP8", where=str(path))
        rate = float(stream.average_rate or 25)
        try:
            packets = [
                (bytes(packet), packet.is_keyframe, float(packet.pts * packet.time_base))
                for packet in container.demux(stream)
                if packet.pts is not None and packet.size
            ]
        except FAILURES as error:
            what = f"can't be read as a clip: {failure_text(error)}"
            raise PictureError(what, where=str(path)) from error
    if not packets:
        raise PictureError("holds no picture", where=str(path))
    return packets, packets[-1][2] + 1 / rate
