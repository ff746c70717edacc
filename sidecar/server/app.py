"""What every application of ours has: checks before each request, headers of each answer."""

from collections.abc import Collection, Iterable
from typing import Final

from aiohttp import web

from sidecar.server.connections import limit_requests
from sidecar.server.cors import cors_headers
from sidecar.server.hosts import PROXIES, TrustedProxies, check_hosts, own_names
from sidecar.server.problem_json import problems

_SECURITY: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_SHARED: Final = ("/rooms/", "/static/")
"""Paths that pages of other origins may use, where those are allowed; the API is none of them."""


def create_app(
    routes: Iterable[web.AbstractRouteDef],
    *,
    host: str = "",
    origins: Collection[str] = (),
    max_body: int = 65536,
    body_timeout: float = 30.0,
    proxies: Collection[str] = (),
) -> web.Application:
    """The application of ``routes``.

    ``host`` is the configured address or name, ``origins`` are other origins whose pages may use
    hosted rooms, ``max_body`` the most bytes of a request body, and ``body_timeout`` the seconds in
    which it must come. ``proxies`` are trusted reverse proxies.
    """
    hosts = check_hosts(own_names(host, origins))
    app = web.Application(
        middlewares=[limit_requests(body_timeout), problems, hosts], client_max_size=max_body
    )
    app[PROXIES] = TrustedProxies(proxies)

    async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
        for name, value in _SECURITY.items():
            response.headers.setdefault(name, value)
        if request.path.startswith(_SHARED):
            response.headers.update(cors_headers(request, origins, host))

    app.on_response_prepare.append(add_headers)
    app.add_routes(routes)
    return app
