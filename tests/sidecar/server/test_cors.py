"""Which pages may use the rooms."""

import aiohttp
import pytest

from sidecar.server.cors import allowed
from tests.sidecar.server.conftest import House, open_house


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:3000", "192.0.2.7:8080"),
        ("http://127.0.0.1:9", "room.example"),
        ("http://[::1]:9", "room.example"),
        ("http://app.localhost", "room.example"),
        ("https://room.example:8443", "room.example:8080"),
        ("http://[2001:db8::1]:3000", "[2001:db8::1]:8080"),
    ],
)
def test_pages_of_this_machine_and_of_the_same_host_may(origin: str, host: str) -> None:
    assert allowed(origin, host, ())


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "", "http://127.0.0.1.evil.example", "http://room.example.x"],
)
def test_other_pages_may_not_unless_they_are_listed(origin: str) -> None:
    assert not allowed(origin, "room.example:8080", ("https://good.example",))
    assert allowed(origin, "room.example:8080", ("*",))


def test_a_listed_origin_may() -> None:
    assert allowed("https://good.example", "room.example", ("https://good.example",))


async def test_a_preflight_of_an_allowed_page_is_granted(
    house: House, http: aiohttp.ClientSession
) -> None:
    headers = {"Origin": "http://localhost:9", "Access-Control-Request-Method": "POST"}
    async with http.options(house.url("/rooms/one/whip"), headers=headers) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:9"
        assert "PATCH" in response.headers["Access-Control-Allow-Methods"]
        assert "If-Match" in response.headers["Access-Control-Allow-Headers"]


async def test_an_answer_lets_an_allowed_page_read_its_headers(
    house: House, http: aiohttp.ClientSession
) -> None:
    headers = {"Origin": "http://localhost:9", "Content-Type": "application/sdp"}
    async with http.post(house.url("/rooms/one/whip"), data="x", headers=headers) as response:
        assert response.status == 400
        assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:9"
        assert "Location" in response.headers["Access-Control-Expose-Headers"]


async def test_a_strange_page_gets_no_permission(house: House, http: aiohttp.ClientSession) -> None:
    headers = {"Origin": "https://evil.example"}
    for path in ("/rooms/one/whep", "/rooms/one/stats", "/healthz"):
        async with http.get(house.url(path), headers=headers) as response:
            assert "Access-Control-Allow-Origin" not in response.headers
            assert response.headers["Vary"] == "Origin"


async def test_a_server_may_be_opened_to_a_page(http: aiohttp.ClientSession) -> None:
    async with open_house(origins=("https://good.example",)) as house:
        headers = {"Origin": "https://good.example"}
        async with http.get(house.url("/healthz"), headers=headers) as response:
            assert response.headers["Access-Control-Allow-Origin"] == "https://good.example"
