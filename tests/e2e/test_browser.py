"""Chromium joins by the page, with a mannequin for a camera, and real models look at it."""

import asyncio
from pathlib import Path

import pytest

from reactions.mannequin import CAST
from tests.e2e.browser import (
    FAKE_CAMERA,
    camera_file,
    kill_browsers,
    launched,
    magenta,
    opened,
    until,
)
from tests.e2e.conftest import HEARTBEAT, SessionHandle
from tests.sidecar.clients import eventually

pytestmark = [pytest.mark.browser, pytest.mark.models]


@pytest.fixture
def smiling_camera(tmp_path: Path) -> str:
    """The flag that makes a smiling mannequin Chromium's camera."""
    person = next(iter(CAST.values()))
    return f"--use-file-for-fake-video-capture={camera_file(tmp_path, person, 'smile')}"


async def test_a_participant_joins_by_the_page_gets_a_sticker_and_leaves(
    meeting: SessionHandle, smiling_camera: str
) -> None:
    async with launched(*FAKE_CAMERA, smiling_camera) as browser:
        page = await opened(browser, meeting.url("").rstrip("/"))
        assert await magenta(page) == 0

        await page.fill("#name", "Grace")
        await page.click("#join")
        await eventually(lambda: meeting.sizes() == [(640, 360)])

        async def wears_sticker() -> bool:
            return await magenta(page) > 0.01

        await until(wears_sticker)
        (grace,) = meeting.session.stats().participants
        assert grace.name == "Grace"
        smile = page.get_by_role("meter", name="Smile")
        assert float(await smile.get_attribute("aria-valuenow") or 0) > 0.5
        assert await page.locator("#events li.own").filter(has_text="Smile").count() == 1
        assert await page.locator("#people li").all_inner_texts() == ["Grace (you)"]

        await page.get_by_role("button", name="Leave").click()
        await eventually(lambda: meeting.sizes() == [])

        async def is_gone() -> bool:
            return await magenta(page) == 0

        await until(is_gone)
        assert await page.locator("#people li").count() == 0


async def test_the_switch_stops_the_sampling_of_a_participant(
    meeting: SessionHandle, smiling_camera: str
) -> None:
    async with launched(*FAKE_CAMERA, smiling_camera) as browser:
        page = await opened(browser, meeting.url("").rstrip("/"))
        await page.get_by_role("switch").check(force=True)
        await page.click("#join")
        await eventually(lambda: meeting.sizes() == [(640, 360)])
        await asyncio.sleep(2)
        (person,) = meeting.session.stats().participants
        assert person.opted_out
        assert person.samples == 0

        await page.get_by_role("switch").uncheck(force=True)
        await eventually(lambda: meeting.session.stats().participants[0].samples > 0)
        assert not meeting.session.stats().participants[0].opted_out


async def test_closing_the_page_ends_the_sessions(
    meeting: SessionHandle, smiling_camera: str
) -> None:
    async with launched(*FAKE_CAMERA, smiling_camera) as browser:
        page = await opened(browser, meeting.url("").rstrip("/"))
        await page.click("#join")
        await eventually(lambda: meeting.sizes() == [(640, 360)])
        with meeting.session.events.listen() as listener:
            assert (await anext(listener)).kind == "participant.joined"
            await page.close(run_before_unload=False)
            async with asyncio.timeout(30):
                while (event := await anext(listener)).kind != "participant.left":
                    pass
            assert event.payload()["reason"] == "left"


async def test_a_killed_browser_loses_its_place(
    meeting: SessionHandle, smiling_camera: str
) -> None:
    async with launched(*FAKE_CAMERA, smiling_camera) as browser:
        page = await opened(browser, meeting.url("").rstrip("/"))
        await page.click("#join")
        await eventually(lambda: meeting.sizes() == [(640, 360)])
        kill_browsers()
        # aiortc by itself takes half a minute to notice.
        await eventually(lambda: meeting.sizes() == [], 3 * HEARTBEAT)
        await eventually(lambda: meeting.session.stats().viewers == 0, 3 * HEARTBEAT)
