"""The page by itself, in Chromium: a grey composite, no models."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
import pytest_asyncio
from aiortc import RTCIceServer
from playwright.async_api import Page

from config.reaction_table import load_reaction_table
from reactions.geometry import Box
from reactions.labels import LABELS, Group, LabelScore
from reactions.reaction_event import ReactionEvent, ReactionStage
from sidecar.rooms.base import Consent
from sidecar.rooms.hosted.offer import Role
from sidecar.rooms.whep.client.link_header import link_value
from sidecar.session.events import LiveScores, ReactionStep
from tests.e2e.browser import FAKE_CAMERA, SharedBrowser, launched, opened, until, visit
from tests.sidecar.clients import eventually
from tests.sidecar.server.conftest import running_server
from tests.sidecar.server.test_hosted_rooms import SMALL, hosting

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

FOCUSED = "document.activeElement.id || document.activeElement.className"
BOX = Box(0, 0, 1, 1)
TABLE = load_reaction_table(LABELS, environ={})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[SharedBrowser]:
    async with aclosing(SharedBrowser(*FAKE_CAMERA)) as shared:
        yield shared


async def text(page: Page, selector: str) -> str:
    return await page.locator(selector).inner_text()


async def test_a_restarted_server_gets_its_viewers_and_participants_back(
    chromium: SharedBrowser,
) -> None:
    async with chromium.visitor() as browser:
        async with running_server(table=TABLE) as running:
            port = running.server.port
            page = await opened(browser, running.url("/rooms/one"))
            await page.click("#join")
            await eventually(lambda: running.meetings["one"].present)
        await page.wait_for_selector('#status[data-state="waiting"]')
        assert "trying again" in await text(page, "#status")
        async with running_server(table=TABLE, port=port) as running:
            await page.wait_for_selector('#status[data-state="live"]')
            await eventually(lambda: running.meetings["one"].present)


async def test_own_scores_holds_and_reactions_are_shown(chromium: SharedBrowser) -> None:
    async with chromium.visitor() as browser, running_server(table=TABLE) as running:
        page = await opened(browser, running.url("/rooms/one"))
        await page.click("#join")
        meeting = running.meetings["one"]
        await eventually(lambda: meeting.present)
        (participant,) = meeting.present
        await page.locator("#people li").wait_for()

        scores = (LabelScore("victory", 0.91, BOX),)
        meeting.events.publish(LiveScores(1.0, participant, scores, {"victory": 0.5}))
        await page.locator(".meter.over.holding").wait_for()
        assert "Victory" in await text(page, ".meter.over.holding")
        assert "Victory" in await text(page, ".pose.held")

        for name, who in (("guest", participant), ("<b>Bo</b>", "p-other")):
            started = ReactionEvent(ReactionStage.STARTED, 2.0, who, "victory", 0.9, 1.0, BOX)
            meeting.events.publish(ReactionStep(started, name))
        await page.locator("#events li").nth(2).wait_for()
        lines = await page.locator("#events li").all_inner_texts()
        assert "<b>Bo</b>" in lines[0]
        assert "You" in lines[1]
        assert "Victory" in lines[1]


async def test_a_blocked_camera_is_explained() -> None:
    camera = "--use-fake-device-for-media-stream"
    async with launched(camera) as browser, running_server(table=TABLE) as running:
        page = await opened(browser, running.url("/rooms/one"))
        await page.click("#join")
        notice = page.get_by_role("alert")
        await notice.wait_for()
        assert "Allow it for this page" in await notice.inner_text()
        assert await page.get_by_role("button", name="Join with my camera").is_enabled()
        assert running.meetings["one"].room.count(Role.PUBLISH) == 0


async def test_a_page_that_is_not_secure_says_how_to_get_a_camera_and_watches() -> None:
    mapped = "--host-resolver-rules=MAP room.test 127.0.0.1"
    async with (
        launched(*FAKE_CAMERA, mapped) as browser,
        running_server(table=TABLE, host="room.test") as running,
    ):
        url = running.url("/rooms/one").replace("127.0.0.1", "room.test")
        page = await opened(browser, url)
        assert "https://" in await page.get_by_role("alert").inner_text()
        assert await page.locator("#join").is_disabled()


async def test_the_page_can_be_used_with_the_keyboard_alone(chromium: SharedBrowser) -> None:
    async with chromium.visitor() as browser, running_server(table=TABLE) as running:
        page = await opened(browser, running.url("/rooms/one"))
        order = []
        for _ in range(7):
            await page.keyboard.press("Tab")
            order.append(
                await page.evaluate("document.activeElement.id || document.activeElement.className")
            )
        assert order[:6] == ["skip", "fullscreen", "name", "camera", "join", "opt-out"]
        await page.focus("#opt-out")
        await page.keyboard.press("Space")
        assert await page.locator("#opt-out").is_checked()
        await page.focus("#name")
        await page.keyboard.type("Ada")
        await page.keyboard.press("Enter")
        await eventually(lambda: running.meetings["one"].present)
        (joined,) = running.meetings["one"].present.values()
        assert joined.name == "Ada"
        await eventually(
            lambda: running.meetings["one"].consents.get(joined.participant) is Consent.OPT_OUT
        )


async def test_the_page_fits_any_window_and_a_thumb_hits_its_controls(
    chromium: SharedBrowser,
) -> None:
    async with chromium.visitor() as browser, running_server(table=TABLE) as running:
        page = await opened(browser, running.url("/rooms/one"))
        await page.click("#join")
        await page.locator("#meters").wait_for()
        for width in (320, 390, 768, 1440):
            await page.set_viewport_size({"width": width, "height": 800})
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
            heights = await page.evaluate(
                "[...document.querySelectorAll('button, select, input[type=text], .switch')]"
                ".map(each => each.getBoundingClientRect().height)"
            )
            assert min(heights) >= 44


async def test_the_legend_shows_every_pose_with_its_sticker(chromium: SharedBrowser) -> None:
    async with chromium.visitor() as browser, running_server(table=TABLE) as running:
        page = await opened(browser, running.url("/rooms/one"))
        await page.evaluate(
            "document.querySelectorAll('.pose img').forEach(each => each.loading = 'eager')"
        )

        async def loaded() -> bool:
            return bool(
                await page.evaluate(
                    "[...document.querySelectorAll('.pose')].every(pose => "
                    "[...pose.querySelectorAll('img')].length === "
                    "(pose.dataset.kind === 'sticker' ? 2 : 1) && "
                    "[...pose.querySelectorAll('img')].every(each => each.naturalWidth > 0))"
                )
            )

        await until(loaded)
        shown = [label for label in TABLE if not LABELS[label].moderated]
        assert await page.locator(".pose").count() == len(shown)
        headings = await page.locator(".group-title").all_inner_texts()
        groups = [group for group in Group if any(LABELS[one].group is group for one in shown)]
        assert [heading.rstrip("0123456789 \n") for heading in headings] == [
            group.heading for group in groups
        ]


async def test_the_legend_is_searched_by_title_name_and_words(chromium: SharedBrowser) -> None:
    async with chromium.visitor() as browser, running_server(table=TABLE) as running:
        page = await opened(browser, running.url("/rooms/one"))

        async def found(words: str) -> list[str]:
            await page.fill("#search", words)
            return await page.locator(".pose:visible h4").all_inner_texts()

        assert await found("love") == ["I love you"]
        assert await found("fold ind") == await found("index folded") != []
        assert await found("ok_hand") == ["OK"]
        assert await found("no such pose") == []
        assert "No pose" in await page.locator("#found").inner_text()
        assert len(await found("")) == await page.locator(".pose").count()


async def test_the_page_uses_the_ice_servers_that_the_room_names(chromium: SharedBrowser) -> None:
    turn = RTCIceServer("turn:turn.example?transport=udp", "ada", 'a "b", \\c; rel="x"')
    named = [RTCIceServer("stun:stun.example"), turn, RTCIceServer("turn:absent.example")]
    link = ", ".join([*(link_value(server) for server in named), '</beat>; rel="heartbeat"'])
    async with chromium.visitor() as browser, running_server(table=TABLE) as running:
        page = await opened(browser, running.url("/rooms/one"))
        read = "link => import('/static/whip.js').then(whip => whip.iceServersOf(link))"
        assert await page.evaluate(read, link) == [
            {"urls": "stun:stun.example"},
            {"urls": turn.urls, "username": turn.username, "credential": turn.credential},
        ]
        connect = f"link => ({read})(link).then(iceServers => {{"
        connect += "new RTCPeerConnection({ iceServers }).close(); return true; })"
        assert await page.evaluate(connect, link)


async def test_the_link_of_a_room_with_a_token_opens_it_and_other_addresses_do_not(
    chromium: SharedBrowser,
) -> None:
    async with hosting(tokens=True) as server, chromium.visitor() as browser:
        _, made = await server.call("POST", "/v1/rooms", {"url": "room:standup", "layout": SMALL})
        await server.until(made["id"], state="live")
        page = await browser.new_page()
        await visit(page, server.url("/rooms/standup"))
        await page.locator("#veil-text", has_text="needs its whole link").wait_for()
        await page.goto(server.url(f"/rooms/standup#token={made['token']}"))
        await page.wait_for_selector('#screen[data-state="live"]')
        assert made["token"] not in await page.evaluate("location.href + document.cookie")
