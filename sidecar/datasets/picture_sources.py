"""Where pictures to collect are named: a list of URLs, or a search in Openverse."""

import csv
import io
import json
import math
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlencode, urlsplit

from yarl import URL

from config.errors import DatasetError, InputError
from reactions.datasets.problems import ProblemList
from reactions.datasets.records import MAX_NAME, MAX_TEXT
from reactions.datasets.source_tree import read_limited
from sidecar.datasets.web_reader import WebReader

OPENVERSE: Final = "https://api.openverse.org"
PAGE: Final = 20
"""Results of a page: the most that Openverse gives to callers without a token."""
MAX_LISTED: Final = 100_000
"""Pictures of one list."""
_MAX_URL: Final = 2000
"""Characters."""
_OTHER_NAMES: Final = {"license": "licence", "creator": "author", "class": "label"}


@dataclass(frozen=True, slots=True)
class WantedPicture:
    """A picture to collect. ``label`` is what the whole picture shows; ``where`` names it so that
    a user finds the line that is wrong."""

    url: str
    licence: str
    author: str = ""
    label: str = ""
    person: str = ""
    consent: str = ""
    where: tuple[str, int] = ("", 0)


class PictureSource(Protocol):
    """Names pictures."""

    def pictures(
        self, reader: WebReader, problems: ProblemList
    ) -> AsyncGenerator[WantedPicture, None]:
        """Each picture; what can't be used is listed."""
        ...

    expected: int
    """How many there will be at most; 0 before that is known."""


class ListedPictures:
    """The pictures of a CSV with the columns ``url``, ``licence`` and ``author``.

    ``label``, ``person`` and ``consent`` may stand in it too; rows without a licence get
    ``licence``, and are left out where that is empty. Raises DatasetError for a list without URLs.
    """

    def __init__(self, path: Path, licence: str = "") -> None:
        self._path = path
        self._licence = licence
        self.expected = 0

    async def pictures(
        self, reader: WebReader, problems: ProblemList
    ) -> AsyncGenerator[WantedPicture, None]:
        """Each row's picture, a URL once."""
        found: dict[str, WantedPicture] = {}
        for line, row in self._rows(problems):
            wanted = self._wanted(row, line, problems)
            if wanted is not None and wanted.url in found:
                problems.add(self._path, line, "names a URL for the second time: left out")
            elif wanted is not None:
                found[wanted.url] = wanted
            if len(found) > MAX_LISTED:
                problems.add(self._path, line, f"more than {MAX_LISTED} pictures: the rest is left")
                break
        self.expected = len(found)
        for wanted in found.values():
            yield wanted

    def _rows(self, problems: ProblemList) -> Iterator[tuple[int, Mapping[str, str]]]:
        where = str(self._path)
        content = read_limited(self._path, problems)
        if content is None:
            raise DatasetError("can't be read", where=where, do="name a CSV file")
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig", "replace"), newline=""))
        try:
            header = [name.strip().lower() for name in next(reader, [])]
            header = [_OTHER_NAMES.get(name, name) for name in header]
            if "url" not in header:
                do = "begin it with url,licence,author"
                raise DatasetError("has no column 'url'", where=f"{where}:1", do=do)
            for values in reader:
                if values and len(values) != len(header):
                    what = f"has {len(values)} fields, the header {len(header)}: left out"
                    problems.add(self._path, reader.line_num, what)
                elif values:
                    yield reader.line_num, dict(zip(header, map(str.strip, values), strict=True))
        except csv.Error as error:
            problems.add(self._path, reader.line_num, f"is broken CSV: {error}")

    def _wanted(
        self, row: Mapping[str, str], line: int, problems: ProblemList
    ) -> WantedPicture | None:
        url, licence = row["url"], row.get("licence", "") or self._licence
        if not _is_usable(url):
            problems.add(self._path, line, "has no http or https URL: left out")
            return None
        if not licence:
            problems.add(self._path, line, "has no licence: left out")
            return None
        return WantedPicture(
            url,
            licence[:MAX_NAME],
            row.get("author", "")[:MAX_TEXT],
            row.get("label", "")[:MAX_NAME],
            row.get("person", "")[:MAX_NAME],
            row.get("consent", "")[:MAX_TEXT],
            (str(self._path), line),
        )


class OpenversePictures:
    """What Openverse finds for ``query``: openly licensed pictures with their authors.

    ``licences`` are its codes (``by``, ``by-sa``, ``cc0``, ``pdm`` …), all if empty; ``limit`` is
    how many pictures are wanted. ``token`` raises the site's limits. Facts of the API:
    https://api.openverse.org/v1/ (``/v1/images/``, ``page``, ``page_size``, ``license``).
    """

    def __init__(
        self,
        query: str,
        *,
        licences: str = "",
        limit: int = 100,
        token: str = "",
        address: str = OPENVERSE,
    ) -> None:
        self._query = query
        self._licences = licences
        self._limit = limit
        self._token = token
        self._address = address.rstrip("/")
        self.expected = limit

    async def pictures(
        self, reader: WebReader, problems: ProblemList
    ) -> AsyncGenerator[WantedPicture, None]:
        """The results, page by page. Raises DatasetError where the search itself fails."""
        taken, seen = 0, set[str]()
        for page in range(1, math.ceil(self._limit / PAGE) + 1):
            answer = await self._page(reader, page)
            results = answer.get("results")
            for index, result in enumerate(results if isinstance(results, list) else ()):
                wanted = _openverse_picture(result, (f"openverse page {page}", index + 1), problems)
                if wanted is None or wanted.url in seen:
                    continue
                seen.add(wanted.url)
                yield wanted
                taken += 1
                if taken >= self._limit:
                    return
            pages = answer.get("page_count")
            if not results or not isinstance(pages, int) or page >= pages:
                self.expected = taken
                return

    async def _page(self, reader: WebReader, page: int) -> Mapping[str, object]:
        query = {"q": self._query, "page": page, "page_size": PAGE}
        if self._licences:
            query["license"] = self._licences
        url = f"{self._address}/v1/images/?{urlencode(query)}"
        try:
            # An API is asked on purpose; robots.txt is about crawling.
            answer = await reader.read(
                url, accept="application/json", token=self._token, robots=False
            )
            found = json.loads(answer.data)
        except InputError as error:
            do = "try later, or with fewer pictures"
            raise DatasetError(
                f"the search failed: {error.what}", where="Openverse", do=do
            ) from None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise DatasetError("the answer is no search result", where="Openverse")
        return found


def _openverse_picture(
    result: object, where: tuple[str, int], problems: ProblemList
) -> WantedPicture | None:
    fields = result if isinstance(result, dict) else {}
    texts = {key: value for key, value in fields.items() if isinstance(value, str)}
    url, code = texts.get("url", ""), texts.get("license", "")
    if fields.get("mature") is True:
        return None
    if not _is_usable(url) or not code:
        problems.add(where[0], where[1], "is a result without URL or licence: left out")
        return None
    licence = _licence_name(code, texts.get("license_version", ""))
    return WantedPicture(url, licence, texts.get("creator", "")[:MAX_TEXT], where=where)


def _is_usable(url: str) -> bool:
    """Whether ``url`` is an http or https one with a host; both parsers that read it must agree."""
    try:
        named = urlsplit(url).hostname and URL(url).host
    except ValueError:
        return False
    return url.lower().startswith(("http://", "https://")) and bool(named) and len(url) <= _MAX_URL


def _licence_name(code: str, version: str) -> str:
    """The name as SPDX has it: ``CC-BY-SA-4.0``, ``CC0-1.0``; ``pdm`` is the public domain mark."""
    name = {"cc0": "CC0", "pdm": "PDM"}.get(code.lower(), f"CC-{code.upper()}")
    return "-".join(filter(None, (name, version)))[:MAX_NAME]
