"""Accepts connections: within limits, and without spinning where the system refuses more.

asyncio's own servers log a traceback for each of up to 128 attempts a second while descriptors are
short (``BaseSelectorEventLoop._accept_connection``), and have no limits.
"""

import asyncio
import errno
import json
import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Final

import structlog
from aiohttp import web

from config.errors import HttpRefusalError
from sidecar.aio import Component, TaskSet
from sidecar.server.connections import ConnectionCounts, ConnectionLimits, HttpConnection
from sidecar.server.hosts import TrustedProxies, client_key
from sidecar.server.quotas import ClientQuota

log = structlog.get_logger(__name__)

PAUSE: Final = 1.0
"""Seconds without accepting after the system refused."""
BACKLOG: Final = 128
"""Connections that the system keeps until they are accepted."""
HANDSHAKE: Final = 10.0
"""Seconds for the TLS handshake."""
_EXHAUSTED: Final = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_NO_FAMILY: Final = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}


class Acceptor(Component):
    """Hands the connections of ``sockets``, which it owns, to ``server``."""

    def __init__(
        self,
        server: web.Server,
        sockets: Iterable[socket.socket],
        limits: ConnectionLimits,
        *,
        proxies: TrustedProxies,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._server = server
        self._sockets = tuple(sockets)
        self._limits = limits
        self._proxies = proxies
        self._tls = tls
        self._quota = ClientQuota("connections", limits.total, limits.per_address)
        self._timeouts = ConnectionCounts()
        self._tasks = TaskSet()

    @property
    def counts(self) -> ConnectionCounts:
        """The connections now, and what came of all."""
        timed_out = self._timeouts.timed_out
        return ConnectionCounts(self._quota.taken, self._quota.refused, timed_out)

    async def start(self) -> None:
        """Accept from now on."""
        for listening in self._sockets:
            self._tasks.create_task(self._accept_all(listening), name="accept")

    async def aclose(self) -> None:
        """Accept no more; connections that are made live on."""
        await self._tasks.aclose()
        for listening in self._sockets:
            listening.close()

    async def _accept_all(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(listening)
            except ConnectionAbortedError:
                continue
            except OSError as error:
                do = "raise the limit on open files" if error.errno in _EXHAUSTED else ""
                log.error("connections not accepted", reason=error.strerror, do=do)
                await asyncio.sleep(PAUSE)
                continue
            self._admit(connection, str(address[0]))
            # sock_accept does not yield while connections wait.
            await asyncio.sleep(0)

    def _admit(self, connection: socket.socket, address: str) -> None:
        key = "" if address in self._proxies else client_key(address)
        try:
            self._quota.take(key)
        except HttpRefusalError as error:
            do = "name a proxy in server.proxies" if error.status == 429 else ""
            log.warning("connection refused", address=address, reason=error.what, do=do)
            self._refuse(connection, error)
            return
        self._tasks.create_task(self._connect(connection, key), name="connection")

    async def _connect(self, connection: socket.socket, key: str) -> None:
        """Hand ``connection`` to the server, which closes it."""
        release = partial(self._quota.release, key)
        protocol = HttpConnection(self._server, self._limits, self._timeouts, release)
        loop = asyncio.get_running_loop()
        try:
            handshake = None if self._tls is None else HANDSHAKE
            await loop.connect_accepted_socket(
                lambda: protocol, connection, ssl=self._tls, ssl_handshake_timeout=handshake
            )
        except OSError as error:
            # Scanners, and clients that do not trust the certificate: TLS errors are OSErrors.
            log.debug("connection failed", reason=str(error))
        finally:
            if not protocol.made:
                release()

    def _refuse(self, connection: socket.socket, error: HttpRefusalError) -> None:
        """Say why in one packet where that is possible without waiting, and close."""
        with connection, suppress(OSError):
            if self._tls is None:
                connection.send(_refusal(error))
                connection.shutdown(socket.SHUT_WR)
                connection.recv(65536)


async def listening_sockets(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen on all addresses of ``host``; port 0 takes one that is free for all.

    Raises OSError where an address can't be had.
    """
    loop = asyncio.get_running_loop()
    flags = socket.AI_PASSIVE
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    sockets: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            try:
                sockets.append(_listen(family, (address[0], port, *address[2:])))
            except OSError as error:
                # Some systems name IPv6 addresses without having IPv6.
                if error.errno not in _NO_FAMILY or not sockets:
                    raise
            port = int(sockets[0].getsockname()[1])
    except OSError:
        for opened in sockets:
            opened.close()
        raise
    return sockets


def _listen(family: int, address: tuple[object, ...]) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.setblocking(False)
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def _refusal(error: HttpRefusalError) -> bytes:
    """An HTTP response that says what ``error`` says; the connection closes after it."""
    title = HTTPStatus(error.status).phrase
    problem = {"title": title, "status": error.status, "detail": error.what, "do": error.do}
    body = json.dumps(problem).encode()
    head = (
        f"HTTP/1.1 {error.status} {title}\r\nContent-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\nRetry-After: 5\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
