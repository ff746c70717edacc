"""Chromium with Janus' own client in a room that the sidecar takes part in, with real models."""

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
from sidecar.rooms.janus.adapter import ADAPTER
from sidecar.session.factories import make_detector, make_stickers
from sidecar.session.session import Session
from tests.e2e.browser import FAKE_CAMERA, camera_file, launched, magenta_share, until
from tests.e2e.npm import installed, served
from tests.servers.janus import JanusServer, Setup
from tests.sidecar.clients import eventually
from tests.sidecar.rooms.janus.attending import NAME, attending, options

pytestmark = [pytest.mark.npm, pytest.mark.browser, pytest.mark.servers]

ROOM = 1234


@pytest.fixture(scope="module")
def packages() -> Path:
    """Janus' public client."""
    return installed("npm-janus", "janus-gateway@1.4.2", "webrtc-adapter@9.0.3")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[JanusServer]:
    setup = Setup(rooms={str(ROOM): {"publishers": 6, "notify_joining": True}})
    async with JanusServer(tmp_path / "janus", setup) as running:
        yield running


@asynccontextmanager
async def page_in(
    server: JanusServer, packages: Path, folder: Path, *, simulcast: bool = False
) -> AsyncIterator[Page]:
    """Grace, smiling, in the room, watching the composite."""
    camera = camera_file(folder, next(iter(CAST.values())), "smile")
    flag = f"--use-file-for-fake-video-capture={camera}"
    async with launched(*FAKE_CAMERA, flag) as browser, served(packages) as origin:
        page = await browser.new_page()
        page.on("pageerror", lambda error: pytest.fail(f"the page's script failed: {error}"))
        await page.goto(f"{origin}/janus.html")
        await page.wait_for_function("window.join !== undefined")
        address = f"ws://127.0.0.1:{server.ports['ws']}"
        await page.evaluate(
            "([server, room, composite, simulcast]) =>"
            " join(server, room, 'Grace', composite, simulcast)",
            [address, ROOM, NAME, simulcast],
        )
        yield page


@pytest.mark.models
async def test_the_sticker_is_in_what_a_browser_in_the_room_shows(
    server: JanusServer,
    packages: Path,
    tmp_path: Path,
    store: ModelStore,
    table: Mapping[str, ReactionRule],
    settings: Settings,
) -> None:
    room = ADAPTER.room(server.url(str(ROOM)), options())
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

        await until(wears_sticker)
        # Her client knows of the composite only: the watcher is hidden.
        assert set(await page.evaluate("roster")) == {NAME}
        await page.evaluate("say('!reactions off')")
        await until(wears_none)
        assert session.stats().participants[0].opted_out


async def test_the_substream_follows_what_is_wanted(
    server: JanusServer, packages: Path, tmp_path: Path
) -> None:
    async with (
        attending(server.url(str(ROOM))) as sidecar,
        page_in(server, packages, tmp_path, simulcast=True),
    ):
        await eventually(lambda: sidecar.frames("Grace") > 10)
        (grace,) = sidecar.present
        feed = sidecar.feed("Grace")
        assert feed is not None
        smallest = feed.size
        assert smallest is not None
        sidecar.room.constrain(grace, ReceiverConstraints(640, 360, 15))
        await eventually(lambda: feed.size == (640, 360))
        sidecar.room.constrain(grace, ReceiverConstraints(*smallest, 15))
        await eventually(lambda: feed.size == smallest)
        frames = feed.frames
        await eventually(lambda: feed.frames > frames + 10)
        assert sidecar.feed("Grace") is feed
