"""CORS: which other origins may use the hosted rooms."""

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from sidecar.server.hosts import host_name, is_address, is_loopback_name

EXPOSED: Final = "Location, ETag, Link, Accept-Patch, Accept-Post, Retry-After, Sidecar-Participant"
_METHODS: Final = "GET, POST, PATCH, DELETE, OPTIONS"
_HEADERS: Final = "Content-Type, Authorization, If-Match, ETag, Accept"
"""``ETag`` too: a known client sends it with PATCH in place of ``If-Match``, and should read why
that is refused."""
_DAY: Final = "86400"


def allowed(origin: str, host: str, origins: Collection[str], configured: str = "") -> bool:
    """Whether a page of ``origin`` may use the server that it reached as ``host``.

    Pages of this machine may, those of the address that was asked for (any port), those of the
    ``configured`` host, and those in ``origins`` (``*``: all). That ``origin`` and ``host`` have
    the same name says nothing: any site can point its name at our address. Rooms have no passwords:
    without this rule any page in the web could watch, through the browser of a user who can reach
    us, a meeting that it can't reach itself.
    """
    if "*" in origins or origin in origins:
        return True
    try:
        name = urlsplit(origin).hostname
    except ValueError:
        return False
    if name is None:
        return False
    if is_loopback_name(name) or (configured and host_name(configured) == name):
        return True
    return is_address(name) and name == host_name(host)


def cors_headers(
    request: web.Request, origins: Collection[str], configured: str = ""
) -> dict[str, str]:
    """The CORS headers of the answer to ``request``; none where the page isn't allowed."""
    origin = request.headers.get("Origin")
    if origin is None or not allowed(origin, request.host, origins, configured):
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
