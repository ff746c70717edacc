import asyncio
from typing import cast

import av
import pytest
from aiortc.mediastreams import MediaStreamError

from sidecar.media.packet_track import CAPACITY, PacketTrack, VideoPacket


class Source:
    """Counts what a track asks of its encoder."""

    def __init__(self) -> None:
        self.requests = 0
        self.forgotten = 0
        self.track = PacketTrack(self._request, self._forget)

    def _request(self) -> None:
        self.requests += 1

    def _forget(self, track: PacketTrack) -> None:
        self.forgotten += 1


def packet(number: int, *, key: bool = False) -> VideoPacket:
    made = cast("VideoPacket", av.Packet(bytes([number])))
    made.pts, made.is_keyframe = number, key
    return made


async def watch(track: PacketTrack) -> "asyncio.Task[VideoPacket]":
    """Begin to receive, as a sender does once its connection stands."""
    task = asyncio.create_task(track.recv())
    await asyncio.sleep(0)
    return task


async def test_the_first_packet_is_a_key_frame() -> None:
    source = Source()
    first = await watch(source.track)
    for made in (packet(1), packet(2), packet(3, key=True), packet(4)):
        source.track.put(made)
    assert (await first).pts == 3
    assert (await source.track.recv()).pts == 4


async def test_nothing_is_kept_or_asked_before_a_viewer_watches() -> None:
    source = Source()
    for number in range(3 * CAPACITY):
        source.track.put(packet(number % 250, key=True))
    assert source.requests == 0
    first = await watch(source.track)
    assert source.requests == 1
    assert not first.done()
    first.cancel()


async def test_a_sender_that_falls_behind_goes_on_at_the_next_key_frame() -> None:
    source = Source()
    first = await watch(source.track)
    source.track.put(packet(0, key=True))
    assert (await first).pts == 0
    for number in range(1, CAPACITY + 5):
        source.track.put(packet(number))
    assert source.requests == 2
    source.track.put(packet(200, key=True))
    source.track.put(packet(201))
    assert [(await source.track.recv()).pts for _ in range(2)] == [200, 201]
    assert source.track.dropped == CAPACITY + 4


async def test_a_stopped_track_wakes_its_sender_and_is_forgotten() -> None:
    source = Source()
    waiting = await watch(source.track)
    source.track.stop()
    with pytest.raises(MediaStreamError):
        await waiting
    with pytest.raises(MediaStreamError):
        await source.track.recv()
    assert source.forgotten == 1
