"""Frames from a thread."""

import asyncio
import threading
from collections.abc import Iterator

import av
import pytest
from aiortc.mediastreams import MediaStreamError

from config.errors import PictureError, RefusedError
from sidecar.rooms.files.thread_track import ThreadTrack
from tests.sidecar.clients import eventually
from tests.sidecar.media.pictures import flat, threads


def endless(stop: threading.Event) -> Iterator[av.VideoFrame]:
    while not stop.wait(0.01):
        yield flat()


async def test_frames_come_until_it_is_left() -> None:
    before = threads()
    async with asyncio.timeout(30), ThreadTrack("door", endless) as track:
        for _ in range(3):
            assert isinstance(await track.recv(), av.VideoFrame)
    await eventually(lambda: threads() == before)


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (PictureError("too large"), False),
        (RefusedError("no entry"), True),
        (ZeroDivisionError(), False),
    ],
)
async def test_an_error_in_the_thread_ends_the_frames_with_a_reason(
    error: Exception, refused: bool
) -> None:
    def broken(stop: threading.Event) -> Iterator[av.VideoFrame]:
        yield flat()
        raise error

    async with asyncio.timeout(30), ThreadTrack("door", broken) as track:
        await track.over.wait()
        await track.recv()
        with pytest.raises(MediaStreamError):
            await track.recv()
    assert track.refused is refused
    assert track.reason in (getattr(error, "what", ""), repr(error))


async def test_a_thread_that_hangs_blocks_nothing_else() -> None:
    go = threading.Event()

    def hanging(stop: threading.Event) -> Iterator[av.VideoFrame]:
        yield flat()
        go.wait(60)

    def hangs() -> bool:
        return any(thread.name == "camera hung" for thread in threading.enumerate())

    async with ThreadTrack("hung", hanging) as track:
        await track.recv()
    # No task waited for it.
    assert hangs()
    assert track.over.is_set()
    go.set()
    await eventually(lambda: not hangs())
