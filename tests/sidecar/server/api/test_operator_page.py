"""The operator's page and its session, without a browser."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer

from sidecar.server.api.app import ApiOptions, create_api
from sidecar.server.api.metrics import MetricSources
from sidecar.server.api.operator_page import FILES, OperatorEndpoints, operator_routes
from sidecar.server.api.room_endpoints import RoomEndpoints
from sidecar.server.api.system_endpoints import SystemEndpoints
from sidecar.server.api.tokens import Authenticator, known_token
from sidecar.server.pages import WEB
from tests.sidecar.supervisor.world import World

TOKEN = "a-token-that-is-long-enough"
METRICS = "a-token-for-metrics-alone"


@asynccontextmanager
async def page(*, token: bool = True) -> AsyncIterator[TestClient[Any, Any]]:
    known = (known_token(TOKEN, "one"), known_token(METRICS, "two", ["metrics"]))
    authenticator = Authenticator(known if token else ())
    async with World().running() as supervisor:
        sources = MetricSources(supervisor)
        operator = OperatorEndpoints(sources, authenticator, lambda: ["wave"])
        app = create_api(
            [*RoomEndpoints(supervisor).endpoints(), *operator.endpoints()],
            SystemEndpoints(sources, faults=list, drain=lambda: None),
            authenticator,
            ApiOptions("127.0.0.1"),
            pages=operator_routes(),
        )
        async with TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True)) as client:
            yield client


async def test_a_token_in_the_cookie_opens_the_api_until_it_is_forgotten() -> None:
    async with page() as client:
        assert (await client.get("/v1/rooms")).status == 401
        answer = await client.post("/v1/session", json={"token": TOKEN})
        assert answer.status == 204
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        session = await (await client.get("/v1/session")).json()
        assert session == {
            "scopes": ["rooms", "annotate", "events", "metrics", "admin"],
            "open": False,
            "labels": ["wave"],
        }
        assert (await client.delete("/v1/session")).status == 204
        assert (await client.get("/v1/session")).status == 401


@pytest.mark.parametrize(("token", "status"), [("a-token-that-is-not-known", 401), (METRICS, 403)])
async def test_a_token_that_may_not_read_rooms_gets_no_cookie(token: str, status: int) -> None:
    async with page() as client:
        answer = await client.post("/v1/session", json={"token": token})
        assert answer.status == status
        assert "Set-Cookie" not in answer.headers
        assert token not in await answer.text()


async def test_a_server_without_tokens_is_open() -> None:
    async with page(token=False) as client:
        assert (await (await client.get("/v1/session")).json())["open"] is True


async def test_the_server_shows_its_load_and_state() -> None:
    async with page(token=False) as client:
        shown = await (await client.get("/v1/server")).json()
        assert (shown["load"], shown["draining"], shown["workers"]) == (0.0, False, None)
        assert re.match(r"\d+\.\d+", shown["version"])
    assert shown["sampling"] == 1.0


async def test_the_page_and_all_its_files_are_served_without_a_token() -> None:
    async with page() as client:
        answer = await client.get("/")
        assert (answer.status, answer.content_type) == (200, "text/html")
        text = await answer.text()
        for name in re.findall(r'(?:src|href)="/static/([^"]+)"', text):
            assert name in FILES
        for name in FILES:
            assert (await client.get(f"/static/{name}")).status == 200, name
        assert (await client.get("/static/index.html")).status == 404
        picture = await client.get("/static/poses/wave.webp")
        assert (picture.status, picture.content_type) == (200, "image/webp")
        assert (await client.get("/static/poses/nonsense.webp")).status == 404


def test_each_file_of_the_page_is_listed() -> None:
    found = {f"operator/{path.name}" for path in (WEB / "operator").iterdir()}
    assert found == {name for name in FILES if "/" in name} | {"operator/index.html"}
