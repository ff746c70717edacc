"""An HTTP server on one port: listen, name its URL, and close in the right order."""

import asyncio
import errno
import ssl
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import structlog
from aiohttp import web

from config.errors import ConfigError, ServerError
from config.settings import ServerSettings
from sidecar.aio import Component, Contained, TaskSet
from sidecar.open_files import open_file_limit
from sidecar.server.acceptor import Acceptor, listening_sockets
from sidecar.server.connections import ConnectionCounts, ConnectionLimits
from sidecar.server.hosts import PROXIES, TrustedProxies

log = structlog.get_logger(__name__)

SHUTDOWN: Final = 2.0
"""Seconds that requests under way get to finish."""
RELOAD_EVERY: Final = 10.0
"""Seconds between two looks at whether the certificate has changed."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its key, in PEM files."""

    chain: Path
    key: Path

    @classmethod
    def of(cls, chain: Path | None, key: Path | None) -> Self | None:
        """The pair, or None where neither is given; raises ConfigError for half of it."""
        if chain is None and key is None:
            return None
        if chain is None or key is None:
            do = "give both or neither"
            raise ConfigError("certificate and key belong together", where="TLS", do=do)
        return cls(chain, key)

    def load_into(self, context: ssl.SSLContext) -> None:
        """Read both files; connections from now on use them. Raises ConfigError."""
        try:
            context.load_cert_chain(self.chain, self.key)
        except (OSError, ssl.SSLError) as error:
            reason = error.strerror or error.args[-1]
            what = f"the certificate can't be used: {reason}"
            raise ConfigError(what, where=str(self.chain), do="give PEM files") from error

    def changed_at(self) -> tuple[int, int]:
        """When the files were last changed, in nanoseconds; zeros where they are not there."""
        try:
            return self.chain.stat().st_mtime_ns, self.key.stat().st_mtime_ns
        except OSError:
            return 0, 0


class HttpListener(Component):
    """Serves ``app`` on ``host``:``port``; port 0 takes any that is free.

    ``inner`` is entered before the first request is taken. On closing, no new request is taken,
    then ``inner`` is left (which ends its streams), and requests under way get ``shutdown`` seconds
    to finish. With ``certificate``, HTTPS is served; whether its files changed is looked at every
    ``reload_every`` seconds.
    Connections are taken within ``limits``.
    """

    def __init__(
        self,
        app: web.Application,
        host: str,
        port: int,
        *,
        inner: AbstractAsyncContextManager[object] | None = None,
        certificate: Certificate | None = None,
        tls: ssl.SSLContext | None = None,
        shutdown: float = SHUTDOWN,
        limits: ConnectionLimits | None = None,
        reload_every: float = RELOAD_EVERY,
    ) -> None:
        self._host = host
        self._port = port
        self._inner = nullcontext() if inner is None else inner
        self._certificate = certificate
        self._reload_every = reload_every
        self._tls = tls
        if certificate is not None:
            self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        # A listener that hangs up must free its place at once, not at the next event.
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=shutdown, handler_cancellation=True
        )
        self._proxies = app.get(PROXIES) or TrustedProxies()
        self._limits = limits or ConnectionLimits()
        self._acceptor: Acceptor | None = None
        self._bound_port = port
        self._life = AsyncExitStack()

    async def start(self) -> None:
        """Enter ``inner`` and listen; raises ServerError where that fails."""
        async with AsyncExitStack() as stack:
            if self._certificate is not None and self._tls is not None:
                self._certificate.load_into(self._tls)
                tasks = await stack.enter_async_context(TaskSet())
                tasks.create_task(self._reload(self._certificate, self._tls), name="certificate")
            await self._runner.setup()
            stack.push_async_callback(self._runner.cleanup)
            await stack.enter_async_context(self._inner)
            await stack.enter_async_context(await self._open())
            self._life = stack.pop_all()

    async def _open(self) -> Acceptor:
        """What accepts connections, not started yet."""
        try:
            sockets = await listening_sockets(self._host, self._port)
        except OSError as error:
            raise _refused(self._host, self._port, error) from error
        except UnicodeError as error:
            what = "no host can have that name"
            raise ServerError(what, where=self._host[:60], do="check --host") from error
        self._bound_port = int(sockets[0].getsockname()[1])
        server = self._runner.server
        assert server is not None
        limits = self._limits
        self._acceptor = Acceptor(server, sockets, limits, proxies=self._proxies, tls=self._tls)
        return self._acceptor

    async def aclose(self) -> None:
        """Take no more requests, and close."""
        await self._life.aclose()

    @property
    def port(self) -> int:
        """The port that is really listened on."""
        return self._bound_port

    @property
    def connections(self) -> ConnectionCounts:
        """The connections now, and what came of all."""
        return ConnectionCounts() if self._acceptor is None else self._acceptor.counts

    def url(self, path: str = "/") -> str:
        """The URL of ``path`` for clients on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self._host, self._host)  # noqa: S104
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}{path}"

    async def _reload(self, certificate: Certificate, context: ssl.SSLContext) -> None:
        known = certificate.changed_at()
        while True:
            await asyncio.sleep(self._reload_every)
            changed = await asyncio.to_thread(certificate.changed_at)
            if changed == known:
                continue
            known = changed
            with Contained("certificate not read"):
                certificate.load_into(context)
                log.info("certificate read again", file=str(certificate.chain))


def connection_limits(settings: ServerSettings) -> ConnectionLimits:
    """The limits that ``settings`` describe: fewer connections where the system has few files."""
    return ConnectionLimits(
        total=min(settings.max_connections, max(8, open_file_limit() // 2)),
        per_address=settings.max_connections_per_address,
        header=settings.header_timeout,
        idle=settings.idle_timeout,
    )


def _refused(host: str, port: int, error: OSError) -> ServerError:
    reasons = {
        errno.EADDRINUSE: ("the port is taken", "choose another with --port, or 0 for any"),
        errno.EACCES: ("the port needs privileges", "choose one above 1023 with --port"),
        errno.EADDRNOTAVAIL: ("this machine has no such address", "choose another with --host"),
    }
    what, do = reasons.get(error.errno or 0, (error.strerror or str(error), "check --host"))
    return ServerError(what, where=f"{host}:{port}", do=do)
