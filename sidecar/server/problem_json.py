"""Errors on the wire: every refusal is ``application/problem+json`` (RFC 9457) with its reason."""

import errno
import json
import math
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final

import structlog
from aiohttp import web
from aiohttp.http import HttpProcessingError

from config.errors import (
    CapacityError,
    ConfigError,
    ForbiddenError,
    HttpRefusalError,
    InferenceError,
    JournalError,
    ModelError,
    NotFoundError,
    RateLimitError,
    RefusedError,
    RoomError,
    SidecarError,
    UnauthorizedError,
)
from sidecar.aio import Contained

log = structlog.get_logger(__name__)

RETRY_AFTER: Final = {409: 1, 429: 1, 503: 5}
"""Seconds that a client is asked to wait before it tries again, by status."""

_EXHAUSTED: Final = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_DO: Final = {404: "check the address; docs/http.md has all of them", 413: "send less"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def problem(
    status: int,
    detail: str,
    *,
    do: str = "",
    passing: bool = True,
    headers: dict[str, str] | None = None,
) -> web.Response:
    """A response that says what is wrong and, where there is something, what to ``do``.

    ``passing``: the same request may be answered otherwise soon.
    """
    body = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    if do:
        body["do"] = do
    again = passing and status in RETRY_AFTER
    extra = {"Retry-After": str(RETRY_AFTER[status])} if again else {}
    return web.Response(
        status=status,
        text=json.dumps(body),
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store", **extra, **(headers or {})},
    )


STATUSES: Final[Mapping[type[SidecarError], int]] = {
    ConfigError: 400,
    UnauthorizedError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    RateLimitError: 429,
    RefusedError: 409,
    CapacityError: 503,
    RoomError: 503,
    JournalError: 507,
    ModelError: 422,
    InferenceError: 503,
}
"""The status of each error; subclasses stand before what they are derived from."""


def status_of(error: SidecarError) -> int:
    """The HTTP status that says what ``error`` says."""
    if isinstance(error, HttpRefusalError):
        return error.status
    return next((code for kind, code in STATUSES.items() if isinstance(error, kind)), 500)


def problem_of(error: SidecarError) -> web.Response:
    """The response that says what ``error`` says."""
    status = status_of(error)
    detail = f"{error.where}: {error.what}" if error.where and status != 500 else error.what
    headers = {}
    if isinstance(error, RateLimitError):
        headers["Retry-After"] = str(math.ceil(error.seconds))
    if isinstance(error, UnauthorizedError):
        headers["WWW-Authenticate"] = 'Bearer realm="sidecar"'
    passing = not isinstance(error, RefusedError)
    return problem(status, detail, do=error.do, passing=passing, headers=headers)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what handlers raise into problems; unexpected errors are only logged."""
    # What the socket raises, aiohttp handles.
    passing = (OSError, web.HTTPException)
    with Contained("request failed", *passing, method=request.method, route=_route(request)):
        try:
            return await handler(request)
        except SidecarError as error:
            return problem_of(error)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return _problem_of_aiohttp(error)
        except HttpProcessingError as error:
            # Headers within a multipart body, which aiohttp reads while the handler runs.
            return problem(error.code, "the body is not well formed", do="check its encoding")
        except TimeoutError:
            return problem(408, "the request took too long")
        except OSError as error:
            if error.errno not in _EXHAUSTED:
                raise
            log.error("request refused", route=_route(request), reason=error.strerror)
            return problem(503, "the server has no more files or memory", do="try again later")
    return problem(500, "internal error; the log says what")


def _problem_of_aiohttp(error: web.HTTPException) -> web.Response:
    allowed = error.headers.get("Allow", "")
    # Only the text of a 413 says more than its title: which limit the body exceeds.
    detail = error.text if error.status == 413 and error.text else error.reason
    do = f"use {allowed}" if allowed else _DO.get(error.status, "")
    return problem(error.status, detail, do=do, headers={"Allow": allowed} if allowed else None)


def _route(request: web.Request) -> str:
    """The route's pattern: the path itself would put a session's secret name into the log."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "unknown"
