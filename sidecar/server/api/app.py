"""The application of ``sidecar serve``: all endpoints behind the same checks."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from aiohttp import web

from sidecar.server.api.endpoints import ApiRoutes, Endpoint
from sidecar.server.api.openapi import openapi
from sidecar.server.api.rates import RateLimiter
from sidecar.server.api.reference import STYLE, reference_page
from sidecar.server.api.system_endpoints import SystemEndpoints
from sidecar.server.api.tokens import Authenticator
from sidecar.server.app import create_app


@dataclass(frozen=True, slots=True)
class ApiOptions:
    """How the API is reached."""

    host: str
    """The configured address or name."""
    origins: Collection[str] = ()
    """Other sites that browsers may call from; their hosts are taken as ours."""
    max_body: int = 65536
    """Bytes of a request's body; pictures have a limit of their own."""
    rate: float = 50.0
    """Requests a second of one token, with bursts of four times as many."""
    body_timeout: float = 30.0
    """Seconds for a request's whole body."""
    proxies: Collection[str] = ()
    """Reverse proxies that name their clients in ``X-Forwarded-For``."""


def create_api(
    endpoints: Sequence[Endpoint],
    system: SystemEndpoints,
    authenticator: Authenticator,
    options: ApiOptions,
    pages: Iterable[web.AbstractRouteDef] = (),
) -> web.Application:
    """The application over ``endpoints`` and those of ``system``, and the routes of ``pages``."""
    limiter = RateLimiter(options.rate, 4 * options.rate)
    api = ApiRoutes([*endpoints, *system.endpoints()], authenticator, limiter)
    return create_app(
        [*api.routes(), *_descriptions(api), system.metrics_route(api), *pages],
        host=options.host,
        origins=options.origins,
        max_body=options.max_body,
        body_timeout=options.body_timeout,
        proxies=options.proxies,
    )


def _descriptions(api: ApiRoutes) -> Sequence[web.RouteDef]:
    """The OpenAPI document and the reference page made from it, open to all."""
    document = openapi(api.endpoints, version("reaction-sidecar"))
    page = reference_page(document)

    async def describe(request: web.Request) -> web.Response:
        return web.json_response(document, headers={"Cache-Control": "no-cache"})

    async def show(request: web.Request) -> web.Response:
        headers = {"Cache-Control": "no-cache"}
        return web.Response(text=page, content_type="text/html", headers=headers)

    async def style(request: web.Request) -> web.Response:
        return web.Response(text=STYLE, content_type="text/css")

    return (
        web.get("/v1/openapi.json", describe),
        web.get("/v1/docs", show),
        web.get("/v1/docs.css", style),
    )
