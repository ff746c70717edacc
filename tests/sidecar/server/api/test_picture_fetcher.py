"""Pictures by URL, against a real HTTP server on this machine."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import ResolveResult
from aiohttp.test_utils import BaseTestServer, TestServer

from config.errors import ForbiddenError, InputError
from sidecar.addresses import AddressRule
from sidecar.server.api.picture_fetcher import PictureFetcher, read_picture_url
from tests.sidecar.server.api.test_annotate import ScriptedDetector, jpeg, post, serving

LIMIT = 100_000


@dataclass
class Site:
    """A site of pictures, and what was asked of it."""

    server: BaseTestServer
    headers: list[dict[str, str]] = field(default_factory=list)

    def url(self, path: str) -> str:
        return str(self.server.make_url(path))


@asynccontextmanager
async def site() -> AsyncIterator[Site]:
    routes = web.RouteTableDef()
    found: list[dict[str, str]] = []

    @routes.get("/ada.jpg")
    async def picture(request: web.Request) -> web.Response:
        found.append(dict(request.headers))
        return web.Response(body=jpeg(), content_type="image/jpeg")

    @routes.get("/to")
    async def redirect(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": request.query["url"]})

    @routes.get("/again")
    async def again(request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": "/again"})

    @routes.get("/endless")
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
        await response.prepare(request)
        while True:
            await response.write(b"x" * 16384)

    @routes.get("/silent")
    async def silent(request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    app = web.Application()
    app.add_routes(routes)
    async with TestServer(app, host="127.0.0.1") as server:
        yield Site(server, found)


async def fetch(
    url: str, rule: AddressRule = AddressRule.ROOM, limit: float = 30.0
) -> tuple[bytes, str]:
    async with PictureFetcher(rule, max_bytes=LIMIT, timeout=limit) as fetcher:
        return await fetcher.fetch(url)


async def test_a_picture_is_fetched_with_its_type_also_after_a_redirect() -> None:
    async with site() as pictures:
        assert await fetch(pictures.url("/ada.jpg")) == (jpeg(), "image/jpeg")
        data, kind = await fetch(pictures.url("/to?url=/ada.jpg"))
    assert (data, kind) == (jpeg(), "image/jpeg")
    assert "Authorization" not in pictures.headers[0]
    assert "Cookie" not in pictures.headers[1]


async def test_an_address_that_is_not_public_is_refused() -> None:
    async with site() as pictures:
        for host in ("127.0.0.1", "localhost", "2130706433", "[::1]", "10.0.0.1", "0x7f.1"):
            with pytest.raises(ForbiddenError, match="not a public address"):
                await fetch(f"http://{host}:{pictures.server.port}/ada.jpg", AddressRule.PUBLIC)
    assert pictures.headers == []


async def test_a_redirect_to_an_address_that_is_not_allowed_is_refused() -> None:
    async with site() as pictures:
        for target in ("http://169.254.169.254/latest", "http://metadata.google.internal/"):
            with pytest.raises(ForbiddenError, match="metadata"):
                await fetch(pictures.url(f"/to?url={target}"))


async def test_a_name_is_checked_when_it_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    async def here(
        self: object, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0
            )
        ]

    async with site() as pictures:
        monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", here)
        with pytest.raises(ForbiddenError, match="not a public address"):
            await fetch(f"http://ada.example:{pictures.server.port}/ada.jpg", AddressRule.PUBLIC)
    assert pictures.headers == []


@pytest.mark.parametrize("target", ["file:///etc/hostname", "ftp://192.0.2.1/a", "http://u:p@a/"])
async def test_a_redirect_to_another_scheme_or_with_a_password_is_not_followed(
    target: str,
) -> None:
    async with site() as pictures:
        with pytest.raises(InputError, match="no http or https address"):
            await fetch(pictures.url(f"/to?url={target}"))


async def test_an_answer_without_end_is_given_up() -> None:
    async with site() as pictures:
        with pytest.raises(InputError, match=f"exceeds {LIMIT} bytes") as caught:
            await fetch(pictures.url("/endless"))
    assert caught.value.status == 413


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/none", "answered 404"), ("/again", "more than 3 redirects"), ("/silent", "not within")],
)
async def test_what_can_t_be_fetched_is_422_with_its_reason(path: str, reason: str) -> None:
    async with site() as pictures:
        with pytest.raises(InputError, match=reason) as caught:
            await fetch(pictures.url(path), limit=0.3 if path == "/silent" else 30.0)
    assert caught.value.status == 422


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"url": 1}', b'{"url": "file:///etc/x"}', b'{"url": "http://u@h/"}']
)
def test_what_names_no_picture_is_422(body: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read_picture_url(body)
    assert caught.value.status == 422


async def ask(client: Any, url: str) -> tuple[int, Any]:
    body = json.dumps({"url": url}).encode()
    return await post(client, body, Content_Type="application/json")


async def test_the_service_answers_what_a_picture_s_url_shows() -> None:
    fetcher = PictureFetcher(AddressRule.ROOM, max_bytes=LIMIT)
    async with site() as pictures, fetcher, serving(ScriptedDetector(), pictures=fetcher) as client:
        status, answer = await ask(client, pictures.url("/ada.jpg"))
        assert (status, answer["width"], answer["labels"][0]["label"]) == (200, 640, "thumbs_up")


async def test_a_service_without_permission_fetches_nothing() -> None:
    async with site() as pictures, serving(ScriptedDetector()) as client:
        status, problem = await ask(client, pictures.url("/ada.jpg"))
        assert (status, "serve.picture_urls" in problem["do"]) == (403, True)
    assert pictures.headers == []
