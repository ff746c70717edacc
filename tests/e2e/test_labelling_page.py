"""The labelling page in Chromium: by labelImg's keys and by pointer, over a data set on disk."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Route

from config.errors import PictureError
from reactions.datasets.opinions import ModelOpinion, ProposedBox
from reactions.datasets.records import LabelledBox, PictureRecord
from reactions.datasets.store import changing_dataset, open_dataset
from sidecar.datasets.label_editor import LabelEditor
from sidecar.datasets.labelling import labelling_server
from sidecar.server.page_access import PageAccess
from tests.e2e.accessibility import violations
from tests.e2e.browser import launched, until
from tests.reactions.datasets.pictures import draw, record_of

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
SIZE = 320, 240
Scheme = Literal["light", "dark"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with launched() as found:
        yield found


def judge(record: PictureRecord, path: Path) -> ModelOpinion:
    """A recogniser that sees a thumb in the right half of every picture, and a face without one."""
    if not path.is_file():
        raise PictureError("is missing")
    thumb = ProposedBox("thumbs_up", 200, 60, 300, 200, 0.93, "hand")
    return ModelOpinion(
        record.file, "scripted", (thumb, ProposedBox("", 20, 20, 90, 110, 1.0, "face"))
    )


def make(folder: Path, count: int, boxes: tuple[LabelledBox, ...] = ()) -> None:
    """A data set of ``count`` pictures; the first one has ``boxes``."""
    with changing_dataset(folder, create=True) as dataset:
        for seed in range(count):
            path = draw(folder.parent / "drawn" / f"picture {seed:04d}.png", seed, SIZE)
            dataset.put(record_of(path, boxes if seed == 0 else ()), path)
        dataset.save()


@asynccontextmanager
async def labelling(
    browser: Browser, folder: Path, color_scheme: Scheme = "light"
) -> AsyncIterator[Page]:
    """The page of the data set in ``folder``, loaded; script errors fail the test."""
    with changing_dataset(folder) as dataset:
        editor = LabelEditor(dataset, judge, model="scripted", judged=("thumbs_up", "fist"))
        access, labels = PageAccess(), ("fist", "thumbs_up")
        async with editor, labelling_server(editor, access, labels=labels) as listener:
            context = await browser.new_context(
                viewport={"width": 1280, "height": 720},
                reduced_motion="reduce",
                color_scheme=color_scheme,
            )
            page = await context.new_page()
            page.on("pageerror", lambda error: pytest.fail(f"the page's script failed: {error}"))
            await page.goto(listener.url(f"/?code={access.new_code()}"))
            await page.locator("#stage img").wait_for()
            try:
                yield page
            finally:
                await context.close()


async def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag between two places of the picture, in shares of its sides."""
    box = await page.locator("#stage img").bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    await page.mouse.move(*places[0])
    await page.mouse.down()
    await page.mouse.move(*places[1], steps=3)
    await page.mouse.up()


async def width_of(element: Locator) -> float:
    """Pixels of the screen."""
    box = await element.bounding_box()
    assert box is not None
    return box["width"]


async def saved(page: Page, holds: Callable[[], bool]) -> None:
    """Wait until the page says that all is saved, and what is on disk ``holds``."""

    async def both() -> bool:
        return await page.locator("#status").inner_text() == "saved" and holds()

    await until(both)


def boxes_of(folder: Path, index: int = 0) -> tuple[LabelledBox, ...]:
    return list(open_dataset(folder).records.values())[index].boxes


async def test_a_box_is_drawn_labelled_undone_and_kept_as_voc(
    browser: Browser, tmp_path: Path
) -> None:
    folder = tmp_path / "tea"
    make(folder, 2)
    async with labelling(browser, folder) as page:
        await page.keyboard.press("w")
        await drag(page, (0.25, 0.25), (0.75, 0.5))
        # No label for new boxes is chosen yet: the box asks for its own.
        await page.keyboard.type("cup")
        await page.keyboard.press("Enter")
        await saved(page, lambda: len(boxes_of(folder)) == 1)
        box = boxes_of(folder)[0]
        assert box.label == "cup"
        edges = np.array([box.left, box.top, box.right, box.bottom])
        assert np.abs(edges - [80, 60, 240, 120]).max() < 2
        (xml,) = (folder / "annotations").glob("*.xml")
        root = ElementTree.parse(xml).getroot()
        assert [one.text for one in root.iterfind("object/name")] == ["cup"]
        # The next one gets the same label; undo and redo by labelImg's keys.
        await page.keyboard.press("w")
        await drag(page, (0.1, 0.7), (0.3, 0.9))
        await saved(page, lambda: [one.label for one in boxes_of(folder)] == ["cup", "cup"])
        await page.keyboard.press("Control+z")
        await saved(page, lambda: len(boxes_of(folder)) == 1)
        await page.keyboard.press("Control+y")
        await saved(page, lambda: len(boxes_of(folder)) == 2)
        await page.keyboard.press("Delete")
        await page.keyboard.press("n")
        await page.keyboard.press("Delete")
        await page.keyboard.press("Control+s")
        await saved(page, lambda: len(boxes_of(folder)) < 2)


async def test_a_box_without_a_label_stays_with_no_other_picture(
    browser: Browser, tmp_path: Path
) -> None:
    folder = tmp_path / "tea"
    make(folder, 2)
    async with labelling(browser, folder) as page:
        await page.keyboard.press("w")
        await drag(page, (0.25, 0.25), (0.75, 0.5))
        await page.locator("#boxes li").wait_for()
        await page.keyboard.press("Enter")
        await page.keyboard.press("d")
        await page.locator("#place", has_text="2 / 2").wait_for()
        assert await page.locator("#boxes li").count() == 0
        await page.keyboard.press("a")
        await page.locator("#place", has_text="1 / 2").wait_for()
        assert await page.locator("#boxes li").count() == 0


async def test_keys_alone_draw_move_and_go_on(browser: Browser, tmp_path: Path) -> None:
    folder = tmp_path / "tea"
    make(folder, 3)
    async with labelling(browser, folder) as page:
        await page.keyboard.press("1")
        await page.keyboard.press("w")
        await page.keyboard.press("Enter")
        await saved(page, lambda: len(boxes_of(folder)) == 1)
        before = boxes_of(folder)[0]
        assert before.label == "fist"
        await page.keyboard.press("Shift+ArrowRight")
        await page.keyboard.press("Alt+ArrowDown")
        await saved(page, lambda: boxes_of(folder)[0].bottom > before.bottom)
        after = boxes_of(folder)[0]
        assert after.left == pytest.approx(before.left + 10)
        assert after.top == before.top
        await page.keyboard.press("d")
        await page.locator("#place", has_text="2 / 3").wait_for()
        await page.keyboard.press("d")
        await page.keyboard.press("a")
        await page.locator("#place", has_text="2 / 3").wait_for()
        assert await page.locator(".picture-row[aria-current]").inner_text() != ""
        zoomed = page.locator("#stage img")
        size = await width_of(zoomed)
        await page.keyboard.press("+")
        assert await width_of(zoomed) > size * 1.2
        await page.keyboard.press("0")
        assert await width_of(zoomed) == pytest.approx(size)


async def focused(page: Page) -> str:
    """What has the focus: its name for screen readers, else its id."""
    found: str = await page.evaluate(
        "() => document.activeElement.ariaLabel ?? document.activeElement.id"
    )
    return found


async def test_a_label_that_is_typed_while_the_lists_are_drawn_again_is_kept(
    browser: Browser, tmp_path: Path
) -> None:
    folder = tmp_path / "tea"
    make(folder, 1, (LabelledBox("cup", 80, 60, 160, 120),))
    async with labelling(browser, folder) as page:
        await page.locator("#proposed li").first.wait_for()
        await page.keyboard.press("n")
        await page.keyboard.press("e")
        await page.keyboard.type("mug")
        # As news of the model do.
        await page.locator("#show-proposed").dispatch_event("change")
        assert await focused(page) == "Label of box 1"
        await page.keyboard.press("Tab")
        await saved(page, lambda: [one.label for one in boxes_of(folder)] == ["mug"])
        assert await page.locator("#labels option[value=mug]").count() == 1


async def test_buttons_keep_the_focus_and_arrows_move_without_one(
    browser: Browser, tmp_path: Path
) -> None:
    folder = tmp_path / "tea"
    cups = tuple(LabelledBox("cup", left, 60, left + 40, 120) for left in (10, 80, 150))
    make(folder, 1, cups)
    async with labelling(browser, folder) as page:
        await page.locator("#proposed li").first.wait_for()
        await page.keyboard.press("n")
        await page.evaluate("() => document.activeElement.blur()")
        await page.keyboard.press("Shift+ArrowDown")
        await saved(page, lambda: boxes_of(folder)[0].top == pytest.approx(70))
        await page.get_by_role("button", name="Delete box 2, cup").focus()
        await page.keyboard.press("Enter")
        await saved(page, lambda: len(boxes_of(folder)) == 2)
        assert await focused(page) == "Delete box 2, cup"
        await page.keyboard.press("Enter")
        await saved(page, lambda: len(boxes_of(folder)) == 1)
        stage = await page.locator("#stage").get_attribute("aria-label")
        assert await focused(page) == (stage or "stage")


async def test_what_the_server_refuses_is_not_sent_again_by_itself(
    browser: Browser, tmp_path: Path
) -> None:
    folder = tmp_path / "tea"
    make(folder, 1, (LabelledBox("cup", 80, 60, 160, 120),))
    refused: list[str] = []

    async def refuse(route: Route) -> None:
        if route.request.method == "PUT":
            refused.append(route.request.url)
            await route.fulfill(status=422, json={"detail": "is refused"})
        else:
            await route.fallback()

    async with labelling(browser, folder) as page:
        await page.locator("#proposed li").first.wait_for()
        await page.clock.install()
        await page.route("**/labelling/pictures/*", refuse)
        await page.locator("#stage").focus()
        await page.keyboard.press("n")
        await page.keyboard.press("Delete")
        await page.clock.run_for(1_000)
        await page.locator("#status", has_text="not saved: is refused").wait_for()
        for _ in range(3):
            await page.clock.run_for(10_000)
        assert len(refused) == 1
        await page.unroute_all()
        await page.keyboard.press("Control+z")
        await page.keyboard.press("Control+y")
        await page.clock.run_for(1_000)
        await saved(page, lambda: boxes_of(folder) == ())


async def test_the_model_proposes_and_doubts(browser: Browser, tmp_path: Path) -> None:
    folder = tmp_path / "tea"
    make(folder, 3, (LabelledBox("fist", 190, 50, 310, 210), LabelledBox("mug", 1, 1, 60, 60)))
    async with labelling(browser, folder) as page:
        doubt = page.locator("#boxes .doubt")
        await doubt.wait_for()
        text = "The model doubts it: it sees thumbs_up (93 %)."
        assert await doubt.locator("span").inner_text() == text
        await page.select_option("#state", "doubted")
        await page.locator("#count", has_text="1 of 3 pictures").wait_for()
        await page.select_option("#state", "unlabelled")
        await page.locator("#count", has_text="2 of 3 pictures").wait_for()
        await page.locator("#place", has_text="1 / 2").wait_for()
        await page.locator("#proposed li").nth(1).wait_for()
        await page.locator("#label").fill("ada")
        await page.locator("#stage").focus()
        await page.keyboard.press("p")
        await saved(page, lambda: len(boxes_of(folder, 1)) == 2)
        assert [one.label for one in boxes_of(folder, 1)] == ["thumbs_up", "ada"]
        await page.select_option("#state", "doubted")
        await page.get_by_role("button", name="Label box 1 thumbs_up").click()
        await saved(page, lambda: boxes_of(folder)[0].label == "thumbs_up")
        await doubt.wait_for(state="detached")
        await page.select_option("#state", "")
        await page.select_option("#with-label", "mug")
        await page.locator("#count", has_text="1 of 3 pictures").wait_for()


async def test_a_box_is_selected_moved_and_resized_by_pointer(
    browser: Browser, tmp_path: Path
) -> None:
    folder = tmp_path / "tea"
    make(folder, 1, (LabelledBox("cup", 80, 60, 160, 120),))
    async with labelling(browser, folder) as page:
        await drag(page, (0.375, 0.375), (0.5, 0.5))
        await saved(page, lambda: boxes_of(folder)[0].left > 100)
        moved = boxes_of(folder)[0]
        assert moved.left == pytest.approx(120, abs=2)
        assert moved.top == pytest.approx(90, abs=2)
        assert moved.width == pytest.approx(80)
        corner = moved.right / SIZE[0], moved.bottom / SIZE[1]
        await drag(page, corner, (0.9, 0.9))
        await saved(page, lambda: boxes_of(folder)[0].right > 270)
        assert boxes_of(folder)[0].left == moved.left


async def test_a_thousand_pictures_are_a_few_rows(browser: Browser, tmp_path: Path) -> None:
    folder = tmp_path / "tea"
    make_many(folder, 1000)
    async with labelling(browser, folder) as page:
        await page.locator("#count", has_text="1000 pictures").wait_for()
        assert await page.locator(".picture-row").count() < 40
        await page.locator("#pictures").evaluate("each => each.scrollTo(0, each.scrollHeight)")
        last = page.locator(".picture-row", has_text="0999")
        await last.wait_for()
        image = last.locator("img")
        assert await image.evaluate("each => each.decode().then(() => each.naturalWidth)") == 176
        await last.click()
        await page.locator("#place", has_text="1000 / 1000").wait_for()
        assert await page.locator(".picture-row").count() < 40


def make_many(folder: Path, count: int) -> None:
    """A data set of ``count`` records whose files are all there."""
    with changing_dataset(folder, create=True) as dataset:
        path = draw(folder.parent / "picture.png", 1, SIZE)
        first = record_of(path)
        for index in range(count):
            file = f"{index:064x}.png"
            record = PictureRecord(file, f"picture {index:04d}.png", *SIZE, first.look)
            dataset.put(record, path)
        dataset.save()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_is_accessible(browser: Browser, tmp_path: Path, scheme: Scheme) -> None:
    folder = tmp_path / "tea"
    make(folder, 12, (LabelledBox("fist", 190, 50, 310, 210),))
    async with labelling(browser, folder, color_scheme=scheme) as page:
        await page.locator("#boxes .doubt").wait_for()
        await page.locator("#proposed li").first.wait_for()
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= 1280
        await page.keyboard.press("?")
        await page.locator("#help[open]").wait_for()
        assert await violations(page) == []


async def test_two_pages_do_not_overwrite_each_other(browser: Browser, tmp_path: Path) -> None:
    folder = tmp_path / "tea"
    make(folder, 1)
    async with labelling(browser, folder) as page:
        other = await page.context.new_page()
        await other.goto(page.url)
        await other.locator("#stage img").wait_for()
        await page.locator("#label").fill("cup")
        await page.click("#label-whole")
        await saved(page, lambda: labels_of_first(folder) == ("cup",))
        await other.locator("#label").fill("mug")
        await other.click("#label-whole")
        await other.locator("#notice", has_text="Another page has changed").wait_for()
        assert await other.locator("#whole").inner_text() == "cup ×"
        assert labels_of_first(folder) == ("cup",)


def labels_of_first(folder: Path) -> tuple[str, ...]:
    return next(iter(open_dataset(folder).records.values())).labels
