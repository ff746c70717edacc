"""Pictures from the web, against sites and an Openverse of our own on this machine."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer
from PIL import Image

from config.errors import DatasetError, InputError
from reactions.datasets.problems import ProblemList
from reactions.datasets.records import Origin
from reactions.datasets.store import changing_dataset, open_dataset
from sidecar.addresses import AddressRule
from sidecar.datasets.collecting import CollectReport, PictureCollection
from sidecar.datasets.picture_sources import ListedPictures, OpenversePictures, PictureSource
from sidecar.datasets.web_reader import HostPace, WebReader
from sidecar.pictures_of_videos import look_at


def png(seed: int) -> bytes:
    """A picture that looks like no other seed's."""
    buffer = io.BytesIO()
    noise = Image.effect_noise((64, 48), 20 + seed).resize((64, 48))
    noise.save(buffer, "PNG")
    return buffer.getvalue()


ROBOTS = "User-agent: *\nDisallow: /private/\n"


@dataclass
class PictureSite:
    """A site of pictures with a robots.txt, and what was asked of it."""

    robots: str | None
    server: BaseTestServer = field(init=False)
    asked: list[str] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    busy: int = 0
    """So many requests for ``/busy.png`` are answered 429 first."""
    pages: list[dict[str, object]] = field(default_factory=list)
    """Those of the search."""

    def url(self, path: str) -> str:
        return str(self.server.make_url(path))

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        self.agents.add(request.headers["User-Agent"])
        match request.path:
            case "/robots.txt" if self.robots is not None:
                return web.Response(text=self.robots)
            case "/busy.png" if self.busy > 0:
                self.busy -= 1
                return web.Response(status=429, headers={"Retry-After": "7"})
            case "/text.png":
                return web.Response(text="<html>", content_type="text/html")
            case "/lies.png":
                return web.Response(body=b"<html>", content_type="image/png")
            case "/to":
                return web.Response(status=302, headers={"Location": request.query["url"]})
            case "/again":
                return web.Response(status=302, headers={"Location": "/again"})
            case "/large.png":
                return web.Response(body=b"\x89PNG" + bytes(300_000), content_type="image/png")
            case "/v1/images/":
                return web.json_response(self.pages[int(request.query["page"]) - 1])
            case path if path.endswith(".png") and "missing" not in path:
                return web.Response(body=png(len(path)), content_type="image/png")
        return web.Response(status=404)


@asynccontextmanager
async def site(robots: str | None = ROBOTS) -> AsyncIterator[PictureSite]:
    found = PictureSite(robots)
    app = web.Application()
    app.router.add_get("/{path:.*}", found.answer)
    async with TestServer(app, host="127.0.0.1") as server:
        found.server = server
        yield found


class Waits:
    """A clock that waiting moves on, and how long was waited."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waited: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


def reader(
    waits: Waits | None = None, rule: AddressRule = AddressRule.ROOM, every: float = 0.0
) -> WebReader:
    waits = waits or Waits()
    pace = HostPace(every, clock=waits.clock, sleep=waits.sleep)
    return WebReader(pace, rule=rule, max_bytes=200_000)


async def collect(
    folder: Path, source: PictureSource, web_reader: WebReader | None = None
) -> tuple[CollectReport, list[str]]:
    problems = ProblemList()
    with changing_dataset(folder, create=True) as dataset:
        async with web_reader or reader() as reading:
            work = PictureCollection(dataset, reading, look_at, problems)
            report = await work.run(source)
    return report, [str(problem) for problem in problems]


def listed(folder: Path, *rows: str) -> ListedPictures:
    path = folder / "list.csv"
    path.write_text("\n".join(["url,licence,author,label", *rows]))
    return ListedPictures(path)


async def test_pictures_are_kept_with_licence_and_author(tmp_path: Path) -> None:
    async with site() as pictures:
        url = pictures.url("/a%20cup.png")
        source = listed(tmp_path, f"{url},CC-BY-4.0,Ada,cup")
        report, problems = await collect(tmp_path / "tea", source)
    assert (report.added, report.failed, problems) == (1, 0, [])
    (record,) = open_dataset(tmp_path / "tea").records.values()
    assert record.origin == Origin(author="Ada", licence="CC-BY-4.0", url=url)
    assert (record.name, record.labels, record.width) == ("a cup.png", ("cup",), 64)
    assert all(agent.startswith("reaction-sidecar/") for agent in pictures.agents)


async def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    async with site() as pictures:
        rows = [f"{pictures.url(f'/{name}.png')},CC0-1.0,," for name in ("a", "bb")]
        await collect(tmp_path / "tea", listed(tmp_path, rows[0]))
        report, _ = await collect(tmp_path / "tea", listed(tmp_path, *rows))
    assert (report.added, report.known) == (1, 1)
    assert pictures.asked.count("/a.png") == 1


async def test_what_is_wrong_is_listed_with_its_line_and_the_rest_goes_on(tmp_path: Path) -> None:
    async with site() as pictures:
        paths = ("/text.png", "/lies.png", "/large.png", "/missing.png", "/private/a.png")
        rows = [f"{pictures.url(path)}?key=secret,MIT,," for path in paths]
        rows += ["ftp://x/a.png,MIT,,", f"{pictures.url('/a.png')},,,", "one,two"]
        rows += [f"{pictures.url('/good.png')},MIT,,"]
        report, problems = await collect(tmp_path / "tea", listed(tmp_path, *rows))
    assert (report.added, report.failed) == (1, 5)
    lines = {problem.split("list.csv:")[1].split(":")[0]: problem for problem in problems}
    assert lines.keys() == {"2", "3", "4", "5", "6", "7", "8", "9"}
    assert "text/html, no picture" in lines["2"]
    assert "not a picture of a kind" in lines["3"]
    assert "exceeds 200000 bytes" in lines["4"]
    assert "answered 404" in lines["5"]
    assert "robots.txt forbids it" in lines["6"]
    assert "no http or https URL" in lines["7"]
    assert "no licence" in lines["8"]
    assert "2 fields" in lines["9"]
    assert not any("secret" in problem for problem in problems)


async def test_requests_to_a_host_are_apart_and_as_far_as_it_asks(tmp_path: Path) -> None:
    waits = Waits()
    async with site(robots="User-agent: *\nCrawl-delay: 4\n") as pictures:
        rows = [f"{pictures.url(f'/{name}.png')},MIT,," for name in ("a", "bb", "ccc")]
        await collect(tmp_path / "tea", listed(tmp_path, *rows), reader(waits, every=1.0))
    # The robots.txt first, then the pictures, each when the one before is four seconds old.
    assert waits.now - 100 >= 9.0


async def test_a_busy_site_is_asked_again_after_what_it_says(tmp_path: Path) -> None:
    waits = Waits()
    async with site() as pictures:
        pictures.busy = 2
        source = listed(tmp_path, f"{pictures.url('/busy.png')},MIT,,")
        report, _ = await collect(tmp_path / "tea", source, reader(waits))
        assert report.added == 1
        assert waits.waited == [7.0, 7.0]
        pictures.busy = 5
        source = listed(tmp_path, f"{pictures.url('/busy.png?2')},MIT,,")
        report, problems = await collect(tmp_path / "tea", source, reader(Waits()))
    assert report.failed == 1
    assert "busy" in problems[0]


@pytest.mark.parametrize(
    ("robots", "allowed"), [(None, True), ("User-agent: *\nDisallow: /", False)]
)
async def test_robots_rule(robots: str | None, allowed: bool) -> None:
    async with site(robots=robots) as pictures, reader() as reading:
        if allowed:
            assert (await reading.read(pictures.url("/a.png"))).content_type == "image/png"
            return
        with pytest.raises(InputError, match=r"robots\.txt") as raised:
            await reading.read(pictures.url("/a.png"))
        assert raised.value.status == 403
        assert pictures.asked == ["/robots.txt"]


async def test_addresses_of_this_network_are_refused_also_after_a_redirect() -> None:
    async with site() as pictures:
        async with reader(rule=AddressRule.PUBLIC) as reading:
            with pytest.raises(InputError, match="not a public address") as raised:
                await reading.read(pictures.url("/a.png"))
            assert raised.value.status == 403
        assert pictures.asked == []
        async with reader(rule=AddressRule.ROOM) as reading:
            for target in ("http://169.254.169.254/latest", "file:///etc/passwd", "http://u:p@x/"):
                with pytest.raises(InputError) as raised:
                    await reading.read(str(pictures.server.make_url("/to").with_query(url=target)))
                assert raised.value.status == 403
            with pytest.raises(InputError, match="redirects"):
                await reading.read(pictures.url("/again"))


def result(url: str, **fields: object) -> dict[str, object]:
    given = {"license": "by-sa", "license_version": "2.0", "creator": "Ada", "mature": False}
    return {"url": url, **given, **fields}


async def test_openverse_is_searched_page_by_page(tmp_path: Path) -> None:
    async with site() as pictures:
        first = [result(pictures.url(f"/{'x' * count}.png")) for count in range(1, 4)]
        pictures.pages = [
            {"page_count": 2, "results": [*first, result(pictures.url("/m.png"), mature=True)]},
            {"page_count": 2, "results": [result(pictures.url("/cc0-one.png"), license="cc0",
                                                 license_version="1.0", creator=None), "?", {}]},
        ]  # fmt: skip
        source = OpenversePictures(
            "tea cup", licences="by-sa,cc0", limit=40, address=pictures.url("")
        )
        report, problems = await collect(tmp_path / "tea", source)
        asked = [path for path in pictures.asked if path.startswith("/v1")]
    assert asked[0].startswith("/v1/images/?q=tea+cup&page=1&page_size=20&license=by-sa")
    assert len(asked) == 2
    assert (report.added, len(problems)) == (4, 2)
    records = list(open_dataset(tmp_path / "tea").records.values())
    rights = {(one.origin.licence, one.origin.author) for one in records}
    assert rights == {("CC-BY-SA-2.0", "Ada"), ("CC0-1.0", "")}


async def test_openverse_stops_at_the_limit_and_names_its_failures(tmp_path: Path) -> None:
    async with site() as pictures:
        results = [result(pictures.url(f"/{'x' * count}.png")) for count in range(1, 9)]
        pictures.pages = [{"page_count": 9, "results": results}]
        source = OpenversePictures("tea", limit=2, address=pictures.url(""))
        report, _ = await collect(tmp_path / "tea", source)
        assert report.added == 2
        wrong = OpenversePictures("tea", address=pictures.url("/none"))
        with pytest.raises(DatasetError, match="the search failed: answered 404"):
            await collect(tmp_path / "tea", wrong)


async def test_a_list_without_urls_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("name,author\na,b\n")
    with pytest.raises(DatasetError, match=r"list\.csv:1: has no column 'url'"):
        await collect(tmp_path / "tea", ListedPictures(tmp_path / "list.csv"))
    assert json.loads((tmp_path / "tea" / "dataset.jsonl").read_text())["version"] == 1


@pytest.mark.parametrize(
    "url", ["http://[bad", "http://a[::1]/a.png", "http:///a.png", "http://\u2100/a.png"]
)
async def test_malformed_urls_are_listed_and_the_rest_goes_on(tmp_path: Path, url: str) -> None:
    async with site() as pictures, asyncio.timeout(30):
        # One more than there are downloads at once.
        rows = [f"{url}{'?' * count},MIT,," for count in range(9)]
        rows.append(f"{pictures.url('/good.png')},MIT,,")
        report, problems = await collect(tmp_path / "tea", listed(tmp_path, *rows))
        pictures.pages = [{"page_count": 1, "results": [result(url)]}]
        _, more = await collect(
            tmp_path / "tea", OpenversePictures("tea", limit=1, address=pictures.url(""))
        )
    assert (report.added, len(problems)) == (1, 9)
    assert "no http or https URL" in problems[0]
    assert "without URL or licence" in more[0]


async def test_a_defect_ends_the_collection(tmp_path: Path) -> None:
    def look(path: Path) -> NoReturn:
        raise ZeroDivisionError

    with changing_dataset(tmp_path / "tea", create=True) as dataset:
        async with site() as pictures, reader() as reading, asyncio.timeout(30):
            work = PictureCollection(dataset, reading, look, ProblemList())
            rows = [f"{pictures.url(f'/{count}.png')},MIT,," for count in range(12)]
            with pytest.raises(ZeroDivisionError):
                await work.run(listed(tmp_path, *rows))


@pytest.mark.parametrize(
    "robots",
    [f"User-agent: *\nCrawl-delay: {'9' * digits}\n" for digits in (400, 5000)]
    + ["User-agent: *\nDisallow: http://[bad\n", "User-agent: *\nCrawl-delay: \u00b2\n"],
)
async def test_a_robots_txt_that_is_malformed_or_asks_for_ages_is_a_refusal(robots: str) -> None:
    async with site(robots=robots) as pictures, reader() as reading:
        with pytest.raises(InputError, match=r"robots\.txt") as raised:
            await reading.read(pictures.url("/a.png"))
        assert raised.value.status == 403
        assert pictures.asked == ["/robots.txt"]


async def test_a_site_that_does_not_answer_is_one_line_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with site() as pictures:
        url = pictures.url("/a.png")
    report, problems = await collect(tmp_path / "tea", listed(tmp_path, f"{url},MIT,,"))
    assert report.failed == 1
    assert "robots.txt can't be read: no connection (ClientConnector" in problems[0]
    captured = capsys.readouterr()
    assert "Traceback" not in captured.out + captured.err
