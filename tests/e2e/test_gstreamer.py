"""GStreamer in a hosted room: peers whose certificates are RSA."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import cache
from pathlib import Path

import pytest

from sidecar.media.compositor.layout import Rect
from tests.e2e.conftest import SessionHandle
from tests.sidecar.clients import eventually

pytestmark = [pytest.mark.servers, pytest.mark.models]

PYTHON = "/usr/bin/python3"
PEER = Path(__file__).with_name("gstreamer_peer.py")
MISSING = (
    "GStreamer can't be had here: install gstreamer1.0-nice python3-gi "
    "gir1.2-gst-plugins-bad-1.0 gstreamer1.0-plugins-{base,good,bad,ugly}"
)


@cache
def has_gstreamer() -> bool:
    """Whether the system's Python has webrtcbin with ICE, and the encoders."""
    names = ("webrtcbin", "nicesink", "dtlssrtpenc", "vp8enc", "x264enc")
    script = (
        "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstWebRTC', '1.0');"
        "from gi.repository import Gst; Gst.init(None);"
        f"assert all(Gst.ElementFactory.find(name) for name in {names!r})"
    )
    if not Path(PYTHON).is_file():
        return False
    return subprocess.run([PYTHON, "-c", script], capture_output=True, check=False).returncode == 0


@pytest.fixture(autouse=True)
def _gstreamer() -> None:
    if not has_gstreamer():
        pytest.skip(MISSING)


@asynccontextmanager
async def running(*command: str | Path) -> AsyncIterator[list[str]]:
    """A program, while it is entered; the lines that it has written."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    lines: list[str] = []

    async def read() -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            lines.append(line.decode(errors="replace").rstrip())

    task = asyncio.create_task(read())
    try:
        yield lines
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await task


def green(meeting: SessionHandle, area: Rect) -> bool:
    """Whether the newest composite shows GStreamer's green picture in ``area``."""
    if meeting.seen is None:
        return False
    picture = meeting.seen.to_ndarray(format="rgb24").astype(int)
    middle = picture[area.y + area.height // 2, area.x + area.width // 2]
    return bool(middle[1] > 150 and middle[0] < 90 and middle[2] < 90)


async def in_the_composite(meeting: SessionHandle) -> None:
    async with meeting.watched():
        await eventually(lambda: meeting.sizes() == [(320, 180)])
        await eventually(lambda: green(meeting, meeting.tile(0, 1)))


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_a_camera_of_webrtcbin_is_in_the_composite(
    meeting: SessionHandle, codec: str
) -> None:
    url = meeting.url("whip?name=Ada")
    async with running(PYTHON, PEER, "publish", url, codec):
        await in_the_composite(meeting)


async def test_webrtcbin_watches_the_composite(meeting: SessionHandle) -> None:
    async with running(PYTHON, PEER, "watch", meeting.url("whep")) as lines:

        def sizes() -> list[str]:
            return [line.rpartition(" ")[0] for line in lines if line.startswith("picture")]

        await eventually(lambda: sizes().count("picture 640 360") > 5)
