"""One camera, sent on."""

import asyncio

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.media.feed import Feed
from sidecar.rooms.hosted.camera_forwarder import LONGEST, CameraForwarder, forwarded_size
from tests.sidecar.media.pictures import GREEN, RED, Camera, Frames, flat, threads


def decoder() -> av.VideoCodecContext:
    codec = av.CodecContext.create("libvpx", "r")
    assert isinstance(codec, av.VideoCodecContext)
    return codec


async def test_it_follows_the_size_of_the_camera_within_limits() -> None:
    camera = Camera(RED, (320, 180))
    async with asyncio.timeout(30), Feed(camera) as feed:
        solo = CameraForwarder(feed)
        track, codec = solo.subscribe(), decoder()
        sizes: list[tuple[int, int]] = []
        for size in ((320, 180), (1280, 720), (180, 320)):
            camera.size = size
            wanted = forwarded_size(*size)
            while not sizes or sizes[-1] != wanted:
                packet = await track.recv()
                assert isinstance(packet, av.Packet)
                sizes += [(frame.width, frame.height) for frame in codec.decode(packet)]
        assert sizes[-1] == (180, 320)
        assert (640, 360) in sizes
        await solo.close()
        assert track.readyState == "ended"


async def test_the_cameras_own_frames_stay_as_they_are() -> None:
    frames = Frames()
    async with asyncio.timeout(30), Feed(frames) as feed:
        solo = CameraForwarder(feed)
        track = solo.subscribe()
        reading = asyncio.ensure_future(track.recv())
        await asyncio.sleep(0)
        picture = flat(320, 180, GREEN)
        picture.pts = 7
        frames.push(picture)
        await reading
        assert picture.pts == 7
        assert picture.pict_type == flat(320, 180).pict_type
        await solo.close()


async def test_a_camera_that_stands_still_sends_nothing() -> None:
    frames = Frames()
    before = threads()
    async with Feed(frames) as feed:
        solo = CameraForwarder(feed)
        track = solo.subscribe()
        reading = asyncio.ensure_future(track.recv())
        await asyncio.sleep(0)
        frames.push(flat(320, 180))
        await reading
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await track.recv()
        await solo.close()
    assert threads() == before


@given(st.integers(1, 4096), st.integers(1, 4096))
def test_the_size_is_even_small_and_never_nothing(width: int, height: int) -> None:
    for side in forwarded_size(width, height):
        assert side % 2 == 0
        assert 16 <= side <= max(LONGEST, 16)
