"""A group of Galène with real models: on the fake server, and with Galène's page in Chromium."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page

from config.reaction_rule import ReactionRule
from config.settings import Settings
from reactions.landmarks.model_store import ModelStore
from reactions.mannequin import CAST
from sidecar.media.compositor.layout import arrange
from sidecar.rooms.base import JoinOptions, ReceiverConstraints
from sidecar.rooms.galene.adapter import ADAPTER
from sidecar.session.factories import make_detector, make_stickers
from sidecar.session.session import Session
from tests.e2e.browser import FAKE_CAMERA, camera_file, launched, magenta_share, until
from tests.e2e.conftest import SIZE, PoseTrack, sticker_share
from tests.servers.galene import OPEN, Galene, galene
from tests.sidecar.clients import eventually
from tests.sidecar.rooms.galene.conftest import NAME, attending
from tests.sidecar.rooms.galene.fake import fake_galene
from tests.sidecar.rooms.galene.people import Person, person, sees

pytestmark = pytest.mark.models


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Galene]:
    folder = tmp_path / "galene"
    folder.mkdir()
    async with galene(folder) as running:
        yield running


@asynccontextmanager
async def page_in(url: str, folder: Path, *, simulcast: str = "off") -> AsyncIterator[Page]:
    """Grace, smiling, in the group at ``url`` by Galène's page."""
    camera = camera_file(folder, next(iter(CAST.values())), "smile")
    flag = f"--use-file-for-fake-video-capture={camera}"
    async with launched(*FAKE_CAMERA, flag) as browser:
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        page.on("pageerror", lambda error: pytest.fail(f"the page's script failed: {error}"))
        await page.goto(url)
        await page.fill("#username", "Grace")
        await page.check("#presentboth", force=True)
        await page.evaluate("simulcast => updateSettings({simulcast})", simulcast)
        await page.click("#connectbutton")
        yield page


@pytest.mark.browser
@pytest.mark.servers
async def test_the_sticker_is_in_what_the_page_shows(
    server: Galene,
    tmp_path: Path,
    store: ModelStore,
    table: Mapping[str, ReactionRule],
    settings: Settings,
) -> None:
    url = server.url("room")
    stickers = make_stickers(table, settings)
    async with make_detector(store, table, settings) as detector, page_in(url, tmp_path) as page:
        room = ADAPTER.room(url, JoinOptions(NAME))
        async with Session(room, detector, stickers, table, settings) as session:
            await eventually(lambda: session.stats().participants)
            assert [person.name for person in session.stats().participants] == ["Grace"]
            composite = page.locator(".peer", has_text=NAME)

            async def wears_sticker() -> bool:
                return await composite.count() == 1 and await magenta_share(composite) > 0.01

            await until(wears_sticker)
            await page.fill("#input", "!reactions off")
            await page.press("#input", "Enter")

            async def wears_none() -> bool:
                return await magenta_share(composite) == 0

            await until(wears_none)
            assert session.stats().participants[0].opted_out
            await page.get_by_text("Your camera is left alone now.").wait_for()
            listed = await page.locator("#users .user-p").all_inner_texts()
            assert any(NAME in name for name in listed)


@pytest.mark.browser
@pytest.mark.servers
async def test_the_layer_follows_what_is_wanted(server: Galene, tmp_path: Path) -> None:
    url = server.url("room")
    async with page_in(url, tmp_path, simulcast="on"), attending(url) as attendance:
        await eventually(lambda: attendance.frames("Grace") > 10)
        feed = attendance.present["Grace"].feed
        assert feed is not None
        low = feed.size
        assert low is not None
        attendance.room.constrain("Grace", ReceiverConstraints(1280, 720, 15))
        await eventually(lambda: feed.size is not None and feed.size > low)
        attendance.room.constrain("Grace", ReceiverConstraints(80, 45, 15))
        await eventually(lambda: feed.size == low)
        frames = feed.frames
        await eventually(lambda: feed.frames > frames + 10)
        assert attendance.present["Grace"].feed is feed


@pytest.mark.browser
@pytest.mark.servers
async def test_a_browser_that_sends_vp9_alone_keeps_a_tile_with_its_name(
    server: Galene, tmp_path: Path
) -> None:
    url = server.add_group("vp9", {**OPEN, "codecs": ["vp9", "opus"]})
    async with page_in(url, tmp_path), attending(url) as attendance:
        await eventually(lambda: attendance.present)
        grace = attendance.present["Grace"]
        assert grace.feed is None
        assert "VP9" in grace.problem


async def test_a_pose_gets_its_sticker_until_its_participant_opts_out(
    store: ModelStore, table: Mapping[str, ReactionRule], settings: Settings, ada: PoseTrack
) -> None:
    stickers = make_stickers(table, settings)
    async with (
        fake_galene() as server,
        make_detector(store, table, settings) as detector,
        person(server.url("room"), "Ada") as guest,
    ):
        await guest.show(ada)
        room = ADAPTER.room(server.url("room"), JoinOptions(NAME))
        async with Session(room, detector, stickers, table, settings) as session:
            await guest.watch()
            await eventually(lambda: sees(guest, NAME))
            assert sticker(guest) == 0
            ada.pose = "thumbs_up"
            await eventually(lambda: sticker(guest) > 0.01)
            await guest.say("!reactions off")
            await eventually(lambda: sticker(guest) == 0)
            assert session.stats().participants[0].opted_out


def sticker(guest: Person) -> float:
    """The share of the composite that shows the sticker, as a participant receives it."""
    (watched,) = guest.watched.values()
    return 0.0 if watched.picture is None else sticker_share(watched.picture, arrange(1, *SIZE)[0])
