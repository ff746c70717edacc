"""The teaching page in Chromium with a fake camera: from the recording to a bundle in use."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from reactions.bundle import SHIPPED_BUNDLE, ModelBundle
from reactions.gestures.hand_classifier import HandShapeClassifier
from reactions.landmarks.model_store import ModelStore
from reactions.mannequin import CAST
from reactions.training import taught_network, teach
from sidecar.modelling.teach import ExampleReader, Examples, TeachOptions
from sidecar.modelling.webcam_lesson import WebcamLesson
from sidecar.modelling.webcam_page import BundleTeacher, teaching_page
from sidecar.supervisor.model_store import BundleStore
from tests.e2e.accessibility import violations
from tests.e2e.browser import FAKE_CAMERA, PATIENCE, acted_camera_file, launched

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
SECONDS = 2.0
Scheme = Literal["light", "dark"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """Its camera shows three fingers for nine seconds, and then another hand for a minute: the page
    counts down twice and records twice."""
    person = next(iter(CAST.values()))
    acts = (("three_fingers", 9.0), ("fist", 61.0))
    path = acted_camera_file(tmp_path_factory.mktemp("camera") / "acts.y4m", person, acts)
    async with launched(*FAKE_CAMERA, f"--use-file-for-fake-video-capture={path}") as found:
        yield found


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teach, "KNOWN_HANDS", 3000)
    monkeypatch.setattr(taught_network, "_STEPS", 200)


@asynccontextmanager
async def teaching(
    browser: Browser, folder: Path, scheme: Scheme = "light", width: int = 1280
) -> AsyncIterator[tuple[Page, WebcamLesson]]:
    """The page of a lesson with the real models; script errors fail the test."""
    options, classifier = TeachOptions("three", title="Three"), HandShapeClassifier()
    teacher = BundleTeacher(options, BundleStore(folder), SHIPPED_BUNDLE, classifier, Examples())
    lesson = WebcamLesson(lambda: ExampleReader(options.view, ModelStore(), classifier), teacher)
    async with lesson, teaching_page(lesson, options, seconds=SECONDS) as new_address:
        context = await browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
        )
        page = await context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: pytest.fail(f"the page's script failed: {error}"))
        await page.goto(new_address())
        await page.locator("#status", has_text="ready").wait_for()
        try:
            yield page, lesson
        finally:
            await context.close()


async def recorded(page: Page) -> None:
    """Record both parts, by the keyboard alone."""
    await page.locator("#record").focus()
    await page.keyboard.press("Enter")
    await page.locator("#record", has_text="Record").wait_for()
    await page.locator("#cue", has_text="Press Record").wait_for()
    await page.keyboard.press("Enter")
    await page.locator("#cue", has_text="Look at the frames").wait_for()
    await page.locator("#teach:enabled").wait_for()


async def test_a_recording_becomes_a_bundle_in_use(browser: Browser, tmp_path: Path) -> None:
    async with teaching(browser, tmp_path) as (page, lesson):
        await recorded(page)
        assert len(lesson.frames.of(True)) == len(lesson.frames.of(False)) == SECONDS / 0.2
        assert await page.locator("#shown .frame path").count() >= 5
        assert await page.evaluate("document.activeElement.id") == "teach"
        await page.get_by_role("button", name="Remove frame 1").first.press("Enter")
        await page.locator("#shown-count", has_text="9 frames").wait_for()
        await page.locator("#teach").click()
        await page.locator("#figures").wait_for()
        rows = page.locator("#rows tr")
        assert await rows.first.locator("th").inner_text() == "three"
        assert await rows.filter(has_text="open_palm").count() == 1
        assert not (tmp_path / "active.json").exists()
        await page.keyboard.press("Enter")
        await page.locator("#taught-what", has_text="taught-1 is in use").wait_for()
        assert BundleStore(tmp_path).names().active == "taught-1"
        (label,) = ModelBundle.read(tmp_path / "taught-1").taught
        assert label.name == "three"
        assert lesson.frames.of(True) == []
        assert not await page.evaluate("document.getElementById('video').srcObject")
    assert names_in(tmp_path) == {"taught-1", "active.json"}


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_is_accessible_at_a_phones_width_and_what_is_discarded_is_deleted(
    browser: Browser, tmp_path: Path, scheme: Scheme
) -> None:
    async with teaching(browser, tmp_path, scheme, width=360) as (page, _):
        assert await violations(page) == []
        await recorded(page)
        assert await violations(page) == []
        await page.locator("#teach").click()
        await page.locator("#figures").wait_for()
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        await page.locator("#discard").click()
        await page.locator("#teach:enabled").wait_for()
        assert not (tmp_path / "taught-1").exists()
