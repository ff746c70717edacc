"""One table of endpoints: routes, the checks before them and the OpenAPI document come from it."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError

from config.errors import InputError, RateLimitError
from sidecar.server.api.rates import RateLimiter
from sidecar.server.api.tokens import Authenticator, Caller, Scope, bearer
from sidecar.server.hosts import client_address, client_key

COOKIE: Final = "sidecar_token"
"""Carries a page's token: HttpOnly, SameSite=Strict."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter for the document, beside those of the path; the handler reads it."""

    name: str
    text: str
    schema: Mapping[str, Any]
    """JSON schema; an array is written with commas between its items."""
    place: Literal["query", "header"] = "query"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request that passed the checks: its caller and its body."""

    request: web.Request
    caller: Caller
    body: Any = None
    """An object of the endpoint's ``body`` model; None where it has none."""


EndpointHandler: TypeAlias = Callable[[Exchange], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation of the API.

    The handler returns an object of ``answer``, which is sent with ``status``, or a ready response.
    """

    method: str
    path: str
    name: str
    """The operation's id in the document, unique."""
    text: str
    scope: Scope | None
    """None: open to all."""
    handler: EndpointHandler
    status: int = 200
    also: tuple[int, ...] = ()
    """Further statuses of the same answer."""
    body: type[BaseModel] | None = None
    answer: Any = None
    """A type that pydantic describes; None for an empty or special answer."""
    content_type: str = "application/json"
    """Of the answer; several with commas between."""
    takes: tuple[str, ...] = ("application/json",)
    """Content types of the body."""
    json_body: type[BaseModel] | None = None
    """Of a JSON body that the handler reads by itself, beside those of other types."""
    parameters: tuple[Parameter, ...] = ()
    errors: tuple[int, ...] = ()
    """Statuses of problems beyond 401, 403, 413, 422 and 429."""
    tag: str = "rooms"


class ApiRoutes:
    """Binds endpoints to aiohttp: authentication, rate limit, body, handler, answer."""

    def __init__(
        self,
        endpoints: Iterable[Endpoint],
        authenticator: Authenticator,
        limiter: RateLimiter,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.endpoints = tuple(endpoints)
        self._authenticator = authenticator
        self._limiter = limiter
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """A route an endpoint."""
        return [web.route(one.method, one.path, self._handler(one)) for one in self.endpoints]

    async def authenticate(self, request: web.Request, scope: Scope | None) -> Caller:
        """The caller of ``request``; raises UnauthorizedError, ForbiddenError or RateLimitError."""
        token = bearer(request.headers.get("Authorization")) or request.cookies.get(COOKIE)
        if scope is None:
            caller = Caller(f"open {client_key(client_address(request))}", frozenset())
        else:
            caller = await self._authenticator.caller(token)
            caller.require(scope)
        if (seconds := self._limiter.wait(caller.name, self._clock(), rate=caller.rate)) > 0:
            raise RateLimitError(seconds)
        _check_size(request, caller)
        return caller

    def _handler(
        self, endpoint: Endpoint
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        answer = None if endpoint.answer is None else TypeAdapter(endpoint.answer)

        async def handle(request: web.Request) -> web.StreamResponse:
            caller = await self.authenticate(request, endpoint.scope)
            body = None if endpoint.body is None else await _read_body(request, endpoint.body)
            result = await endpoint.handler(Exchange(request, caller, body))
            if isinstance(result, web.StreamResponse):
                return result
            if answer is None:
                return web.Response(status=endpoint.status)
            return web.Response(
                body=answer.dump_json(result, by_alias=True),
                status=endpoint.status,
                content_type="application/json",
                headers={"Cache-Control": "no-store"},
            )

        return handle


def _check_size(request: web.Request, caller: Caller) -> None:
    """Raise InputError 413 for a body beyond the token's limit, 411 for one that may be."""
    if caller.max_bytes is None or not request.can_read_body:
        return
    if request.content_length is None:
        raise InputError("this token needs Content-Length", status=411, do="send it")
    if request.content_length > caller.max_bytes:
        what = f"the body exceeds the {caller.max_bytes} bytes of this token"
        raise InputError(what, status=413, do="send less at once")


async def _read_body(request: web.Request, model: type[BaseModel]) -> BaseModel:
    """The body as ``model``; raises InputError naming each field that is wrong."""
    if request.content_type not in {"application/json", "application/octet-stream"}:
        raise InputError(
            f"the body is {request.content_type}", status=415, do="send application/json"
        )
    try:
        return model.model_validate_json(await request.read())
    except ValidationError as error:
        raise InputError(describe(error), status=422, do="GET /v1/openapi.json") from None
    except RecursionError:
        raise InputError("the JSON is nested too deeply", status=422) from None


def describe(error: ValidationError) -> str:
    """What is wrong with an object in one line, without the values that were given."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[:3]
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'body'}: {one['msg']}" for one in first)
