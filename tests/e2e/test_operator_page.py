"""The operator's page in Chromium, with rooms in memory."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import Page

from config.reaction_table import load_reaction_table
from config.settings import Settings
from reactions.labels import LABELS
from sidecar.server.api.app import ApiOptions, create_api
from sidecar.server.api.event_endpoints import EventEndpoints
from sidecar.server.api.metrics import MetricSources
from sidecar.server.api.operator_page import OperatorEndpoints, operator_routes
from sidecar.server.api.room_endpoints import RoomEndpoints
from sidecar.server.api.system_endpoints import SystemEndpoints
from sidecar.server.api.tokens import Authenticator, known_token
from sidecar.supervisor.control import Begin, plain_settings
from sidecar.supervisor.journal import Journal
from sidecar.supervisor.room_urls import check_room_url
from sidecar.supervisor.secrets import SecretStore
from sidecar.supervisor.supervisor import RoomParts, Supervisor
from sidecar.supervisor.values import RoomRequest
from tests.e2e.accessibility import violations
from tests.e2e.browser import FAKE_CAMERA, launched, opened
from tests.sidecar.clients import eventually
from tests.sidecar.server.conftest import running_server
from tests.sidecar.supervisor.memory_handle import MemoryHandle
from tests.sidecar.supervisor.test_supervisor import OPTIONS, REFERENCES

pytestmark = pytest.mark.browser

TOKEN = "a-token-that-is-long-enough"
URL = "wss://sfu.example/#standup"
TABLE = load_reaction_table(LABELS, environ={})
RULES = {label: rule.model_dump(mode="json") for label, rule in TABLE.items()}
SETTINGS = plain_settings(Settings(composite={"width": 320, "height": 180, "fps": 5}))


def begin(room: str, request: RoomRequest, secrets: Mapping[str, str]) -> Begin:
    return Begin(room=room, request=request, secrets=dict(secrets), settings=SETTINGS, table=RULES)


def check(request: RoomRequest) -> str:
    check_room_url(request.url)
    return request.url


@asynccontextmanager
async def serving(*, token: bool = False) -> AsyncIterator[tuple[Supervisor, str]]:
    """A supervisor of rooms in memory, and the address of its page."""
    supervisor = Supervisor(
        replace(OPTIONS, cores=100.0),
        RoomParts(lambda request: MemoryHandle(), begin, check),
        journal=Journal(None),
        store=SecretStore(),
        references=REFERENCES,
    )
    authenticator = Authenticator((known_token(TOKEN, "one"),) if token else ())
    async with supervisor:
        sources = MetricSources(supervisor)
        page = OperatorEndpoints(sources, authenticator, lambda: ["thumbs_up", "wave"])
        app = create_api(
            [
                *RoomEndpoints(supervisor).endpoints(),
                *EventEndpoints(supervisor).endpoints(),
                *page.endpoints(),
            ],
            SystemEndpoints(sources, faults=list, drain=lambda: None),
            authenticator,
            ApiOptions("127.0.0.1", rate=1000.0),
            pages=operator_routes(),
        )
        async with TestServer(app) as server:
            yield supervisor, str(server.make_url("/"))


async def visit(page: Page, url: str) -> None:
    """Open the page; script errors fail the test."""
    page.on("pageerror", lambda error: pytest.fail(f"the page's script failed: {error}"))
    await page.goto(url)


async def join(page: Page) -> None:
    """Join a room by the form and wait until it is live."""
    await page.fill("#url", URL)
    await page.get_by_role("button", name="Join", exact=True).click()
    await page.locator('#rooms .state[data-state="live"]').wait_for()


async def test_the_page_asks_for_a_token_and_keeps_it_from_scripts() -> None:
    async with serving(token=True) as (_, url), launched() as browser:
        page = await browser.new_page()
        await visit(page, url)
        await page.get_by_label("Token").fill("a-token-that-is-wrong")
        await page.keyboard.press("Enter")
        await page.locator("#login-notice", has_text="not known").wait_for()
        await page.get_by_label("Token").fill(TOKEN)
        await page.keyboard.press("Enter")
        await page.locator("#join").wait_for()
        assert TOKEN not in await page.evaluate("document.cookie + location.href")
        await page.get_by_role("button", name="Log out").click()
        await page.get_by_label("Token").wait_for()


async def test_a_room_is_joined_paused_and_left_by_the_page() -> None:
    async with serving() as (supervisor, url), launched() as browser:
        page = await browser.new_page()
        page.on("dialog", lambda dialog: dialog.accept())
        await visit(page, url)
        await join(page)
        (room,) = supervisor.rooms()
        await page.get_by_role("button", name="Pause").click()
        await eventually(lambda: room.state == "paused")
        await page.get_by_role("button", name="Resume").click()
        await eventually(lambda: room.state == "live")
        await page.get_by_role("button", name="Leave").click()
        await eventually(lambda: room.state == "ended")
        await page.locator('#rooms .state[data-state="ended"]').wait_for()
        (first, *_) = await page.locator("#events li").all_inner_texts()
        assert URL in first


async def test_participants_are_opted_out_and_reactions_played() -> None:
    async with serving() as (_, url), launched() as browser:
        page = await browser.new_page()
        await visit(page, url)
        await join(page)
        participant = page.locator("#participants li").first
        await participant.wait_for()
        await page.select_option("#label", "wave")
        await page.get_by_role("button", name="Play").click()
        await page.locator("#events li", has_text="wave").wait_for()
        await participant.get_by_label("No reactions").check()
        await page.get_by_role("button", name="Preview").click()
        await page.wait_for_function("document.getElementById('composite').naturalWidth === 320")


async def test_a_url_that_may_not_be_joined_is_refused_in_words() -> None:
    async with serving() as (_, url), launched() as browser:
        page = await browser.new_page()
        await visit(page, url)
        await page.fill("#url", "file:///etc/passwd")
        await page.get_by_role("button", name="Join", exact=True).click()
        notice = page.get_by_role("alert")
        await notice.wait_for()
        assert "file" in await notice.inner_text()


@pytest.mark.parametrize("width", [1280, 390], ids=["desktop", "phone"])
async def test_the_page_is_accessible_and_fits(width: int) -> None:
    async with serving(token=True) as (_, url), launched() as browser:
        page = await browser.new_page(viewport={"width": width, "height": 844})
        await visit(page, url)
        await page.get_by_label("Token").wait_for()
        assert await violations(page) == []
        await page.get_by_label("Token").fill(TOKEN)
        await page.keyboard.press("Enter")
        await join(page)
        await page.locator("#participants li").first.wait_for()
        assert await violations(page) == []
        scroll = "document.documentElement.scrollWidth"
        assert await page.evaluate(scroll) == width


async def test_the_room_page_is_accessible() -> None:
    async with launched(*FAKE_CAMERA) as browser, running_server(table=TABLE) as running:
        page = await opened(browser, running.url("/rooms/one"))
        await page.click("#join")
        await page.locator("#events li").first.wait_for()
        assert await violations(page) == []
