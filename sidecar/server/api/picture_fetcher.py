"""Pictures by URL for the annotate service, where the operator allows them."""

import asyncio
from typing import Annotated, Final

import aiohttp
from pydantic import Field, ValidationError
from yarl import URL

from config.errors import CapacityError, ForbiddenError, InputError, RefusedError
from sidecar.addresses import AddressRule, guarded_session
from sidecar.aio import Component
from sidecar.server.api.endpoints import describe
from sidecar.server.api.uploads import FORMATS
from sidecar.supervisor.values import MAX_URL, Value

FETCH: Final = 5.0
"""Seconds until a picture must have come, redirects included."""
FETCHES: Final = 16
"""Pictures that are fetched at once; further requests are answered 503."""
REDIRECTS: Final = 3
"""Of one picture that are followed."""
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class PictureUrl(Value):
    """Where a picture is."""

    url: Annotated[
        str, Field(max_length=MAX_URL, pattern=r'^https?://[!"$-.0->A-~]+([/?#][!-~]*)?$')
    ]
    """At a public address, unless the server allows others; without user name and password."""


def read_picture_url(body: bytes) -> str:
    """The URL in the JSON object of a request; raises InputError 422."""
    try:
        return PictureUrl.model_validate_json(body).url
    except ValidationError as error:
        do = 'send {"url": "https://…"}'
        raise InputError(describe(error), status=422, do=do) from None


class PictureFetcher(Component):
    """Fetches pictures of ``max_bytes`` at most from addresses that ``rule`` allows.

    The rule holds for each redirect, and for what a name resolves to when it is connected to. No
    cookie and nothing of the request goes out.
    """

    def __init__(self, rule: AddressRule, *, max_bytes: int, timeout: float = FETCH) -> None:
        self._rule = rule
        self._max_bytes = max_bytes
        self._timeout = timeout
        self._http: aiohttp.ClientSession | None = None
        self._busy = 0

    async def start(self) -> None:
        self._http = guarded_session(
            self._rule,
            connections=FETCHES,
            cookie_jar=aiohttp.DummyCookieJar(),
            # A few packed bytes could be any number of bytes.
            auto_decompress=False,
            headers={
                "Accept": ", ".join(FORMATS),
                "Accept-Encoding": "identity",
                "User-Agent": "reaction-sidecar",
            },
        )

    async def aclose(self) -> None:
        if self._http is not None:
            await self._http.close()

    async def fetch(self, url: str) -> tuple[bytes, str]:
        """The bytes of a picture and their content type.

        Raises ForbiddenError for an address that is not allowed, InputError 413 for too many bytes
        and 422 for what can't be fetched in time, CapacityError.
        """
        if self._busy >= FETCHES:
            what = f"{FETCHES} pictures are being fetched already"
            raise CapacityError(what, where="annotate", do="send fewer at once")
        self._busy += 1
        try:
            async with asyncio.timeout(self._timeout):
                return await self._follow(URL(url))
        except TimeoutError:
            raise _unfetched(f"not within {self._timeout:g} s") from None
        except RefusedError as error:
            raise _refused(error) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            cause = error.__cause__ or error.__context__
            if isinstance(cause, RefusedError):
                raise _refused(cause) from None
            raise _unfetched(type(error).__name__) from error
        finally:
            self._busy -= 1

    async def _follow(self, url: URL) -> tuple[bytes, str]:
        assert self._http is not None, "fetch while the fetcher is started"
        for _ in range(REDIRECTS + 1):
            if url.scheme not in {"http", "https"} or url.user is not None:
                raise _unfetched("it is no http or https address without user and password")
            async with self._http.get(url, allow_redirects=False) as answer:
                if answer.status not in _REDIRECTS:
                    return await self._read(answer)
                url = url.join(URL(answer.headers.get("Location", "")))
        raise _unfetched(f"more than {REDIRECTS} redirects")

    async def _read(self, answer: aiohttp.ClientResponse) -> tuple[bytes, str]:
        if answer.status != 200:
            raise _unfetched(f"answered {answer.status}")
        data = bytearray()
        async for chunk in answer.content.iter_any():
            data += chunk
            if len(data) > self._max_bytes:
                what = f"the picture exceeds {self._max_bytes} bytes"
                raise InputError(what, status=413, where="url", do="name a smaller one")
        return bytes(data), answer.content_type


def _unfetched(reason: str) -> InputError:
    do = "check the address"
    return InputError(f"the picture can't be fetched: {reason}", status=422, where="url", do=do)


def _refused(error: RefusedError) -> ForbiddenError:
    return ForbiddenError(error.what, where="url", do="name a picture at a public address")
