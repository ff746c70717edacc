"""The composite on its way to real WHIP servers, and to some that a test makes up."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import jwt
import pytest
from aiohttp import web

from config.errors import SignallingError
from sidecar.media.feed import Feed
from sidecar.media.peer_connection import close
from sidecar.rooms.base import Adapter, Joined, JoinOptions, Room
from sidecar.rooms.galene.adapter import ADAPTER as GALENE
from sidecar.rooms.livekit.adapter import ADAPTER as LIVEKIT
from sidecar.rooms.whep.adapter import ADAPTER as WHEP
from sidecar.rooms.whip import ReconnectingWhip
from tests.servers.galene import galene
from tests.servers.livekit import KEY, SECRET, livekit
from tests.servers.mediamtx import Mediamtx
from tests.servers.soak import RESTARTS
from tests.sidecar.clients import eventually
from tests.sidecar.leaks import back_to, held
from tests.sidecar.rooms.composites import grey_composite
from tests.sidecar.rooms.files.test_room import attended
from tests.sidecar.rooms.test_whip import Endpoint, serving
from tests.sidecar.server.conftest import running_server

pytestmark = pytest.mark.peers

TOKEN = "ada:open-sesame"


@asynccontextmanager
async def watched(adapter: Adapter, url: str, **environ: str) -> AsyncIterator[Feed]:
    """The one camera in a meeting as another participant sees it, once it shows a picture."""
    room: Room = adapter.room(url, JoinOptions("viewer", environ=environ))
    async with room, attended(room) as changes:

        def feeds() -> list[Feed]:
            return [it.feed for it in changes if isinstance(it, Joined) and it.feed]

        await eventually(lambda: feeds() and feeds()[-1].frames > 5)
        yield feeds()[-1]


@pytest.mark.soak
async def test_the_composite_is_back_with_its_server_and_nothing_is_left(tmp_path: Path) -> None:
    async with Mediamtx(tmp_path, token=TOKEN) as server, grey_composite() as composite:
        before = held()
        outlet = ReconnectingWhip(f"whip+{server.http('room/whip')}", token=TOKEN)
        async with outlet, watched_later(server) as viewer:
            await outlet.publish(composite)
            await eventually(lambda: viewer.frames > 5)
            connected = held()
            for _ in range(RESTARTS):
                await server.restart()
                # The viewer is a sidecar too, and connects again.
                seen = viewer.frames
                await eventually(lambda count=seen: viewer.frames > count + 5)  # type: ignore[misc]
                assert composite.viewers == 1
                await back_to(connected)
        assert composite.viewers == 0
        await back_to(before)


@asynccontextmanager
async def watched_later(server: Mediamtx) -> AsyncIterator[Feed]:
    """A viewer who is there before there is anything to watch."""
    options = JoinOptions("viewer", environ={"WHEP_TOKEN": TOKEN})
    room = WHEP.room(f"whep+{server.http('room/whep')}", options)
    async with room, attended(room) as changes:
        await eventually(lambda: changes)
        (joined,) = changes
        assert isinstance(joined, Joined)
        assert joined.feed is not None
        yield joined.feed


async def test_a_room_of_our_own_takes_the_composite_for_a_camera() -> None:
    async with running_server() as running, grey_composite() as composite:
        async with ReconnectingWhip(f"whip+{running.url('/rooms/one/whip?name=Stage')}") as outlet:
            await outlet.publish(composite)
            meeting = running.meetings["one"]
            await eventually(lambda: meeting.present)
            (camera,) = meeting.present.values()
            feed = camera.feed
            assert camera.name == "Stage"
            assert feed is not None
            await eventually(lambda: feed.frames > 5)
            assert feed.size == (160, 90)
        await eventually(lambda: not meeting.present)


async def test_livekit_takes_the_composite(tmp_path: Path) -> None:
    async with livekit(tmp_path) as server, grey_composite() as composite:
        grants = {"roomJoin": True, "room": "stage", "canPublish": True}
        claims = {"iss": KEY, "sub": "composite", "exp": time.time() + 600, "video": grants}
        token = jwt.encode(claims, SECRET, algorithm="HS256")
        url = server.address.replace("ws://", "whip+http://") + "/whip/v1"
        async with ReconnectingWhip(url, token=token) as outlet:
            await outlet.publish(composite)
            async with watched(LIVEKIT, server.url("stage"), **server.environ) as viewer:
                assert viewer.size == (160, 90)


async def test_galene_takes_the_composite(tmp_path: Path) -> None:
    async with galene(tmp_path) as server, grey_composite() as composite:
        outlet = ReconnectingWhip(f"whip+{server.url('room')}.whip")
        async with outlet:
            await outlet.publish(composite)
            async with watched(GALENE, server.url("room"), GALENE_USERNAME="viewer") as viewer:
                assert viewer.size == (160, 90)


async def test_a_busy_server_is_asked_again_when_it_says_so() -> None:
    endpoint = Endpoint()
    asked: list[float] = []

    async def post(request: web.Request) -> web.StreamResponse:
        asked.append(time.monotonic())
        if len(asked) == 1:
            return web.Response(status=503, headers={"Retry-After": "1"})
        return await endpoint.post(request)

    routes = (("POST", "/whip", post), ("DELETE", "/session/7", endpoint.delete))
    async with serving(*routes) as address, grey_composite() as composite:
        outlet = ReconnectingWhip(f"{address}/whip")
        async with outlet:
            await outlet.publish(composite)
            await eventually(endpoint.track.done)
            assert asked[1] - asked[0] >= 1
            await eventually(lambda: composite.viewers == 1)
        await close(endpoint.peer)
    assert endpoint.deleted == ["/session/7?secret=1"]


async def test_a_refusal_is_reported_at_once() -> None:
    async with grey_composite() as composite:
        outlet = ReconnectingWhip("whip+http://127.0.0.1:9/whip?key=hush")
        with pytest.raises(SignallingError, match="can't be reached") as caught:
            await outlet.publish(composite)
        assert "hush" not in str(caught.value)
        assert composite.viewers == 0


async def test_leaving_amid_the_offer_still_ends_the_session() -> None:
    offered, answer, deleted = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def post(request: web.Request) -> web.Response:
        offered.set()
        await answer.wait()
        headers = {"Location": "/session"}
        return web.Response(status=201, body=b"v=0", headers=headers)

    async def delete(request: web.Request) -> web.Response:
        deleted.set()
        return web.Response()

    routes = (("POST", "/whip", post), ("DELETE", "/session", delete))
    async with serving(*routes) as address, grey_composite() as composite:
        publishing = asyncio.create_task(ReconnectingWhip(f"{address}/whip").publish(composite))
        await offered.wait()
        publishing.cancel()
        await asyncio.sleep(0)
        answer.set()
        await asyncio.gather(publishing, return_exceptions=True)
        assert deleted.is_set()
