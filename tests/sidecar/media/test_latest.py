"""The newest frame and no other."""

import asyncio

import pytest
from aiortc.mediastreams import MediaStreamError

from sidecar.media.latest import LatestFrame
from tests.sidecar.media.pictures import flat


async def test_whoever_reads_gets_the_newest_and_waits_for_the_next() -> None:
    source, newest = LatestFrame(), flat()
    source.put(flat())
    source.put(newest)
    assert await source.recv() is newest
    waiting = asyncio.ensure_future(source.recv())
    await asyncio.sleep(0)
    assert not waiting.done()
    source.put(newest)
    assert await waiting is newest


async def test_the_last_one_is_still_read_after_the_end() -> None:
    source = LatestFrame()
    source.put(flat())
    source.end()
    await source.recv()
    with pytest.raises(MediaStreamError):
        await source.recv()


async def test_whoever_waits_is_told_of_the_end() -> None:
    source = LatestFrame()
    waiting = asyncio.ensure_future(source.recv())
    await asyncio.sleep(0)
    source.end()
    with pytest.raises(MediaStreamError):
        await waiting
