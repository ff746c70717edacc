"""The operator's page in Chromium: rooms."""

import re
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
import pytest_asyncio

from tests.e2e.accessibility import violations
from tests.e2e.browser import FAKE_CAMERA, SharedBrowser, opened, until, visit
from tests.e2e.operator_server import TABLE, TOKEN, URL, confirm, join, log_in, serving
from tests.sidecar.clients import eventually
from tests.sidecar.server.conftest import running_server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[SharedBrowser]:
    async with aclosing(SharedBrowser(*FAKE_CAMERA)) as shared:
        yield shared


async def test_the_page_asks_for_a_token_and_keeps_it_from_scripts(chromium: SharedBrowser) -> None:
    async with serving(token=True) as (_, url), chromium.visitor() as browser:
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


async def test_a_room_is_joined_paused_and_left_by_the_page(chromium: SharedBrowser) -> None:
    async with serving() as (supervisor, url), chromium.visitor() as browser:
        page = await browser.new_page()
        await visit(page, url)
        await join(page)
        (room,) = supervisor.rooms()
        await page.get_by_role("button", name="Pause").click()
        await eventually(lambda: room.state == "paused")
        await page.get_by_role("button", name="Resume").click()
        await eventually(lambda: room.state == "live")
        assert await page.input_value("#room-sensitivity") == ""
        await page.select_option("#room-sensitivity", "calm")
        await eventually(lambda: room.request.sensitivity == "calm")
        await page.get_by_role("button", name="Leave", exact=True).click()
        await confirm(page, "Leave")
        await eventually(lambda: room.state == "ended")
        await page.locator('#rooms .state[data-state="ended"]').wait_for()
        (first, *_) = await page.locator("#events li").all_inner_texts()
        assert URL in first


async def test_participants_are_opted_out_and_reactions_played(chromium: SharedBrowser) -> None:
    async with serving() as (_, url), chromium.visitor() as browser:
        page = await browser.new_page()
        await visit(page, url)
        await join(page)
        participant = page.locator("#participants li").first
        await participant.wait_for()
        await page.select_option("#label", "wave")
        await page.get_by_role("button", name="Play").click()
        await page.locator("#events li", has_text="Wave").wait_for()
        await page.locator("#counts li", has_text=re.compile("Wave\\s*1")).wait_for()
        ages = re.compile(r"Age of samples\s*median \d+\.\d s, oldest \d+\.\d s")
        await page.locator("#room-figures", has_text=ages).wait_for()
        await participant.get_by_label("No reactions").check()
        await page.get_by_role("button", name="Preview").click()
        # Not by wait_for_function: the page's policy forbids what that evaluates from a timer.
        width = "document.getElementById('composite').naturalWidth"
        await until(lambda: page.evaluate(f"{width} === 320"))


async def test_a_failed_room_says_what_to_do_and_is_joined_again(chromium: SharedBrowser) -> None:
    async with serving() as (_, url), chromium.visitor() as browser:
        page = await browser.new_page()
        await visit(page, url)
        await page.fill("#url", "wss://sfu.example/#refused")
        await page.get_by_role("button", name="Join", exact=True).click()
        await page.locator('#rooms .state[data-state="failed"]').wait_for()
        todo = "To do: give LIVEKIT_API_KEY in secrets."
        await page.locator("#trouble", has_text=todo).wait_for()
        assert "sfu: HTTP 401: token required" in await page.locator("#trouble").inner_text()
        assert await page.get_by_role("button", name="Pause").is_hidden()
        assert await violations(page) == []
        await page.get_by_role("button", name="Join again").click()
        assert await page.locator("#url").input_value() == "wss://sfu.example/#refused"


async def test_a_url_that_may_not_be_joined_is_refused_in_words(chromium: SharedBrowser) -> None:
    async with serving() as (_, url), chromium.visitor() as browser:
        page = await browser.new_page()
        await visit(page, url)
        await page.fill("#url", "file:///etc/passwd")
        await page.get_by_role("button", name="Join", exact=True).click()
        notice = page.get_by_role("alert")
        await notice.wait_for()
        assert "file" in await notice.inner_text()


@pytest.mark.parametrize("width", [1280, 390], ids=["desktop", "phone"])
async def test_the_page_is_accessible_and_fits(chromium: SharedBrowser, width: int) -> None:
    async with serving(token=True) as (_, url), chromium.visitor() as browser:
        page = await browser.new_page(viewport={"width": width, "height": 844})
        await visit(page, url)
        await page.get_by_label("Token").wait_for()
        assert await violations(page) == []
        await log_in(page)
        await join(page)
        await page.locator("#participants li").first.wait_for()
        assert await violations(page) == []
        scroll = "document.documentElement.scrollWidth"
        assert await page.evaluate(scroll) == width


async def test_the_room_page_is_accessible(chromium: SharedBrowser) -> None:
    async with chromium.visitor() as browser, running_server(table=TABLE) as running:
        page = await opened(browser, running.url("/rooms/one"))
        await page.click("#join")
        await page.locator("#events li").first.wait_for()
        assert await violations(page) == []
