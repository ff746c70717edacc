"""Which pages may use the rooms."""

import aiohttp
import pytest

from sidecar.server.cors import allowed
from tests.sidecar.server.conftest import RunningServer, running_server


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:3000", "192.0.2.7:8080"),
        ("http://127.0.0.1:9", "room.example"),
        ("http://[::1]:9", "room.example"),
        ("http://app.localhost", "room.example"),
        ("http://192.0.2.7:3000", "192.0.2.7:8080"),
        ("http://[2001:db8::1]:3000", "[2001:db8::1]:8080"),
    ],
)
def test_pages_of_this_machine_and_of_the_same_address_may(origin: str, host: str) -> None:
    assert allowed(origin, host, ())


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "", "http://127.0.0.1.evil.example", "http://room.example.x"],
)
def test_other_pages_may_not_unless_they_are_listed(origin: str) -> None:
    assert not allowed(origin, "room.example:8080", ("https://good.example",), "0.0.0.0")
    assert allowed(origin, "room.example:8080", ("*",))


@pytest.mark.parametrize("origin", ["http://evil.example:8080", "http://[", "http://192.0.2.8"])
def test_a_page_is_not_trusted_because_it_reached_us_by_its_own_name(origin: str) -> None:
    assert not allowed(origin, origin.removeprefix("http://").replace("2.8", "2.7"), ())


def test_pages_of_the_configured_host_may_at_any_port() -> None:
    assert allowed("https://room.example:8443", "192.0.2.7:8080", (), "Room.Example")


def test_a_listed_origin_may() -> None:
    assert allowed("https://good.example", "room.example", ("https://good.example",))


async def test_a_preflight_of_an_allowed_page_is_granted(
    running: RunningServer, http: aiohttp.ClientSession
) -> None:
    headers = {"Origin": "http://localhost:9", "Access-Control-Request-Method": "POST"}
    async with http.options(running.url("/rooms/one/whip"), headers=headers) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:9"
        assert "PATCH" in response.headers["Access-Control-Allow-Methods"]
        assert "If-Match" in response.headers["Access-Control-Allow-Headers"]


async def test_an_answer_lets_an_allowed_page_read_its_headers(
    running: RunningServer, http: aiohttp.ClientSession
) -> None:
    headers = {"Origin": "http://localhost:9", "Content-Type": "application/sdp"}
    async with http.post(running.url("/rooms/one/whip"), data="x", headers=headers) as response:
        assert response.status == 400
        assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:9"
        assert "Location" in response.headers["Access-Control-Expose-Headers"]


async def test_a_strange_page_gets_no_permission(
    running: RunningServer, http: aiohttp.ClientSession
) -> None:
    headers = {"Origin": "https://evil.example"}
    for path in ("/rooms/one/whep", "/rooms/one/stats", "/rooms/one/legend.json"):
        async with http.get(running.url(path), headers=headers) as response:
            assert "Access-Control-Allow-Origin" not in response.headers
            assert response.headers["Vary"] == "Origin"


async def test_a_server_may_be_opened_to_a_page(http: aiohttp.ClientSession) -> None:
    async with running_server(origins=("https://good.example",)) as running:
        headers = {"Origin": "https://good.example"}
        async with http.get(running.url("/rooms/one/stats"), headers=headers) as response:
            assert response.headers["Access-Control-Allow-Origin"] == "https://good.example"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example"])
@pytest.mark.parametrize("path", ["/livez", "/rooms/one", "/rooms/one/events", "/rooms/one/whep"])
async def test_another_site_s_host_is_refused_on_every_path(
    running: RunningServer, http: aiohttp.ClientSession, host: str, path: str
) -> None:
    headers = {"Host": host, "Origin": f"http://{host}", "Content-Type": "application/sdp"}
    for method in ("GET", "POST", "OPTIONS"):
        async with http.request(method, running.url(path), headers=headers) as response:
            assert response.status == 421
            assert "Access-Control-Allow-Origin" not in response.headers
            assert "server.origins" in (await response.json(content_type=None))["do"]
    assert not running.meetings


async def test_the_configured_host_and_hosts_of_origins_are_taken(
    http: aiohttp.ClientSession,
) -> None:
    async with running_server(host="room.example", origins=("https://good.example",)) as running:
        for host in ("room.example:8080", "good.example", "localhost:1"):
            async with http.get(running.url("/livez"), headers={"Host": host}) as response:
                assert response.status == 200


async def test_no_get_opens_a_room(http: aiohttp.ClientSession) -> None:
    paths = ("", "/events", "/stats", "/participants", "/whip", "/whep", "/whip/token/events")
    async with running_server(share_cameras=True) as running:
        for number, path in enumerate(paths):
            url = running.url(f"/rooms/r{number}{path}")
            for accept in ("*/*", "text/event-stream"):
                response = await http.get(url, headers={"Accept": accept})
                response.close()
        assert not running.meetings


async def test_the_api_itself_gives_no_page_permission(http: aiohttp.ClientSession) -> None:
    async with running_server(origins=("*",)) as running:
        headers = {"Origin": "http://localhost:9"}
        for path in ("/v1/rooms", "/livez", "/metrics"):
            async with http.get(running.url(path), headers=headers) as response:
                assert "Access-Control-Allow-Origin" not in response.headers
