"""Streams of a real mediamtx as a meeting: they connect, fail and reconnect."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from config.errors import RefusedError, RoomError
from sidecar.media.feed import Feed
from sidecar.rooms.base import Joined, JoinOptions, RoomChange
from sidecar.rooms.whep.adapter import ADAPTER
from tests.servers.mediamtx import Mediamtx
from tests.servers.soak import JOINS
from tests.sidecar.clients import ColourTrack, eventually, publishing
from tests.sidecar.leaks import back_to, held
from tests.sidecar.rooms.files.test_room import attended

OPTIONS = JoinOptions("REACTIONS")
TOKEN = "ada:open-sesame"


def streams(server: Mediamtx, *names: str) -> str:
    return ", ".join(f"whep+{server.http(name)}/whep" for name in names)


@asynccontextmanager
async def camera(server: Mediamtx, path: str, luma: int = 128) -> AsyncIterator[None]:
    """A camera that shows one grey under ``path``."""
    async with (
        aiohttp.ClientSession() as http,
        publishing(http, server.http(f"{path}/whip"), ColourTrack(luma)),
    ):
        yield


def feeds(changes: list[RoomChange]) -> list[Feed]:
    return [change.feed for change in changes if isinstance(change, Joined) and change.feed]


async def frames_again(feed: Feed) -> None:
    """Wait until ``feed`` has shown something new."""
    seen = feed.frames
    await eventually(lambda: feed.frames > seen + 5)


def luma(feed: Feed) -> float:
    assert feed.frame is not None
    return float(feed.frame.to_ndarray(format="gray").mean())


async def test_streams_come_and_go_each_on_its_own(tmp_path: Path) -> None:
    async with Mediamtx(tmp_path) as server, camera(server, "yard", 60):
        room = ADAPTER.room(streams(server, "door", "yard"), OPTIONS)
        async with room, attended(room) as changes:
            # No client publishes "door" yet: its tile waits.
            await eventually(lambda: len(changes) == 2)
            door, yard = feeds(changes)
            await frames_again(yard)
            assert door.frames == 0
            async with camera(server, "door", 200):
                await frames_again(door)
                assert luma(door) > luma(yard) + 50
            await eventually(lambda: door.stale(time.monotonic()))
            await frames_again(yard)
            # One tile each from beginning to end: no participant left or joined.
            assert len(changes) == 2


@pytest.mark.soak
async def test_leaving_deletes_the_sessions_and_frees_everything(tmp_path: Path) -> None:
    async with Mediamtx(tmp_path) as server, camera(server, "door"):

        async def visit() -> None:
            room = ADAPTER.room(streams(server, "door", "absent"), OPTIONS)
            async with room, attended(room) as changes:
                await eventually(lambda: len(changes) == 2)
                door, _ = feeds(changes)
                await eventually(lambda: not frames or door.frames)

        frames = True
        await visit()
        # A key frame may take two seconds each time, which is the server's affair.
        frames = False
        before = held()
        for _ in range(JOINS):
            await visit()
        await back_to(before)
        assert server.log.read_text().count("is reading from path 'door'") >= JOINS


async def test_a_token_opens_and_without_one_we_are_refused_for_good(tmp_path: Path) -> None:
    async with Mediamtx(tmp_path, token=TOKEN) as server:
        with pytest.raises(RefusedError, match=r"door: HTTP 401.*WHEP_TOKEN"):
            async with ADAPTER.room(streams(server, "door"), OPTIONS):
                pytest.fail("entered without a token")
        options = JoinOptions("REACTIONS", environ={"WHEP_TOKEN": "ada:guess"})
        with pytest.raises(RefusedError, match="token refused") as caught:
            async with ADAPTER.room(streams(server, "door"), options):
                pytest.fail("entered with a wrong token")
        assert "guess" not in str(caught.value)


async def test_a_server_that_is_not_there_is_an_error() -> None:
    with pytest.raises(RoomError, match="Connection refused"):
        async with ADAPTER.room("whep+http://127.0.0.1:9/door/whep", OPTIONS):
            pytest.fail("entered")
