"""The adapter that the documentation shows works."""

import asyncio
import importlib.util
import io
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from types import ModuleType

import pytest
from aiohttp import web
from PIL import Image

from config.errors import RefusedError, RoomError
from sidecar.aio import Backoff
from sidecar.rooms.base import Joined, JoinOptions, Room
from sidecar.rooms.reconnect import ReconnectingRoom
from sidecar.rooms.registry import find_adapter
from tests.sidecar.clients import eventually

FILE = Path(__file__).parents[3] / "docs" / "examples" / "snapshot_room.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("snapshot_room", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["snapshot_room"] = module
    spec.loader.exec_module(module)
    return module


class Camera:
    """An HTTP server with a picture, or a status in its place."""

    def __init__(self) -> None:
        self.status = 200
        self.port = 0

    @property
    def url(self) -> str:
        return f"snapshot+http://127.0.0.1:{self.port}/picture.jpg"

    async def serve(self, _request: web.Request) -> web.Response:
        data = io.BytesIO()
        Image.new("RGB", (65, 37), "teal").save(data, "JPEG")
        return web.Response(body=data.getvalue(), status=self.status, content_type="image/jpeg")


@pytest.fixture
async def camera() -> AsyncIterator[Camera]:
    camera = Camera()
    app = web.Application()
    app.router.add_get("/picture.jpg", camera.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    camera.port = runner.addresses[0][1]
    yield camera
    await runner.cleanup()


OPTIONS = JoinOptions("Reactions", rate=30)


async def test_its_camera_is_the_one_participant(example: ModuleType, camera: Camera) -> None:
    adapter = await find_adapter(camera.url, [example.ADAPTER])
    async with adapter.room(camera.url, OPTIONS) as room:
        change = await anext(room.changes())
        assert isinstance(change, Joined)
        feed = change.feed
        assert feed is not None
        await eventually(lambda: feed.size == (64, 36))


async def test_a_camera_that_is_gone_is_joined_again(example: ModuleType, camera: Camera) -> None:
    def open_room() -> Room:
        room: Room = example.ADAPTER.room(camera.url, OPTIONS)
        return room

    joined = 0
    async with (
        asyncio.timeout(30),
        ReconnectingRoom(open_room, backoff=Backoff(first=0.01)) as room,
        aclosing(room.changes()) as changes,
    ):
        async for change in changes:
            if isinstance(change, Joined):
                joined += 1
                camera.status = 503
                asyncio.get_running_loop().call_later(0.3, setattr, camera, "status", 200)
            if joined == 2:
                break
    assert room.rejoined == 1


async def test_a_wrong_password_is_final(example: ModuleType, camera: Camera) -> None:
    camera.status = 401
    with pytest.raises(RefusedError):
        async with example.ADAPTER.room(camera.url, OPTIONS):
            pass


async def test_an_address_without_a_server_is_reported(example: ModuleType, camera: Camera) -> None:
    camera.status = 404
    with pytest.raises(RoomError, match="404"):
        async with example.ADAPTER.room(camera.url, OPTIONS):
            pass
