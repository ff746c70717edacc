"""LiveKit's own client in Chromium in a room that is encrypted from end to end."""

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import Page

from reactions.mannequin import CAST
from sidecar.rooms.base import Consent
from tests.e2e.browser import FAKE_CAMERA, camera_file, launched, until
from tests.e2e.npm import installed, served
from tests.servers.livekit import LiveKit, livekit
from tests.sidecar.clients import eventually
from tests.sidecar.rooms.composites import grey_composite
from tests.sidecar.rooms.livekit.conftest import seen
from tests.sidecar.rooms.livekit.guest import token

pytestmark = [pytest.mark.npm, pytest.mark.browser, pytest.mark.servers]

ROOM = "secret"
PASSPHRASE = "correct horse battery staple"
RANDOM = bytes(range(32))
SENT_CODEC = """
(async () => {
  const [publication] = room.localParticipant.videoTrackPublications.values();
  const report = [...(await publication.track.sender.getStats()).values()];
  const sent = report.find(({ type }) => type === "outbound-rtp");
  return report.find(({ id }) => id === sent.codecId).mimeType;
})()
"""
"""The codec in which the page sends its camera."""


@pytest.fixture(scope="module")
def packages() -> Path:
    """LiveKit's public client."""
    return installed("npm-livekit", "livekit-client@2.23.0")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[LiveKit]:
    folder = tmp_path / "livekit"
    folder.mkdir()
    async with livekit(folder) as running:
        yield running


@asynccontextmanager
async def page_in(
    server: LiveKit, packages: Path, folder: Path, key: str | list[int], codec: str = "vp8"
) -> AsyncIterator[Page]:
    """Grace in the room, who encrypts with ``key`` and watches the composite."""
    camera = camera_file(folder, next(iter(CAST.values())), "smile")
    flag = f"--use-file-for-fake-video-capture={camera}"
    async with launched(*FAKE_CAMERA, flag) as browser, served(packages) as origin:
        page = await browser.new_page()
        page.on("pageerror", lambda error: pytest.fail(f"the page's script failed: {error}"))
        await page.goto(f"{origin}/livekit.html")
        await page.evaluate(
            "([url, token, publishing, key]) => join(url, token, publishing, key)",
            [server.address, token(ROOM, "grace"), {"videoCodec": codec}, key],
        )
        yield page


def environ(server: LiveKit, key: str) -> Mapping[str, str]:
    return {**server.environ, "LIVEKIT_E2EE_KEY": key}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (PASSPHRASE, PASSPHRASE),
        (f"base64:{base64.b64encode(RANDOM).decode()}", list(RANDOM)),
    ],
    ids=["passphrase", "random bytes"],
)
async def test_cameras_the_composite_chat_and_events_are_encrypted_both_ways(
    server: LiveKit, packages: Path, tmp_path: Path, ours: str, theirs: str | list[int]
) -> None:
    async with (
        grey_composite() as composite,
        seen(server, ROOM, environ=environ(server, ours)) as sight,
        page_in(server, packages, tmp_path, theirs) as page,
    ):
        await sight.room.publish(composite)
        await eventually(lambda: sight.frames("grace") > 10)
        frame = sight.camera("grace").frame
        assert frame is not None
        # A mannequin before a wall, and not the grey or green of a frame that is not decoded.
        assert np.std(frame.to_ndarray(format="gray")) > 10

        async def playing() -> bool:
            script = "composite.videoWidth === 160 && composite.currentTime > 0.5"
            return bool(await page.evaluate(script))

        async def received() -> bool:
            await sight.room.announce({"kind": "reaction.started"})
            return ["reactions", "Reactions", '{"kind":"reaction.started"}'] in (
                await page.evaluate("data")
            )

        await until(playing)
        await until(received)
        await page.evaluate("say('!reactions off')")
        await eventually(lambda: sight.consents.get("grace") is Consent.OPT_OUT)
        assert not await page.evaluate("errors")


async def test_a_camera_in_h264_is_decrypted(
    server: LiveKit, packages: Path, tmp_path: Path
) -> None:
    async with (
        seen(server, ROOM, environ=environ(server, PASSPHRASE)) as sight,
        page_in(server, packages, tmp_path, PASSPHRASE, "h264") as page,
    ):
        await eventually(lambda: sight.frames("grace") > 10)
        frame = sight.camera("grace").frame
        assert frame is not None
        assert np.std(frame.to_ndarray(format="gray")) > 10
        assert await page.evaluate(SENT_CODEC) == "video/H264"


async def test_another_key_is_one_problem_and_no_picture(
    server: LiveKit, packages: Path, tmp_path: Path
) -> None:
    async with (
        seen(server, ROOM, environ=environ(server, "another")) as sight,
        page_in(server, packages, tmp_path, PASSPHRASE),
    ):
        await eventually(lambda: sight.problem("grace"))
        assert sight.problem("grace") == (
            "Grace has a camera that is encrypted with another key (check LIVEKIT_E2EE_KEY)"
        )
        assert sight.feed("grace") is None
