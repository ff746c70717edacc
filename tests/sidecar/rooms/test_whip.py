"""Publishing by WHIP to a server of the test's own, over real connections."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiortc import MediaStreamTrack, RTCSessionDescription

from config.errors import SignallingError
from sidecar.media.clip_track import ClipTrack
from sidecar.media.peer_connection import close, peer_connection
from sidecar.rooms.whip import WhipPublisher
from tests.sidecar.media.test_clip_track import make_clip

pytestmark = pytest.mark.peers


class Endpoint:
    """A WHIP server of one page: answers offers, counts frames, records the DELETE."""

    def __init__(self) -> None:
        self.peer = peer_connection()
        self.track: asyncio.Future[MediaStreamTrack] = asyncio.get_running_loop().create_future()
        self.deleted: list[str] = []
        self.peer.on("track", self.track.set_result)

    async def post(self, request: web.Request) -> web.StreamResponse:
        offer = RTCSessionDescription(await request.text(), "offer")
        await self.peer.setRemoteDescription(offer)
        await self.peer.setLocalDescription(await self.peer.createAnswer())
        headers = {"Location": "session/7?secret=1", "Content-Type": "application/sdp"}
        response = web.StreamResponse(status=201, headers=headers)
        await response.prepare(request)
        for line in self.peer.localDescription.sdp.splitlines(keepends=True):
            await response.write(line.encode())
        return response

    async def delete(self, request: web.Request) -> web.Response:
        self.deleted.append(request.path_qs)
        return web.Response()


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(*routes: tuple[str, str, Handler]) -> AsyncIterator[str]:
    app = web.Application()
    for method, path, handler in routes:
        app.router.add_route(method, path, handler)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_a_clip_arrives_and_the_session_is_deleted(tmp_path: Path) -> None:
    endpoint = Endpoint()
    routes = (("POST", "/live/whip", endpoint.post), ("DELETE", "/live/session/7", endpoint.delete))
    clip = ClipTrack(make_clip(tmp_path / "a.webm", count=50))
    async with asyncio.timeout(30), serving(*routes) as address:
        async with WhipPublisher(f"{address}/live/whip", clip):
            track = await endpoint.track
            for _ in range(10):
                await track.recv()
        await close(endpoint.peer)
    assert endpoint.deleted == ["/live/session/7?secret=1"]
    assert clip.readyState == "ended"


async def test_a_redirect_is_followed_and_its_target_gets_the_delete(tmp_path: Path) -> None:
    endpoint = Endpoint()

    async def moved(request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": "/other/whip"})

    routes = (
        ("POST", "/whip", moved),
        ("POST", "/other/whip", endpoint.post),
        ("DELETE", "/other/session/7", endpoint.delete),
    )
    async with asyncio.timeout(30), serving(*routes) as address:
        async with WhipPublisher(f"{address}/whip", ClipTrack(make_clip(tmp_path / "a.webm"))):
            pass
        await close(endpoint.peer)
    assert endpoint.deleted == ["/other/session/7?secret=1"]


async def test_a_refusal_names_the_status_but_not_the_query(tmp_path: Path) -> None:
    async def full(request: web.Request) -> web.Response:
        return web.Response(status=503)

    clip = ClipTrack(make_clip(tmp_path / "a.webm"))
    async with asyncio.timeout(30), serving(("POST", "/whip", full)) as address:
        with pytest.raises(SignallingError, match="503") as caught:
            async with WhipPublisher(f"{address}/whip?token=hush", clip):
                pytest.fail("published although refused")
    assert caught.value.status == 503
    assert "hush" not in str(caught.value)


async def test_a_server_that_is_not_there_is_an_error_of_its_own(tmp_path: Path) -> None:
    clip = ClipTrack(make_clip(tmp_path / "a.webm"))
    with pytest.raises(SignallingError, match=r"127\.0\.0\.1:9"):
        async with WhipPublisher("http://127.0.0.1:9/whip", clip):
            pytest.fail("published without a server")


@pytest.mark.parametrize("body", [b"v=0", b"\xff", b"x" * 70_000])
async def test_an_answer_that_is_none_is_refused_and_the_session_deleted(
    tmp_path: Path, body: bytes
) -> None:
    deleted = asyncio.Event()

    async def post(request: web.Request) -> web.Response:
        return web.Response(status=201, body=body, headers={"Location": "/session"})

    async def delete(request: web.Request) -> web.Response:
        deleted.set()
        return web.Response()

    clip = ClipTrack(make_clip(tmp_path / "a.webm"))
    routes = (("POST", "/whip", post), ("DELETE", "/session", delete))
    async with asyncio.timeout(30), serving(*routes) as address:
        with pytest.raises(SignallingError, match="its answer"):
            async with WhipPublisher(f"{address}/whip", clip):
                pytest.fail("published on no answer")
        assert deleted.is_set()
    assert clip.readyState == "ended"
