"""HTTP clients of rooms: the one place where they are opened, and how they end.

A server that is not ours may send without end, redirect a request that carries a password, or stop
reading. So answers are read up to a limit and never decompressed, redirects are refused, no
connection leads to a metadata service or a link-local address, and every close has a time limit:
aiohttp itself waits for a server that reads nothing, so the sockets are shut down then.
"""

import asyncio
import os
import socket
import ssl
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import aiohttp

from config.errors import RefusedError, RoomError
from sidecar.addresses import AddressRule, guarded_session
from sidecar.plain_text import clean_text
from sidecar.redaction import shown_url

CLOSING: Final = 0.5
"""Seconds for the connections of a client to end, after which they are cut."""
REQUEST: Final = aiohttp.ClientTimeout(total=30, sock_connect=10)
"""For one request from its beginning to the end of its answer; callers have shorter limits."""


@asynccontextmanager
async def open_http(
    limits: aiohttp.ClientTimeout = REQUEST,
) -> AsyncIterator[aiohttp.ClientSession]:
    """A client for the servers of one room, closed within ``CLOSING`` seconds.

    Its requests raise RefusedError for an address that may not be connected to, and for a redirect,
    unless they are made with ``allow_redirects=False``. Cookies are not kept.
    """
    sockets = _Sockets()
    # Made here and not by aiohttp at its import, so that SSL_CERT_FILE counts whenever it is set.
    tls = await asyncio.to_thread(ssl.create_default_context)
    http = guarded_session(
        AddressRule.ROOM,
        tls=tls,
        socket_factory=sockets.make,
        timeout=limits,
        trace_configs=[_without_redirects()],
        cookie_jar=aiohttp.DummyCookieJar(),
        # A few bytes may be unpacked to gigabytes.
        auto_decompress=False,
        headers={"Accept-Encoding": "identity"},
    )
    try:
        yield http
    finally:
        try:
            async with asyncio.timeout(CLOSING):
                await http.close()
        except TimeoutError:
            sockets.shut_down()
            # The transports notice in the next steps of the loop.
            await asyncio.sleep(0)


async def close_websocket(websocket: aiohttp.ClientWebSocketResponse, seconds: float) -> None:
    """Close ``websocket``; a server that does not take part in that is cut off after ``seconds``.

    Raises nothing: a connection that is lost is closed.
    """
    # Afterwards, aiohttp no longer has it.
    connected = websocket.get_extra_info("socket")
    try:
        async with asyncio.timeout(seconds):
            await websocket.close()
    except (TimeoutError, aiohttp.ClientError, OSError):
        if connected is not None:
            _shut_down(connected)


async def read_body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The first ``limit`` bytes of the body; the connection is of no use after a longer one."""
    try:
        return await response.content.readexactly(limit)
    except asyncio.IncompleteReadError as complete:
        return complete.partial


def unreachable(error: Exception, where: str) -> RoomError:
    """The error for users where a request or a WebSocket failed with ``error``.

    RefusedError for a certificate that can't be trusted, since trying again can't help. What
    aiohttp's own errors say is not repeated: it holds the address, with the secrets of its query.
    """
    what = f"the server can't be reached: {connection_failure(error)}"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.CertificateError):
        do = (
            "use the name in the certificate, ask the server's operator, or let SSL_CERT_FILE name "
            "the authority's certificate"
        )
        return RefusedError(what, where=where, do=do)
    do = "check the address, and that the server runs and can be reached from here"
    return RoomError(what, where=where, do=do)


def connection_failure(error: Exception) -> str:
    """Why a request or a WebSocket failed, in a clause without an address."""
    match error:
        case aiohttp.WSServerHandshakeError():
            return f"no WebSocket at this URL, HTTP {error.status}"
        case aiohttp.ClientConnectorCertificateError() | ssl.CertificateError():
            return "its certificate can't be trusted"
        case aiohttp.ClientSSLError():
            return "TLS is not spoken there"
        case aiohttp.ClientConnectorError():
            number = error.os_error.errno or 0
            words = os.strerror(number) if number > 0 else error.os_error.strerror
            return clean_text(words or error.os_error)
        case aiohttp.ClientResponseError():
            return f"no valid HTTP is spoken there: {clean_text(error.message, 120)}"
        case aiohttp.InvalidURL():
            return "the address can't be used"
        case TimeoutError():
            return "no answer in time"
    return f"the connection was lost ({type(error).__name__})"


class _Sockets:
    """The sockets of one client."""

    def __init__(self) -> None:
        self._made: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def make(self, address: aiohttp.AddrInfoType) -> socket.socket:
        """A socket for a connection to ``address``; aiohttp connects and closes it."""
        family, kind, protocol, _, _ = address
        made = socket.socket(family, kind, protocol)
        self._made.add(made)
        return made

    def shut_down(self) -> None:
        """End the connections, also those with data that the server does not read."""
        for each in list(self._made):
            _shut_down(each)


def _shut_down(connected: Any) -> None:
    """End a connection by its socket, or by asyncio's stand-in for one."""
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)


def _without_redirects() -> aiohttp.TraceConfig:
    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(_refuse_redirect)
    return tracing


async def _refuse_redirect(
    http: aiohttp.ClientSession, context: object, params: aiohttp.TraceRequestRedirectParams
) -> None:
    """What aiohttp calls before it follows a redirect: the request may hold a secret."""
    target = shown_url(params.response.headers.get("Location", "nowhere"))
    params.response.close()
    raise RefusedError(
        f"the server redirects us to {target}",
        where=shown_url(str(params.url)),
        do="give the address that it redirects to, if that server may have what you gave this one",
    )
