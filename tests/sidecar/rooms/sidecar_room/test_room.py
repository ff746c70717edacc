"""Another sidecar's room, over real HTTP and real connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest

from config.errors import RefusedError, RoomError
from sidecar.media.feed import Feed
from sidecar.rooms.base import Consent, ConsentChanged, Joined, JoinOptions, Left, RoomChange
from sidecar.rooms.hosted.offer import Role
from sidecar.rooms.sidecar_room.adapter import ADAPTER
from tests.sidecar.clients import Client, ColourTrack, eventually, publishing
from tests.sidecar.media.pictures import descriptors, threads
from tests.sidecar.rooms.composites import grey_composite
from tests.sidecar.rooms.files.test_room import attended
from tests.sidecar.server.conftest import RunningServer, running_server

pytestmark = pytest.mark.peers

OPTIONS = JoinOptions("REACTIONS")


@asynccontextmanager
async def camera(running: RunningServer, name: str, luma: int = 128) -> AsyncIterator[Client]:
    """A real participant of room ``one``."""
    url = running.url(f"/rooms/one/whip?name={name}")
    async with (
        aiohttp.ClientSession() as http,
        publishing(http, url, ColourTrack(luma)) as client,
    ):
        yield client
        await http.delete(client.url)


async def consent(client: Client, *, opted_out: bool) -> None:
    async with aiohttp.ClientSession() as http:
        await http.post(f"{client.url}/consent", json={"opted_out": opted_out})


def feed_of(changes: list[RoomChange], name: str) -> Feed | None:
    """The newest camera of the participant called ``name``."""
    feeds = [it.feed for it in changes if isinstance(it, Joined) and it.name == name]
    return feeds[-1] if feeds else None


async def seen(changes: list[RoomChange], name: str) -> Feed:
    def shown() -> bool:
        feed = feed_of(changes, name)
        return feed is not None and feed.frames > 5

    await eventually(shown)
    feed = feed_of(changes, name)
    assert feed is not None
    return feed


def luma(feed: Feed) -> float:
    assert feed.frame is not None
    return float(feed.frame.to_ndarray(format="gray").mean())


async def test_shared_cameras_are_watched_each_on_its_own() -> None:
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(running_server(share_cameras=True))
        room = ADAPTER.room(running.url("/rooms/one"), OPTIONS)
        before = threads(), descriptors()
        async with room, attended(room) as changes:
            async with camera(running, "Ada", 60), camera(running, "Bob", 200):
                ada, bob = await seen(changes, "Ada"), await seen(changes, "Bob")
                assert luma(bob) > luma(ada) + 80
                assert ada.size == (320, 180)
                # The participants of the room see no new one.
                assert len(running.meetings["one"].present) == 2
            await eventually(lambda: sum(isinstance(it, Left) for it in changes) == 2)
        meeting = running.meetings["one"].room
        await eventually(lambda: meeting.count(Role.WATCH) == 0)
        await eventually(lambda: threads() <= before[0] and descriptors() <= before[1])


async def test_the_camera_of_a_participant_who_opts_out_is_closed_at_once() -> None:
    async with running_server(share_cameras=True) as running:
        room = ADAPTER.room(running.url("/rooms/one"), OPTIONS)
        async with room, attended(room) as changes, camera(running, "Ada") as client:
            feed = await seen(changes, "Ada")
            (joined,) = (it for it in changes if isinstance(it, Joined))
            await consent(client, opted_out=True)
            await eventually(lambda: feed_of(changes, "Ada") is None)
            assert ConsentChanged(joined.participant, Consent.OPT_OUT) in changes
            await eventually(lambda: feed.ended)
            await eventually(lambda: running.meetings["one"].room.count(Role.WATCH) == 0)
            await consent(client, opted_out=False)
            await seen(changes, "Ada")
            assert changes[-2] == ConsentChanged(joined.participant, Consent.OPT_IN)


async def test_a_server_that_shares_no_cameras_is_watched_as_a_whole() -> None:
    async with running_server() as running:
        async with (
            ADAPTER.room(running.url("/rooms/one"), OPTIONS) as room,
            attended(room) as changes,
        ):
            feed = await seen(changes, "one")
            assert feed.size == (160, 90)
            async with grey_composite() as composite:
                # It would show itself in itself.
                await room.publish(composite)
                assert composite.viewers == 0
        async with (
            aiohttp.ClientSession() as http,
            http.get(running.url("/rooms/one/participants")) as answer,
        ):
            assert answer.status == 403


async def test_the_composite_goes_back_into_the_room_and_we_do_not_watch_ourselves() -> None:
    async with running_server(share_cameras=True) as running, grey_composite() as composite:
        room = ADAPTER.room(running.url("/rooms/one"), OPTIONS)
        async with room, attended(room) as changes, camera(running, "Ada"):
            await room.publish(composite)
            meeting = running.meetings["one"]
            await eventually(lambda: len(meeting.present) == 2)
            await seen(changes, "Ada")
            names = {it.name for it in meeting.present.values()}
            assert names == {"Ada", "REACTIONS"}
            assert Consent.OPT_OUT in meeting.consents.values()
            assert feed_of(changes, "REACTIONS") is None
            assert not any(isinstance(it, Joined) and it.name == "REACTIONS" for it in changes)
        await eventually(lambda: not meeting.present)


async def test_a_server_that_goes_away_is_reported_at_once() -> None:
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(running_server(share_cameras=True))
        async with ADAPTER.room(running.url("/rooms/one"), OPTIONS) as room:

            async def attend() -> None:
                async for _ in room.changes():
                    pass

            task = asyncio.create_task(attend())
            await asyncio.sleep(0)
            await stack.aclose()
            async with asyncio.timeout(30):
                with pytest.raises(RoomError, match="the server"):
                    await task


async def test_a_room_that_there_is_not_is_refused() -> None:
    async with running_server(fixed=("one",)) as running:
        with pytest.raises(RefusedError, match="no such room"):
            async with ADAPTER.room(running.url("/rooms/two"), OPTIONS):
                pytest.fail("entered")
    with pytest.raises(RoomError, match="can't be reached"):
        async with ADAPTER.room("http://127.0.0.1:9/rooms/one", OPTIONS):
            pytest.fail("entered")


@pytest.mark.parametrize(("path", "ours"), [("/rooms/one", True), ("/rooms/two", True)])
async def test_our_server_is_recognised_by_its_health_response(path: str, ours: bool) -> None:
    async with running_server(fixed=("one",)) as running, aiohttp.ClientSession() as http:
        assert await ADAPTER.confirms(running.url(path), http) is ours
