"""Chromium with LiveKit's own client in a room that the sidecar takes part in, with real models."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page

from config.reaction_rule import ReactionRule
from config.settings import Settings
from reactions.landmarks.model_store import ModelStore
from reactions.mannequin import CAST
from sidecar.rooms.base import ReceiverConstraints
from sidecar.session.factories import make_detector, make_stickers
from sidecar.session.session import Session
from tests.e2e.browser import FAKE_CAMERA, camera_file, launched, magenta_share, until
from tests.e2e.npm import installed, served
from tests.servers.livekit import LiveKit, livekit
from tests.sidecar.clients import eventually
from tests.sidecar.rooms.livekit.conftest import LIVEKIT, options, seen
from tests.sidecar.rooms.livekit.guest import token

pytestmark = [pytest.mark.npm, pytest.mark.browser, pytest.mark.servers]

ROOM = "room"


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
    server: LiveKit, packages: Path, folder: Path, **publishing: object
) -> AsyncIterator[Page]:
    """Grace, smiling, in the room, watching the composite."""
    camera = camera_file(folder, next(iter(CAST.values())), "smile")
    flag = f"--use-file-for-fake-video-capture={camera}"
    async with launched(*FAKE_CAMERA, flag) as browser, served(packages) as origin:
        page = await browser.new_page()
        page.on("pageerror", lambda error: pytest.fail(f"the page's script failed: {error}"))
        await page.goto(f"{origin}/livekit.html")
        await page.evaluate(
            "([url, token, publishing]) => join(url, token, publishing)",
            [server.address, token(ROOM, "grace"), {"videoCodec": "vp8", **publishing}],
        )
        yield page


@pytest.mark.models
async def test_the_sticker_is_in_what_a_browser_in_the_room_shows(
    server: LiveKit,
    packages: Path,
    tmp_path: Path,
    store: ModelStore,
    table: Mapping[str, ReactionRule],
    settings: Settings,
) -> None:
    room = LIVEKIT.room(server.url(ROOM), options(server))
    stickers = make_stickers(table, settings)
    async with (
        make_detector(store, table, settings) as detector,
        Session(room, detector, stickers, table, settings) as session,
        page_in(server, packages, tmp_path) as page,
    ):
        await eventually(lambda: session.stats().participants)
        (grace,) = session.stats().participants
        assert grace.name == "Grace"
        composite = page.locator("#composite")

        async def wears_sticker() -> bool:
            return await magenta_share(composite) > 0.01

        async def wears_none() -> bool:
            return await magenta_share(composite) == 0

        async def received() -> bool:
            await room.announce({"kind": "reaction.started"})
            return ["reactions", "Reactions", '{"kind":"reaction.started"}'] in (
                await page.evaluate("data")
            )

        await until(wears_sticker)
        await until(received)
        # Her client knows of the composite only: the watcher is hidden.
        assert await page.evaluate("names()") == ["Reactions"]
        await page.evaluate("say('!reactions off')")
        await until(wears_none)
        assert session.stats().participants[0].opted_out
        await page.evaluate("write('!reactions on')")
        await until(wears_sticker)


async def test_the_layer_follows_what_is_wanted_and_the_camera_its_switch(
    server: LiveKit, packages: Path, tmp_path: Path
) -> None:
    async with seen(server, ROOM) as sight, page_in(server, packages, tmp_path) as page:
        await eventually(lambda: sight.present and sight.camera("grace").frames > 10)
        feed = sight.camera("grace")
        # A busy browser begins with one layer alone.
        await eventually(lambda: feed.size == (320, 180))
        sight.room.constrain("grace", ReceiverConstraints(640, 360, 15))
        await eventually(lambda: feed.size == (640, 360))
        sight.room.constrain("grace", ReceiverConstraints(320, 180, 15))
        await eventually(lambda: feed.size == (320, 180))
        frames = feed.frames
        await eventually(lambda: feed.frames > frames + 10)
        assert sight.camera("grace") is feed
        await page.evaluate("camera(false)")
        await eventually(lambda: not sight.present)
        await page.evaluate("camera(true)")
        await eventually(lambda: sight.present and sight.camera("grace").frames > 10)


async def test_a_browser_whose_codec_has_a_backup_is_seen(
    server: LiveKit, packages: Path, tmp_path: Path
) -> None:
    vp9 = page_in(server, packages, tmp_path, videoCodec="vp9", backupCodec=True)
    async with seen(server, ROOM) as sight, vp9:
        await eventually(lambda: sight.present and sight.camera("grace").frames > 10)
