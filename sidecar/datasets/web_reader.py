"""Read from other people's sites politely: slowly, by their robots.txt, and from where we may.

Each request keeps to an ``AddressRule``, redirects included, and to what a name resolves to at the
moment of the connection. Requests to one host are a second apart, or as far as it asks for.
"""

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import Final
from urllib.robotparser import RobotFileParser

import aiohttp
from yarl import URL

from config.errors import InputError, RefusedError
from sidecar.addresses import AddressRule, guarded_session
from sidecar.aio import Component, TaskSet

AGENT: Final = "reaction-sidecar"
"""Our name in robots.txt."""
TIMEOUT: Final = 60.0
"""Seconds for one answer, its body included."""
REDIRECTS: Final = 5
TRIES: Final = 3
"""Of one address that is answered 429 or 503."""
LONGEST_WAIT: Final = 60.0
"""Seconds that a site may make us wait; what it asks for beyond is a refusal."""
MAX_ROBOTS: Final = 512_000
"""Bytes of a robots.txt that are read: RFC 9309 §2.5 wants 500 KiB at least."""
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_BUSY: Final = frozenset({429, 503})

Sleep = Callable[[float], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """The body of an answer of 200, and its content type."""

    data: bytes
    content_type: str


class HostPace:
    """Keeps requests to one host ``every`` seconds apart, or as far as the host asks for."""

    def __init__(
        self,
        every: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._every = every
        self._clock = clock
        self._sleep = sleep
        self._next: dict[str, float] = defaultdict(float)

    async def turn(self, host: str, delay: float = 0.0) -> None:
        """Wait until the next request to ``host`` may be sent; ``delay`` is what it asks for."""
        now = self._clock()
        at = max(now, self._next[host])
        self._next[host] = at + max(self._every, delay)
        if at > now:
            await self._sleep(at - now)

    def defer(self, host: str, seconds: float) -> None:
        """Send nothing to ``host`` for so long."""
        self._next[host] = max(self._next[host], self._clock() + seconds)


class WebReader(Component):
    """Reads answers of at most ``max_bytes`` from addresses that ``rule`` allows."""

    def __init__(
        self, pace: HostPace, *, rule: AddressRule = AddressRule.PUBLIC, max_bytes: int
    ) -> None:
        self._pace = pace
        self._rule = rule
        self._max_bytes = max_bytes
        self._http: aiohttp.ClientSession | None = None
        self._robots: dict[str, asyncio.Task[RobotFileParser | InputError]] = {}
        self._tasks = TaskSet()

    async def start(self) -> None:
        self._http = guarded_session(
            self._rule,
            cookie_jar=aiohttp.DummyCookieJar(),
            # A few packed bytes could be any number of bytes.
            auto_decompress=False,
            headers={
                "Accept-Encoding": "identity",
                "User-Agent": f"{AGENT}/{version('reaction-sidecar')}",
            },
        )

    async def aclose(self) -> None:
        await self._tasks.aclose()
        if self._http is not None:
            await self._http.close()

    async def read(
        self, address: str, *, accept: str = "*/*", token: str = "", robots: bool = True
    ) -> WebAnswer:
        """What is at ``address``, also after redirects.

        ``robots`` asks each site's robots.txt first. ``token`` goes to the host of ``address`` over
        HTTPS alone. Raises InputError, which says why nothing could be had: ``status`` 403 is a
        refusal by us or by robots.txt, 429 a site that is busy, 404, 413 and 415 what they are in
        HTTP, and 502 all else.
        """
        try:
            return await self._follow(URL(address), accept, token, robots)
        except _FAILURES as error:
            raise _as_failure(error) from error

    async def _follow(self, url: URL, accept: str, token: str, robots: bool) -> WebAnswer:
        home = url.origin()
        for _ in range(REDIRECTS + 1):
            _check(url)
            delay = await self._allowed(url) if robots else 0.0
            headers = {"Accept": accept}
            if token and url.origin() == home and url.scheme == "https":
                headers["Authorization"] = f"Bearer {token}"
            found = await self._ask(url, headers, delay)
            if isinstance(found, WebAnswer):
                return found
            url = url.join(found)
        raise _failure(f"more than {REDIRECTS} redirects")

    async def _ask(self, url: URL, headers: dict[str, str], delay: float) -> WebAnswer | URL:
        """The answer, or where it redirects to; tries again where the site is busy."""
        host = url.host or ""
        for _ in range(TRIES):
            await self._pace.turn(host, delay)
            async with (
                asyncio.timeout(TIMEOUT),
                self._session.get(url, headers=headers, allow_redirects=False) as answer,
            ):
                if answer.status in _REDIRECTS:
                    return URL(answer.headers.get("Location", ""))
                if answer.status not in _BUSY:
                    return await self._body(answer)
                wait = _retry_after(answer.headers.get("Retry-After", ""))
            if wait > LONGEST_WAIT:
                break
            self._pace.defer(host, wait)
        raise _failure("the site is busy", 429)

    async def _body(self, answer: aiohttp.ClientResponse) -> WebAnswer:
        if answer.status != 200:
            status = 404 if answer.status in {404, 410} else 502
            raise _failure(f"answered {answer.status}", status)
        if (answer.content_length or 0) > self._max_bytes:
            raise _failure(f"exceeds {self._max_bytes} bytes", 413)
        data = bytearray()
        async for chunk in answer.content.iter_any():
            data += chunk
            if len(data) > self._max_bytes:
                raise _failure(f"exceeds {self._max_bytes} bytes", 413)
        return WebAnswer(bytes(data), answer.content_type)

    async def _allowed(self, url: URL) -> float:
        """The seconds between two requests that the site asks for; InputError where it forbids."""
        site = str(url.origin())
        if site not in self._robots:
            # One request for all that wait for it.
            self._robots[site] = self._tasks.create_task(self._rules(url), name="robots")
        rules = await asyncio.shield(self._robots[site])
        if isinstance(rules, InputError):
            raise _failure(f"the site's robots.txt can't be read: {rules.what}", 403)
        if not rules.can_fetch(AGENT, str(url)):
            raise _failure("the site's robots.txt forbids it", 403)
        try:
            delay = float(rules.crawl_delay(AGENT) or 0)
        except OverflowError:
            delay = math.inf
        if delay > LONGEST_WAIT:
            raise _failure(f"the site's robots.txt wants {delay:g} s between requests", 403)
        return delay

    async def _rules(self, url: URL) -> RobotFileParser | InputError:
        """The robots.txt of a site (RFC 9309): none allows all; why, for one that can't be read."""
        rules, place = RobotFileParser(), url.origin() / "robots.txt"
        try:
            for _ in range(REDIRECTS + 1):
                _check(place)
                found = await self._ask(place, {"Accept": "text/plain"}, 0.0)
                if isinstance(found, WebAnswer):
                    text = found.data[:MAX_ROBOTS].decode("utf-8-sig", "replace")
                    rules.parse(text.splitlines())
                    return rules
                place = place.join(found)
        except InputError as error:
            if error.status != 404:
                return error
        except _FAILURES as error:
            return _as_failure(error)
        rules.parse(_EVERYTHING)
        return rules

    @property
    def _session(self) -> aiohttp.ClientSession:
        assert self._http is not None, "read while the reader is started"
        return self._http


_EVERYTHING: Final = ("User-agent: *", "Allow: /")
_FAILURES: Final = (RefusedError, aiohttp.ClientError, OSError, ValueError)
"""What a request or the text of an answer raises."""


def _check(url: URL) -> None:
    if url.scheme not in {"http", "https"} or not url.host or url.user is not None:
        raise _failure("it is no http or https address without user and password", 403)


def _retry_after(text: str) -> float:
    """Seconds, from a number or a date (RFC 9110 §10.2.3); a second for none."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        return max(parsedate_to_datetime(text).timestamp() - time.time(), 1.0)
    except (ValueError, TypeError, IndexError, OverflowError):
        return 1.0


def _failure(what: str, status: int = 502) -> InputError:
    return InputError(what, status=status)


def _as_failure(error: Exception) -> InputError:
    """``error``, one of ``_FAILURES``, as the user reads it."""
    if isinstance(error, TimeoutError):
        return _failure(f"no answer within {TIMEOUT:g} s")
    cause = error if isinstance(error, RefusedError) else error.__cause__ or error.__context__
    if isinstance(cause, RefusedError):
        return _failure(cause.what, 403)
    if isinstance(error, ValueError):
        return _failure("the address or the answer is malformed")
    return _failure(f"no connection ({type(error).__name__})")
