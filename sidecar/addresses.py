"""Which network addresses may be connected to: the defence against server-side request forgery.

A URL that a client gives us must not lead to what only this machine can reach. Rooms may be at
private and loopback addresses, since the SFU is next door; picture URLs and webhooks may not. No
URL may lead to link-local addresses, where clouds serve a machine's credentials. The rule is
checked for the URL, for each redirect, and for the addresses that a name resolves to at the moment
of the connection, so that a name that changes its address in between is of no use.
"""

import ipaddress
import socket
import ssl
from enum import StrEnum
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_middlewares import ClientHandlerType, ClientMiddlewareType

from config.errors import RefusedError

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

METADATA: Final = frozenset(
    map(ipaddress.ip_address, ("169.254.169.254", "100.100.100.200", "fd00:ec2::254"))
)
"""Metadata services: AWS, Azure, Google and others; Alibaba; AWS over IPv6."""
METADATA_NAMES: Final = frozenset({"metadata", "metadata.google.internal", "instance-data"})


class AddressRule(StrEnum):
    """Where a connection may lead."""

    ANY = "any"
    """Everywhere: the address is the operator's own, as on the command line."""
    ROOM = "room"
    """Public, private and loopback addresses; not link-local, multicast or metadata ones."""
    PUBLIC = "public"
    """Public addresses alone."""


def address_problem(address: IpAddress, rule: AddressRule) -> str:
    """Why ``address`` may not be connected to; empty if it may."""
    if isinstance(address, ipaddress.IPv6Address):
        # The same host by another spelling: ::ffff:169.254.169.254, 2002:a9fe:a9fe:: and NAT64.
        inner = address.ipv4_mapped or address.sixtofour or _nat64(address)
        if inner is not None:
            return address_problem(inner, rule)
    if rule is AddressRule.ANY:
        return ""
    if address in METADATA:
        return "it is a metadata service"
    if address.is_link_local:
        return "it is a link-local address"
    reserved = address.is_reserved and not address.is_loopback
    if address.is_multicast or address.is_unspecified or reserved:
        return "it is no host's address"
    if rule is AddressRule.PUBLIC and not address.is_global:
        return "it is not a public address"
    return ""


_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


def _nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address in a NAT64 one (RFC 6052 §2.1)."""
    return ipaddress.IPv4Address(address.packed[12:]) if address in _NAT64 else None


def host_problem(host: str, rule: AddressRule) -> str:
    """Why the host of a URL may not be connected to, by its spelling; empty if it may.

    A name is looked up later. Spellings of IPv4 addresses that resolvers take (``0x7f.1``,
    ``2130706433``) count as the address.
    """
    if rule is AddressRule.ANY:
        return ""
    name = host.rstrip(".").lower()
    if name in METADATA_NAMES:
        return "it is a metadata service"
    if rule is AddressRule.PUBLIC and (name == "localhost" or name.endswith(".localhost")):
        return "it is not a public address"
    address = _literal(name)
    return "" if address is None else address_problem(address, rule)


def _literal(host: str) -> IpAddress | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def check_host(host: str, rule: AddressRule) -> None:
    """Raise RefusedError where the host may not be connected to by its spelling."""
    if problem := host_problem(host, rule):
        raise _refusal(host, problem)


def _refusal(host: str, problem: str) -> RefusedError:
    return RefusedError(f"connections to it are refused: {problem}", where=host)


class GuardedResolver(AbstractResolver):
    """Resolves names to the addresses that ``rule`` allows, and refuses those that have none."""

    def __init__(self, rule: AddressRule, resolver: AbstractResolver | None = None) -> None:
        self._rule = rule
        self._resolver = resolver or aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The allowed addresses of ``host``; raises RefusedError if there is none.

        A host of a local network has a link-local address beside the one to use.
        """
        found = await self._resolver.resolve(host, port, family)
        problems = [_problem_of(result["host"], self._rule) for result in found]
        if problems and all(problems):
            raise _refusal(host, problems[0])
        return [result for result, problem in zip(found, problems, strict=True) if not problem]

    async def close(self) -> None:
        """Free the inner resolver."""
        await self._resolver.close()


def check_resolved(host: str, port: int, rule: AddressRule) -> None:
    """Raise RefusedError where ``host``, or an address that it resolves to, is not allowed. Blocks.

    For clients that resolve names by themselves; raises OSError where there is no such name.
    """
    check_host(host, rule)
    for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        if problem := _problem_of(str(found[4][0]), rule):
            raise _refusal(host, problem)


def _problem_of(address: str, rule: AddressRule) -> str:
    return address_problem(ipaddress.ip_address(address.partition("%")[0]), rule)


def guard(rule: AddressRule) -> ClientMiddlewareType:
    """A client middleware that checks the host of each request, redirects included."""

    async def middleware(
        request: aiohttp.ClientRequest, handler: ClientHandlerType
    ) -> aiohttp.ClientResponse:
        check_host(request.url.host or "", rule)
        return await handler(request)

    return middleware


def guarded_session(
    rule: AddressRule,
    *,
    connections: int = 100,
    tls: ssl.SSLContext | bool = True,
    socket_factory: aiohttp.SocketFactoryType | None = None,
    **options: Any,
) -> aiohttp.ClientSession:
    """An HTTP client whose connections keep to ``rule``; ``options`` are the session's own.

    ``connections`` may be open at once; 0 sets no limit. ``tls`` and ``socket_factory`` are the
    connector's.
    """
    connector = aiohttp.TCPConnector(
        resolver=GuardedResolver(rule), limit=connections, ssl=tls, socket_factory=socket_factory
    )
    return aiohttp.ClientSession(connector=connector, middlewares=(guard(rule),), **options)
