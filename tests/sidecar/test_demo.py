"""The demo's server: that of ``sidecar serve`` with one room that all may join."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from config.reaction_table import load_reaction_table
from config.settings import Settings
from reactions.labels import LABELS
from sidecar.demo import hosting
from sidecar.serve.server import RoomsServer
from tests.sidecar.clients import ColourTrack, eventually, publishing, watching
from tests.sidecar.supervisor.memory_handle import NothingSeen

pytestmark = pytest.mark.peers

TABLE = load_reaction_table(LABELS, environ={})
TOKEN = "a-token-that-is-long-enough"
SERVER = {
    "port": 0,
    "max_body_bytes": 16384,
    "origins": ["https://good.example"],
    "ice_servers": [{"url": "turn:192.0.2.1", "username": "ada", "credential": "secret"}],
}


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RoomsServer]:
    monkeypatch.setenv("SIDECAR_API_TOKEN", TOKEN)
    settings = Settings(server=SERVER, composite={"width": 320, "height": 180, "fps": 10})
    async with hosting(settings, TABLE, NothingSeen()) as server:
        yield server


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as http:
        yield http


async def get(
    http: aiohttp.ClientSession, server: RoomsServer, path: str, **headers: str
) -> tuple[int, Mapping[str, str], Any]:
    async with http.get(
        server.listener.url(path), headers=headers, allow_redirects=False
    ) as answer:
        body = await answer.json() if "json" in answer.content_type else await answer.text()
        return answer.status, answer.headers, body


async def test_the_room_is_one_of_the_api_and_all_may_join_it(
    server: RoomsServer, http: aiohttp.ClientSession
) -> None:
    url = server.listener.url("/rooms/demo")
    async with (
        publishing(http, f"{url}/whip?name=Ada", ColourTrack()),
        watching(http, f"{url}/whep") as viewer,
    ):
        assert viewer.track is not None
        await viewer.track.recv()
        [room] = server.supervisor.rooms()
        await eventually(lambda: room.stats.participants == 1)
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        _, _, listed = await get(http, server, "/v1/rooms", **bearer)
        assert [(one["url"], one["state"]) for one in listed["rooms"]] == [("room:demo", "live")]
        _, _, (ada,) = await get(http, server, f"/v1/rooms/{room.id}/participants", **bearer)
        assert ada["name"] == "Ada"


async def test_the_api_needs_its_token(server: RoomsServer, http: aiohttp.ClientSession) -> None:
    assert (await get(http, server, "/v1/rooms"))[0] == 401


async def test_the_first_page_is_that_of_the_room(
    server: RoomsServer, http: aiohttp.ClientSession
) -> None:
    status, headers, _ = await get(http, server, "/")
    assert (status, headers["Location"]) == (302, "/rooms/demo")
    assert (await get(http, server, "/rooms/demo"))[0] == 200
    assert (await get(http, server, "/rooms/other"))[0] == 404


async def test_settings_reach_the_room(server: RoomsServer, http: aiohttp.ClientSession) -> None:
    url = server.listener.url("/rooms/demo/whip")
    async with http.options(url) as answer:
        assert 'credential="secret"' in answer.headers["Link"]
    headers = {"Content-Type": "application/sdp", "Origin": "https://good.example"}
    async with http.post(url, data=b"x" * 20_000, headers=headers) as answer:
        assert answer.status == 413
        assert answer.headers["Access-Control-Allow-Origin"] == "https://good.example"


async def test_it_drains_at_once_when_the_last_participant_has_left(
    server: RoomsServer, http: aiohttp.ClientSession
) -> None:
    url = server.listener.url("/rooms/demo/whip?name=Ada")
    async with publishing(http, url, ColourTrack()) as ada:
        [room] = server.supervisor.rooms()
        await eventually(lambda: room.stats.participants == 1)
        draining = asyncio.create_task(server.supervisor.drain())
        await http.delete(ada.url)
        async with asyncio.timeout(9):
            await draining
    assert room.state.over


async def test_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    async with hosting(Settings(server={"port": 0}), TABLE, NothingSeen()):
        assert list(iterdir(tmp_path))
    assert not list(iterdir(tmp_path))


def iterdir(folder: Path) -> list[Path]:
    return list(folder.iterdir())
