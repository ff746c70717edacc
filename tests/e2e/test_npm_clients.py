"""Independent WHIP and WHEP clients from npm, in Chromium, publish to and watch a room."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page

from sidecar.rooms.hosted.offer import Role
from tests.e2e.browser import FAKE_CAMERA, launched, until
from tests.e2e.npm import installed, served
from tests.sidecar.clients import eventually
from tests.sidecar.server.conftest import running_server

pytestmark = [pytest.mark.npm, pytest.mark.browser]


@pytest.fixture(scope="module")
def packages() -> Path:
    """The folder of the installed packages."""
    return installed(
        "npm-clients",
        "@eyevinn/whip-web-client@1.1.7",
        "@eyevinn/webrtc-player@0.13.0",
        "whip-whep@1.2.0",
    )


@asynccontextmanager
async def client_page(packages: Path) -> AsyncIterator[Page]:
    """A page of another origin that can load the clients."""
    async with served(packages) as origin, launched(*FAKE_CAMERA) as browser:
        page = await browser.new_page()
        await page.goto(f"{origin}/clients.html")
        yield page


@pytest.mark.parametrize("client", ["@eyevinn/whip-web-client", "whip-whep/whip.js"])
async def test_an_independent_client_publishes_and_deletes_its_session(
    packages: Path, client: str
) -> None:
    async with running_server() as running, client_page(packages) as page:
        url = running.url("/rooms/one/whip?name=Guest")
        await page.evaluate("([name, url]) => clients[name](url)", [client, url])
        # Some clients come back before they have sent their offer.
        await eventually(lambda: "one" in running.meetings)
        meeting = running.meetings["one"]
        await eventually(lambda: meeting.present)
        (camera,) = meeting.present.values()
        assert camera.name == "Guest"
        feed = camera.feed
        assert feed is not None
        await eventually(lambda: feed.frames > 10)
        assert feed.size == (640, 360)
        await page.evaluate("stop()")
        await eventually(lambda: not meeting.present)


@pytest.mark.parametrize("client", ["@eyevinn/webrtc-player", "whip-whep/whep.js"])
async def test_an_independent_player_shows_the_composite(packages: Path, client: str) -> None:
    async with running_server() as running, client_page(packages) as page:
        url = running.url("/rooms/one/whep")
        await page.evaluate("([name, url]) => clients[name](url)", [client, url])

        async def playing() -> bool:
            return bool(await page.evaluate("video.videoWidth === 160 && video.currentTime > 0.5"))

        await until(playing)
        room = running.meetings["one"].room
        assert room.count(Role.WATCH) == 1
        await page.evaluate("stop()")
        await eventually(lambda: room.count(Role.WATCH) == 0)
