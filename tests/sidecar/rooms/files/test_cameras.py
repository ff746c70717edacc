"""Cameras by RTSP, from a real server: they connect, fail and reconnect."""

import itertools
import threading
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import av
import pytest
from av.container import InputContainer

from config.errors import PictureError, RoomError
from sidecar.aio import Backoff
from sidecar.media.container.inputs import open_file
from sidecar.media.feed import Feed
from sidecar.rooms.base import Joined, JoinOptions, RoomChange
from sidecar.rooms.files import cameras
from sidecar.rooms.files.adapter import ADAPTER
from sidecar.rooms.files.addresses import Camera, Webcam
from sidecar.rooms.files.cameras import CameraProblem, LiveCamera, reason
from tests.bitstreams import h264_stream
from tests.media_cases import write_h264
from tests.servers.mediamtx import Mediamtx
from tests.sidecar.clients import ColourTrack, eventually, publishing
from tests.sidecar.media.pictures import threads
from tests.sidecar.media.test_clip_track import make_clip
from tests.sidecar.rooms.files.test_room import attended

OPTIONS = JoinOptions("REACTIONS")


@asynccontextmanager
async def camera(server: Mediamtx, path: str) -> AsyncIterator[None]:
    """A camera that shows grey pictures under ``path``."""
    async with (
        aiohttp.ClientSession() as http,
        publishing(http, server.http(f"{path}/whip"), ColourTrack()),
    ):
        yield


def feeds(changes: list[RoomChange]) -> list[Feed]:
    return [change.feed for change in changes if isinstance(change, Joined) and change.feed]


async def frames_again(feed: Feed) -> None:
    """Wait until ``feed`` has shown something new."""
    seen = feed.frames
    await eventually(lambda: feed.frames > seen + 5)


async def test_a_camera_that_drops_is_waited_for_and_the_others_go_on(tmp_path: Path) -> None:
    async with Mediamtx(tmp_path) as server, camera(server, "yard"):
        address = f"{server.rtsp('door')},{server.rtsp('yard')}"
        async with AsyncExitStack() as stack:
            async with camera(server, "door"):
                room = await stack.enter_async_context(ADAPTER.room(address, OPTIONS))
                changes = await stack.enter_async_context(attended(room))
                await eventually(lambda: len(changes) == 2)
                door, yard = feeds(changes)
                await frames_again(door)
            await eventually(lambda: door.stale(time.monotonic()))
            await frames_again(yard)
            async with camera(server, "door"):
                await frames_again(door)
            # One tile from beginning to end: no participant left or joined.
            assert len(changes) == 2


async def test_cameras_come_back_with_their_server(tmp_path: Path) -> None:
    async with Mediamtx(tmp_path) as server, AsyncExitStack() as stack:
        publisher = await stack.enter_async_context(AsyncExitStack())
        await publisher.enter_async_context(camera(server, "door"))
        room = await stack.enter_async_context(ADAPTER.room(server.rtsp("door"), OPTIONS))
        changes = await stack.enter_async_context(attended(room))
        await eventually(lambda: changes)
        (door,) = feeds(changes)
        await frames_again(door)
        await server.restart()
        await publisher.aclose()
        async with camera(server, "door"):
            await frames_again(door)


async def test_a_camera_that_refuses_our_password_is_not_asked_again(tmp_path: Path) -> None:
    async with Mediamtx(tmp_path, token="ada:open-sesame") as server:
        address = server.rtsp("door").replace("rtsp://", "rtsp://ada:wrong@")
        with pytest.raises(RoomError, match="user and password") as caught:
            async with ADAPTER.room(address, OPTIONS):
                pytest.fail("entered")
        assert "wrong" not in str(caught.value)


async def test_the_error_of_an_unreachable_camera_hides_its_password() -> None:
    room = ADAPTER.room("rtsp://ada:hush@127.0.0.1:9/door?token=hush", OPTIONS)
    before = threads()
    with pytest.raises(RoomError, match="door: Connection refused") as caught:
        async with room:
            pytest.fail("entered")
    assert "hush" not in str(caught.value) + repr(caught.value)
    await eventually(lambda: threads() <= before)


@pytest.fixture
def tape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clip of five frames that stands in for every camera."""
    clip = make_clip(tmp_path / "tape.webm", count=5)
    monkeypatch.setattr(cameras, "open_camera", lambda camera: av.open(str(clip)))
    return clip


@pytest.mark.usefixtures("tape")
def test_a_stream_that_ends_is_opened_again_and_each_change_is_reported_once() -> None:
    reported: list[CameraProblem | None] = []
    camera = LiveCamera(Webcam(0, "desk"), reported.append, backoff=Backoff(0.01, 1.0, 0.01))
    frames = list(itertools.islice(camera.frames(threading.Event()), 12))
    assert len(frames) == 12
    ended = CameraProblem("the stream ended", answered=True)
    assert reported == [None, ended, None, ended, None]


def test_a_camera_that_cannot_be_opened_is_tried_until_it_can(
    tape: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([FileNotFoundError(), av.HTTPNotFoundError(404, "Not Found")])

    def opened(camera: Camera) -> InputContainer:
        for failure in failures:
            raise failure
        return av.open(str(tape))

    monkeypatch.setattr(cameras, "open_camera", opened)
    reported: list[CameraProblem | None] = []
    camera = LiveCamera(Webcam(987, "desk"), reported.append, backoff=Backoff(0.01, 1.0, 0.01))
    next(camera.frames(threading.Event()))
    missing, waiting, back = reported
    assert missing is not None
    assert "no /dev/video987" in missing.what
    assert waiting == CameraProblem("nothing is there under this path", answered=True)
    assert back is None


def test_pictures_that_are_too_large_end_a_camera(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = write_h264(tmp_path / "bomb.mkv", h264_stream(16000, 16000, shown=(64, 48)))
    monkeypatch.setattr(cameras, "open_camera", lambda camera: open_file(bomb))
    camera = LiveCamera(Webcam(0, "desk"), lambda trouble: None)
    with pytest.raises(PictureError, match="webcam:0: 16000x16000 exceeds"):
        next(camera.frames(threading.Event()))


def test_a_stopped_camera_is_not_opened() -> None:
    stop = threading.Event()
    stop.set()
    assert list(LiveCamera(Webcam(0, "desk"), lambda trouble: None).frames(stop)) == []


async def test_webcams_are_for_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Plan 9")
    with pytest.raises(RoomError, match=r"webcam 0: .*Linux"):
        async with ADAPTER.room("webcam:0", OPTIONS):
            pytest.fail("entered")


def test_a_webcam_that_may_not_be_read_says_what_to_do() -> None:
    assert "group" in reason(Webcam(0, "webcam 0"), PermissionError(13, "Permission denied"))
