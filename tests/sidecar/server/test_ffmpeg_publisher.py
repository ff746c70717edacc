"""FFmpeg's own WHIP client, which PyAV contains, publishes to a room."""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

import av
import pytest

from tests.sidecar.clients import eventually
from tests.sidecar.server.conftest import RunningServer

pytestmark = pytest.mark.skipif("whip" not in av.formats_available, reason="FFmpeg has no WHIP")


@pytest.mark.parametrize("profile", ["high", "main", "baseline"])
async def test_h264_of_ffmpeg_is_decoded(
    running: RunningServer, profile: str, tmp_path: Path
) -> None:
    url = running.url("/rooms/one/whip?name=Ada")
    publisher = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.sidecar.rooms.hosted.ffmpeg_publisher",
        url,
        profile,
        str(tmp_path),
    )
    try:
        await eventually(lambda: "one" in running.meetings and running.meetings["one"].present)
        (camera,) = running.meetings["one"].present.values()
        feed = camera.feed
        assert feed is not None
        await eventually(lambda: feed.frames > 3)
        assert feed.size == (320, 180)
    finally:
        with suppress(ProcessLookupError):
            publisher.kill()
        await publisher.wait()
