"""Independent WHIP and WHEP clients from npm, in Chromium, publish to and watch a room."""

import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import platformdirs
import pytest
from aiohttp import web
from playwright.async_api import Page

from sidecar.rooms.embedded.offer import Role
from tests.e2e.browser import FAKE_CAMERA, launched, until
from tests.sidecar.clients import eventually
from tests.sidecar.server.conftest import open_house

pytestmark = [pytest.mark.npm, pytest.mark.browser]

PACKAGES: Final = (
    "@eyevinn/whip-web-client@1.1.7",
    "@eyevinn/webrtc-player@0.13.0",
    "whip-whep@1.2.0",
)
PAGES: Final = Path(__file__).with_name("pages")


@pytest.fixture(scope="module")
def packages() -> Path:
    """The folder of the installed packages, kept from run to run outside the tree."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm here: install Node.js")
    folder = platformdirs.user_cache_path("reaction-sidecar") / "npm-clients"
    stamp = folder / "installed"
    wanted = "\n".join(PACKAGES)
    if not stamp.is_file() or stamp.read_text() != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit"]
        done = subprocess.run(
            [*command, "--no-fund", *PACKAGES], capture_output=True, text=True, timeout=300
        )
        if done.returncode:
            pytest.skip(f"npm can't install the clients: {done.stderr.strip()[-300:]}")
        stamp.write_text(wanted)
    return folder / "node_modules"


@asynccontextmanager
async def client_page(packages: Path) -> AsyncIterator[Page]:
    """A page of another origin that can load the clients."""
    app = web.Application()
    app.router.add_static("/node_modules", packages)
    app.router.add_static("/", PAGES)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        async with launched(*FAKE_CAMERA) as browser:
            page = await browser.new_page()
            await page.goto(f"http://127.0.0.1:{runner.addresses[0][1]}/clients.html")
            yield page
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("client", ["@eyevinn/whip-web-client", "whip-whep/whip.js"])
async def test_an_independent_client_publishes_and_says_goodbye(
    packages: Path, client: str
) -> None:
    async with open_house() as house, client_page(packages) as page:
        url = house.url("/rooms/one/whip?name=Guest")
        await page.evaluate("([name, url]) => clients[name](url)", [client, url])
        # Some clients come back before they have sent their offer.
        await eventually(lambda: "one" in house.meetings)
        meeting = house.meetings["one"]
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
    async with open_house() as house, client_page(packages) as page:
        url = house.url("/rooms/one/whep")
        await page.evaluate("([name, url]) => clients[name](url)", [client, url])

        async def playing() -> bool:
            return bool(await page.evaluate("video.videoWidth === 160 && video.currentTime > 0.5"))

        await until(playing)
        room = house.meetings["one"].room
        assert room.count(Role.WATCH) == 1
        await page.evaluate("stop()")
        await eventually(lambda: room.count(Role.WATCH) == 0)
