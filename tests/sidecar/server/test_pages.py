"""The page, its files, and the legend."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from config.reaction_rule import Kind, ReactionRule
from config.reaction_table import load_reaction_table
from gifs.catalogue import own_file
from reactions.labels import LABELS, Group
from sidecar.server.hosted_rooms import HostedRooms
from sidecar.server.listener import HttpListener
from sidecar.server.pages import WEB, Pages
from tests.sidecar.server.conftest import running_server
from tests.sidecar.supervisor.memory_handle import NothingSeen

GIF = b"GIF89a not really"
ELSEWHERE = re.compile(r"""(?:src|href|from|import|url\()\s*=?\s*["'(]?(?:https?:)?//""")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[HttpListener]:
    folder = tmp_path / "stickers"
    folder.mkdir()
    (folder / "mine.gif").write_bytes(GIF)
    (folder / "thumbs_up").write_bytes(GIF)
    (tmp_path / "outside.gif").write_bytes(GIF)
    (folder / "link.gif").symlink_to(tmp_path / "outside.gif")
    table = {
        **load_reaction_table(LABELS),
        "wave": ReactionRule(sticker="mine.gif"),
        "rock": ReactionRule(sticker="missing.gif"),
        "victory": ReactionRule(sticker="confetti"),
        "call_me": ReactionRule(sticker="../outside.gif"),
        "ily": ReactionRule(sticker="link.gif"),
        "fist": ReactionRule(kind=Kind.OFF),
    }
    async with running_server(table=table, folders=(folder,)) as running:
        yield running.server


async def get(http: aiohttp.ClientSession, url: str) -> tuple[int, str, bytes]:
    async with http.get(url) as response:
        return response.status, response.content_type, await response.read()


async def test_a_room_has_a_page_and_an_impossible_room_has_none(
    server: HttpListener, http: aiohttp.ClientSession
) -> None:
    status, content_type, page = await get(http, server.url("/rooms/demo"))
    assert (status, content_type) == (200, "text/html")
    assert b"<!doctype html>" in page
    assert (await get(http, server.url("/rooms/a%20b")))[0] == 404


async def test_the_page_uses_nothing_from_elsewhere_and_all_that_it_names_is_there(
    server: HttpListener, http: aiohttp.ClientSession
) -> None:
    for path in (*WEB.glob("*.html"), *WEB.glob("*.js"), *WEB.glob("*.css")):
        text = path.read_text()
        assert not ELSEWHERE.findall(text)
        named = re.findall(r'(?:src|href)="(/static/[^"]+)"', text)
        named += [f"/static/{name}" for name in re.findall(r'from "\./([^"]+)"', text)]
        for url in named:
            assert (await get(http, server.url(url)))[0] == 200, url


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/%2e%2e/app.py", "/static/poses", "/static/x.js", "/static/"],
)
async def test_only_the_pages_own_files_are_served(
    server: HttpListener, http: aiohttp.ClientSession, path: str
) -> None:
    assert (await get(http, server.url(path)))[0] == 404


async def test_the_legend_has_every_label_by_groups(
    server: HttpListener, http: aiohttp.ClientSession
) -> None:
    async with http.get(server.url("/rooms/demo/legend.json")) as response:
        entries = await response.json()
    legend = {entry["label"]: entry for entry in entries}
    assert set(legend) == {name for name, spec in LABELS.items() if not spec.moderated}
    assert legend["fist"]["kind"] == "off"
    groups = [entry["group"] for entry in entries]
    shown = [group.heading for group in Group if group.heading in groups]
    assert list(dict.fromkeys(groups)) == shown
    assert groups == sorted(groups, key=shown.index)
    assert legend["wave"]["sticker"] == "/rooms/demo/stickers/wave"
    assert legend["rock"]["sticker"] is None
    assert legend["face"]["kind"] == "event"
    assert legend["smile"]["how"] == LABELS["smile"].how
    assert 0 < legend["smile"]["threshold"] <= 1


async def test_every_pose_has_a_picture(server: HttpListener, http: aiohttp.ClientSession) -> None:
    async with http.get(server.url("/rooms/demo/legend.json")) as response:
        legend = await response.json()
    for entry in legend:
        status, content_type, picture = await get(http, server.url(entry["pose"]))
        assert (status, content_type) == (200, "image/webp")
        assert picture[8:12] == b"WEBP"


async def test_a_users_own_sticker_is_shown(
    server: HttpListener, http: aiohttp.ClientSession
) -> None:
    assert await get(http, server.url("/rooms/demo/stickers/wave")) == (200, "image/gif", GIF)
    for label in ("rock", "call_me", "ily", "face", "nonsense", "..%2fmine.gif"):
        assert (await get(http, server.url(f"/rooms/demo/stickers/{label}")))[0] == 404


async def test_a_sticker_that_becomes_a_link_out_of_its_folder_is_not_sent(
    server: HttpListener, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    mine = tmp_path / "stickers" / "mine.gif"
    mine.unlink()
    mine.symlink_to(tmp_path / "outside.gif")
    assert (await get(http, server.url("/rooms/demo/stickers/wave")))[0] == 404


async def test_what_the_legend_shows_is_what_plays(
    server: HttpListener, http: aiohttp.ClientSession
) -> None:
    own, effect = own_file("thumbs_up"), own_file("confetti")
    assert own is not None
    assert effect is not None
    assert (await get(http, server.url("/rooms/demo/stickers/thumbs_up")))[2] == own.read_bytes()
    assert (await get(http, server.url("/rooms/demo/stickers/victory")))[2] == effect.read_bytes()


async def test_the_legend_follows_a_table_that_changes(tmp_path: Path) -> None:
    (tmp_path / "mine.gif").write_bytes(GIF)
    table = load_reaction_table(LABELS)
    rooms = HostedRooms(NothingSeen())
    rooms.reserve("demo")
    pages = Pages(rooms, table)
    app = web.Application()
    app.add_routes(pages.routes())
    async with TestClient(TestServer(app)) as client:
        pages.use({**table, "wave": ReactionRule(sticker="mine.gif")}, [tmp_path])
        async with client.get("/rooms/demo/stickers/wave") as answer:
            assert await answer.read() == GIF
        pages.use({**table, "wave": ReactionRule(kind=Kind.OFF)})
        async with client.get("/rooms/demo/legend.json") as answer:
            legend = {entry["label"]: entry for entry in await answer.json()}
        assert (legend["wave"]["kind"], legend["wave"]["sticker"]) == ("off", None)
