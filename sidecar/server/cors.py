"""Which other pages may talk to our rooms, and the headers that tell their browsers so."""

import ipaddress
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

EXPOSED: Final = "Location, ETag, Link, Accept-Patch, Accept-Post, Retry-After, Sidecar-Participant"
_METHODS: Final = "GET, POST, PATCH, DELETE, OPTIONS"
_HEADERS: Final = "Content-Type, Authorization, If-Match, ETag, Accept"
"""``ETag`` too: a known client sends it with PATCH in place of ``If-Match``, and should read why
that is refused."""
_DAY: Final = "86400"


def allowed(origin: str, host: str, origins: Collection[str]) -> bool:
    """Whether a page of ``origin`` may use the server that it reached as ``host``.

    Pages of the same host (any port) and of this machine may, and those in ``origins`` (``*``:
    all). Rooms have no passwords: without this rule any page in the web could watch, through the
    browser of a user who can reach us, a meeting that it can't reach itself.
    """
    if "*" in origins or origin in origins:
        return True
    name = urlsplit(origin).hostname
    return name is not None and (_is_loopback(name) or name == urlsplit(f"//{host}").hostname)


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def cors_headers(request: web.Request, origins: Collection[str]) -> dict[str, str]:
    """The CORS headers of the answer to ``request``; none where the page isn't allowed."""
    origin = request.headers.get("Origin")
    if origin is None or not allowed(origin, request.host, origins):
        return {"Vary": "Origin"}
    headers = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": EXPOSED,
        "Vary": "Origin",
    }
    if request.method == "OPTIONS":
        headers |= {
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Allow-Headers": _HEADERS,
            "Access-Control-Max-Age": _DAY,
        }
    return headers
