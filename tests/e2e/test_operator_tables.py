"""The operator's page in Chromium: stickers and the reaction table."""

import asyncio
import io
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import FilePayload, Page

from tests.e2e.accessibility import violations
from tests.e2e.browser import SharedBrowser, visit
from tests.e2e.operator_server import VIEWER, confirm, join, log_in, serving

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[SharedBrowser]:
    async with aclosing(SharedBrowser()) as shared:
        yield shared


def file(name: str, data: bytes | None = None) -> FilePayload:
    """A file to upload; an animation of three frames unless ``data`` is given."""
    if data is None:
        frames = [Image.new("RGB", (24, 24), (80 * count, 40, 90)) for count in range(3)]
        buffer = io.BytesIO()
        frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=100)
        data = buffer.getvalue()
    return {"name": name, "mimeType": "image/gif", "buffer": data}


async def show(page: Page, view: str) -> None:
    await page.locator("#views").get_by_role("link", name=view).click()
    await page.locator(f"#view-{view.lower()}").wait_for()


async def edit(page: Page, title: str) -> None:
    """Open the form of the label called ``title``."""
    await page.locator(".row-button").filter(has=page.get_by_text(title, exact=True)).click()
    await page.locator(".row-form").wait_for()


async def test_stickers_are_uploaded_shown_replaced_and_deleted(chromium: SharedBrowser) -> None:
    async with serving() as (_, url), chromium.visitor() as browser:
        page = await browser.new_page()
        await visit(page, f"{url}#stickers")
        await page.set_input_files("#files", [file("Größe 2!.gif")])
        await page.locator("#uploads li", has_text="uploaded, GIF, 24x24, 3 frames").wait_for()
        card = page.locator("#uploaded li", has_text="Gro_e_2.gif")
        await card.wait_for()
        assert await card.locator("img").evaluate(
            "each => each.decode().then(() => each.naturalWidth)"
        )
        await page.set_input_files("#files", [file("Größe 2!.gif")])
        await confirm(page, "Replace")
        await page.locator("#uploads li", has_text="uploaded, GIF").nth(1).wait_for()
        await card.get_by_role("button", name="Delete").click()
        await confirm(page, "Delete")
        await page.locator("#uploaded-hint", has_text="None for all rooms").wait_for()


async def test_files_that_are_no_stickers_are_refused_with_what_to_do(
    chromium: SharedBrowser,
) -> None:
    async with serving() as (_, url), chromium.visitor() as browser:
        page = await browser.new_page()
        await visit(page, f"{url}#stickers")
        wrong = [file("notes.txt", b"x"), file("broken.gif", b"<svg/>"), file("wave.gif")]
        await page.set_input_files("#files", wrong)
        lines = page.locator("#uploads li.wrong")
        await lines.nth(1).wait_for()
        texts = " ".join(await lines.all_inner_texts())
        assert "notes.txt: is no GIF" in texts
        assert re.search(r"broken\.gif: not uploaded\. .*To do: send a GIF", texts)


async def test_files_are_dropped_onto_the_page(chromium: SharedBrowser) -> None:
    async with serving() as (_, url), chromium.visitor() as browser:
        page = await browser.new_page()
        await visit(page, f"{url}#stickers")
        await page.locator("#own li").first.wait_for()
        data = list(file("a.gif")["buffer"])
        await page.locator("#drop").evaluate(
            "(drop, data) => { const dataTransfer = new DataTransfer();"
            "dataTransfer.items.add(new File([new Uint8Array(data)], 'dropped.gif'));"
            "drop.dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true })); }",
            data,
        )
        await page.locator("#uploaded li", has_text="dropped.gif").wait_for()


async def test_a_row_is_edited_previewed_saved_and_undone(chromium: SharedBrowser) -> None:
    async with serving() as (_, url), chromium.visitor() as browser:
        page = await browser.new_page()
        await visit(page, f"{url}#reactions")
        await edit(page, "Victory")
        form = page.locator(".row-form")
        how = form.get_by_role("img", name="How to pose")
        assert await how.evaluate("each => each.decode().then(() => each.naturalWidth)") == 288
        await form.locator(".field-sticker select").select_option("party")
        await page.locator('.tile-sticker[src*="/stickers/party?"]').wait_for()
        await form.locator(".field-effect select").select_option("")
        await form.locator(".field-hold input").fill("1.5")
        await form.get_by_text("Outranks").click()
        await form.locator(".boxes").get_by_label("Fist", exact=True).check()
        await page.locator("#unsaved", has_text="Unsaved: Victory").wait_for()
        await page.click("#save")
        await page.locator("#saved", has_text="Saved: 1 label").wait_for()
        table = await fetched(page, "/v1/reaction-table")
        row = table["table"]["victory"]
        assert (row["sticker"], row["effect"], row["hold"]) == ("party", None, 1.5)
        assert "fist" in row["outranks"]
        await page.locator(".field-hold input").fill("2")
        await page.click("#undo")
        assert await page.locator(".field-hold input").input_value() == "1.5"
        await page.get_by_role("button", name="Reset to defaults").click()
        await page.click("#save")
        await page.locator(".row-mark", has_text="changed").wait_for(state="detached")
        assert (await fetched(page, "/v1/reaction-table"))["rows"] == {}


async def test_what_is_invalid_is_named_at_its_field_and_not_saved(chromium: SharedBrowser) -> None:
    async with serving() as (_, url), chromium.visitor() as browser:
        page = await browser.new_page()
        await visit(page, f"{url}#reactions")
        await edit(page, "Wave")
        form = page.locator(".row-form")
        await form.locator(".field-hold input").fill("12")
        await form.locator(".field-release input").fill("0.95")
        assert await page.locator("#wave-hold-error").inner_text() == "Give 10 or less."
        assert "exceeds the threshold" in await page.locator("#wave-release-error").inner_text()
        assert await page.locator("#save").is_disabled()
        await page.locator("#unsaved", has_text="invalid: Wave").wait_for()
        assert await violations(page) == []


async def test_a_refusal_of_the_server_is_shown_at_the_field_that_it_names(
    chromium: SharedBrowser,
) -> None:
    async with serving() as (_, url), chromium.visitor() as browser:
        page = await browser.new_page()
        await visit(page, f"{url}#stickers")
        await page.set_input_files("#files", [file("party.gif")])
        await page.locator("#uploaded li").wait_for()
        await show(page, "Reactions")
        await edit(page, "Wave")
        await page.locator(".row-form .field-sticker select").select_option("party.gif")
        deleted = await page.evaluate(
            "fetch('/v1/stickers/party.gif', { method: 'DELETE' }).then(answer => answer.status)"
        )
        assert deleted == 204
        await page.click("#save")
        await page.locator("#wave-sticker-error", has_text="there is no such sticker").wait_for()
        focused = "document.activeElement.closest('.row-field').className"
        assert "field-sticker" in await page.evaluate(focused)
        assert "Not saved. Wave" in await page.locator("#table-notice").inner_text()


async def test_a_room_has_a_table_of_its_own_and_unsaved_changes_are_asked_for(
    chromium: SharedBrowser,
) -> None:
    async with serving() as (supervisor, url), chromium.visitor() as browser:
        page = await browser.new_page()
        await visit(page, url)
        await join(page)
        await show(page, "Reactions")
        await edit(page, "Wave")
        await page.locator(".row-form .field-kind").get_by_label("Event only").check()
        (room,) = supervisor.rooms()
        await page.select_option("#scope", room.id)
        await page.locator("#ask").get_by_role("button", name="Cancel").click()
        assert await page.locator("#scope").input_value() == ""
        await page.select_option("#scope", room.id)
        await confirm(page, "Drop them")
        await page.locator("#scope-hint", has_text="this room alone").wait_for()
        await page.locator("#save-bar").wait_for(state="hidden")
        await page.locator(".row-form .field-kind").get_by_label("Off").check()
        await page.click("#save")
        await page.locator("#saved", has_text="Saved").wait_for()
        of_room = await fetched(page, f"/v1/rooms/{room.id}/reaction-table")
        assert (await fetched(page, "/v1/reaction-table"))["rows"] == {}
        assert of_room["table"]["wave"]["kind"] == "off"


async def test_a_caller_without_the_scope_admin_sees_and_changes_nothing(
    chromium: SharedBrowser,
) -> None:
    async with serving(token=True) as (_, url), chromium.visitor() as browser:
        page = await browser.new_page()
        await visit(page, f"{url}#reactions")
        await log_in(page, VIEWER)
        await edit(page, "Wave")
        assert await page.locator(".row-form .field-hold input").is_disabled()
        await show(page, "Stickers")
        await page.locator("#own li").first.wait_for()
        assert await page.locator("#drop").is_hidden()


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "dark"), (360, "light")], ids=["desktop-dark", "phone-light"]
)
async def test_editors_and_dialogs_are_accessible_and_fit(
    chromium: SharedBrowser, width: int, scheme: str
) -> None:
    async with serving() as (_, url), chromium.visitor() as browser:
        page = await browser.new_page(
            viewport={"width": width, "height": 740},
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
        )
        await visit(page, f"{url}#stickers")
        name = "a-very-long-name-of-a-sticker-that-goes-on-and-on.gif"
        await page.set_input_files("#files", [file(name), file("notes.txt", b"x")])
        await page.locator("#uploads li.wrong").wait_for()
        await check(page, width)
        await page.locator("#uploaded").get_by_role("button", name="Delete").click()
        await check(page, width)
        await page.keyboard.press("Escape")
        await show(page, "Reactions")
        await edit(page, "Victory")
        await page.get_by_text("Outranks").click()
        await page.locator(".field-hold input").fill("1.5")
        await page.get_by_role("button", name="Play", exact=True).click()
        await page.locator(".tile-text", has_text="Held for 1.5 s").wait_for()
        await check(page, width)


async def check(page: Page, width: int) -> None:
    """The page, or the dialog on it, is accessible and no wider than the window."""
    # Colours that change smoothly are in between for a moment.
    await asyncio.sleep(0.3)
    assert await violations(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def fetched(page: Page, path: str) -> Any:
    return await page.evaluate("path => fetch(path).then(answer => answer.json())", path)
