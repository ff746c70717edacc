"""Which ``Host`` headers are taken, the defence against DNS rebinding, and who asks.

A page of another site can point its own name at this server's address and then counts as the same
origin. Its requests carry that name, so a request is taken only for names that are ours: an IP
literal, ``localhost``, the configured host, and the hosts of the configured origins.

A reverse proxy hides its clients' addresses. Those of the proxies that the settings name are taken
from ``X-Forwarded-For``, and only theirs: others may write what they like there.
"""

import ipaddress
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from config.errors import ConfigError, InputError
from sidecar.redaction import shown_url

FORWARDED: Final = "X-Forwarded-For"


class TrustedProxies:
    """The reverse proxies in front of us, as addresses and networks (``10.0.0.0/8``)."""

    def __init__(self, networks: Collection[str] = ()) -> None:
        self._networks = tuple(ipaddress.ip_network(one, strict=False) for one in networks)

    def __contains__(self, address: str) -> bool:
        try:
            found = _ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._networks)

    def client(self, peer: str, forwarded: str) -> str:
        """The address of the client behind ``peer``: itself, unless that is a trusted proxy.

        ``forwarded`` is the text of ``X-Forwarded-For``, to which each proxy adds its client at the
        end. Empty where a proxy does not say for whom it asks.
        """
        if peer not in self:
            return peer
        for address in reversed(forwarded.split(",")):
            name = address.strip()
            if name and name not in self:
                return name if is_address(name) else ""
        return ""


PROXIES: Final = web.AppKey("proxies", TrustedProxies)


def client_address(request: web.Request) -> str:
    """The address of the client that sent ``request``; empty where a proxy hides it."""
    proxies = request.app.get(PROXIES) or TrustedProxies()
    return proxies.client(request.remote or "", ",".join(request.headers.getall(FORWARDED, ())))


def client_key(address: str) -> str:
    """The name under which the client at ``address`` is counted.

    For IPv6 that is its /64: a host may take any address in it (RFC 8981).
    """
    try:
        found = _ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((found, 64), strict=False))


def _ip_address(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """``address`` without its zone, IPv4 in IPv6 as IPv4; raises ValueError."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


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
    """The names of a server that listens on ``host`` and serves pages of ``origins``.

    Raises ConfigError for an origin that is malformed.
    """
    listed = map(_name_of_origin, origins)
    return frozenset(name.rstrip(".").lower() for name in (host, *listed) if name)


def _name_of_origin(origin: str) -> str | None:
    try:
        return urlsplit(origin).hostname
    except ValueError as error:
        what = f"{shown_url(origin)!r} is no origin"
        do = "write it as https://site.example"
        raise ConfigError(what, where="server.origins", do=do) from error


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
