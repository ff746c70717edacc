"""One camera's frames, from whichever track brings them."""

import asyncio
from fractions import Fraction

import av
import pytest
from aiortc.mediastreams import MediaStreamError

from sidecar.rooms.galene.camera import Camera, Switch
from sidecar.rooms.galene.descriptions import UnfitError
from tests.sidecar.rooms.galene.test_descriptions import OFFER


class Track:
    """A source of frames that are all its own size."""

    def __init__(self, width: int, frames: int = 1_000_000) -> None:
        self.width = width
        self.left = frames
        self.read = 0

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(0)
        if self.left == 0:
            raise MediaStreamError
        self.left -= 1
        self.read += 1
        frame = av.VideoFrame(self.width, 16, "yuv420p")
        frame.pts, frame.time_base = self.read, Fraction(1, 15)
        return frame


async def width(switch: Switch) -> int:
    frame = await switch.recv()
    assert isinstance(frame, av.VideoFrame)
    return frame.width


async def test_frames_come_from_the_newest_track() -> None:
    switch = Switch()
    low, high = Track(16), Track(32)
    switch.turn(low)
    assert await width(switch) == 16
    switch.turn(high)
    async with asyncio.timeout(30):
        while await width(switch) != 32:
            pass
    read = low.read
    assert [await width(switch) for _ in range(5)] == [32] * 5
    assert low.read == read
    await switch.close()


async def test_turning_to_the_same_track_changes_nothing() -> None:
    switch = Switch()
    track = Track(16)
    for _ in range(3):
        switch.turn(track)
        assert await width(switch) == 16
    await switch.close()


async def test_the_end_of_the_track_is_the_end() -> None:
    switch = Switch()
    switch.turn(Track(16, frames=2))
    assert [await width(switch), await width(switch)] == [16, 16]
    with pytest.raises(MediaStreamError):
        await switch.recv()
    await switch.close()


async def test_a_camera_that_was_closed_answers_nothing() -> None:
    camera = Camera([], lambda: None)
    await camera.close()
    with pytest.raises(UnfitError):
        await camera.answer(OFFER)


async def test_an_offer_that_begins_anew_is_not_taken_by_the_same_connection() -> None:
    camera = Camera([], lambda: None)
    try:
        answer = await camera.answer(OFFER)
        assert "a=recvonly" in answer
        with pytest.raises(UnfitError, match="begins anew"):
            await camera.answer(OFFER.replace("a=ice-ufrag:", "a=ice-ufrag:new"))
    finally:
        await camera.close()


async def test_an_offer_of_very_many_sections_is_not_taken() -> None:
    section = OFFER[OFFER.index("m=") :]
    camera = Camera([], lambda: None)
    try:
        with pytest.raises(UnfitError, match="sections"):
            await camera.answer(OFFER + section * 20)
    finally:
        await camera.close()
