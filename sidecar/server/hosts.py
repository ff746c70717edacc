"""Which ``Host`` headers are taken: the defence against DNS rebinding.

A page of another site can point its own name at this server's address and then counts as the same
origin. Its requests carry that name, so a request is taken only for names that are ours: an IP
literal, ``localhost``, the configured host, and the hosts of the configured origins.
"""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from config.errors import InputError


def host_name(host: str) -> str | None:
    """The name in a ``Host`` header without its port, in lower case; None if it has none."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return None
    return name.rstrip(".").lower() if name else None


def is_ours(host: str, names: Collection[str]) -> bool:
    """Whether a ``Host`` header names this server; ``names`` are the configured ones."""
    name = host_name(host)
    return name is not None and (name in names or is_loopback_name(name) or is_address(name))


def is_address(name: str) -> bool:
    """Whether ``name`` is an IP literal, with or without a zone."""
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


def is_loopback_name(name: str) -> bool:
    """Whether ``name`` is of this machine by its look: ``localhost`` or a loopback address."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    return is_address(name) and ipaddress.ip_address(name.partition("%")[0]).is_loopback


def own_names(host: str, origins: Collection[str]) -> frozenset[str]:
    """The names of a server that listens on ``host`` and serves pages of ``origins``."""
    listed = (urlsplit(origin).hostname for origin in origins)
    return frozenset(name.rstrip(".").lower() for name in (host, *listed) if name)


def check_hosts(names: Collection[str]) -> Middleware:
    """A middleware that answers 421 (RFC 9110 §15.5.20) where the name is not ours."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not is_ours(request.headers.get("Host", ""), names):
            raise InputError(
                "this server does not have that name",
                status=421,
                where="Host",
                do="use its address or localhost, or name the origin in server.origins",
            )
        return await handler(request)

    return middleware
