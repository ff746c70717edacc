"""A track of encoded packets: what each viewer of the composite gets."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeAlias, cast

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

VideoPacket: TypeAlias = "av.Packet[av.VideoStream]"

CAPACITY = 25
"""Packets that wait for a sender at most: one second of video."""


class PacketTrack(MediaStreamTrack):
    """One viewer's road out of an encoder: packets as they come, from a key frame on.

    aiortc's sender packs ``av.Packet`` as it is and never re-encodes it. Nothing is kept before the
    first ``recv``, that is while the connection is being made.
    """

    kind = "video"

    def __init__(
        self,
        request_key_frame: Callable[[], None],
        forget: Callable[["PacketTrack"], None],
    ) -> None:
        super().__init__()
        self._request = request_key_frame
        self._forget = forget
        self._packets: deque[VideoPacket] = deque()
        self._news = asyncio.Event()
        self._watched = False
        self._needs_key = True
        self.encrypt: Callable[[bytes], bytes] | None = None
        """Encrypts each packet that is handed over, from end to end; None: they stay plain."""
        self.sent = 0
        """Packets handed to the sender."""
        self.dropped = 0
        """Packets left out because the sender didn't keep up."""

    def request_key_frame(self) -> None:
        """Ask the encoder for a key frame: the viewer lost the picture."""
        self._request()

    def put(self, packet: VideoPacket) -> None:
        """Offer the next packet of the stream."""
        if not self._watched:
            return
        if packet.is_keyframe:
            # All that waits is older than a picture that needs none of it.
            self.dropped += len(self._packets)
            self._packets.clear()
            self._needs_key = False
        elif len(self._packets) >= CAPACITY:
            self.dropped += len(self._packets)
            self._packets.clear()
            self._needs_key = True
            self._request()
        if self._needs_key:
            self.dropped += 1
            return
        self._packets.append(packet)
        self._news.set()

    async def recv(self) -> VideoPacket:
        """The next packet; raises MediaStreamError once the track is stopped."""
        if not self._watched:
            self._watched = True
            self._request()
        while not self._packets:
            if self.readyState != "live":
                raise MediaStreamError
            self._news.clear()
            await self._news.wait()
        self.sent += 1
        packet = self._packets.popleft()
        return packet if self.encrypt is None else _replaced(packet, self.encrypt(bytes(packet)))

    def stop(self) -> None:
        """End the track; the encoder forgets it."""
        super().stop()
        self._packets.clear()
        self._forget(self)
        self._news.set()


def _replaced(packet: VideoPacket, data: bytes) -> VideoPacket:
    """``packet`` with other bytes; the encoder's own is shared by all viewers."""
    made = cast("VideoPacket", av.Packet(data))
    made.pts, made.time_base = packet.pts, packet.time_base
    return made
