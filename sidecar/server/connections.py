"""The connections of an HTTP server: what each may take in time, and who may hold how many."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import StreamReader, web
from aiohttp.http import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware

from sidecar.server.problem_json import problem

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Of one listener. The defaults are those of ``default.toml``."""

    total: int = 1000
    """Connections at once."""
    per_address: int = 200
    """Those of one address; trusted proxies have no such limit."""
    header: float = 10.0
    """Seconds from a connection's begin, or a request's first byte, to the end of its header."""
    idle: float = 75.0
    """Seconds that a connection may wait for its next request: longer than nginx's 60, so that a
    proxy does not find its connection closed."""
    send: float = 20.0
    """Seconds in which a client must read something of what waits for it."""


@dataclass(slots=True)
class ConnectionCounts:
    """Since the start, apart from ``open``."""

    open: int = 0
    refused: int = 0
    timed_out: int = 0
    """Connections that were closed because no whole header came, or nothing was read."""


class HttpConnection(web.RequestHandler):
    """aiohttp's connection with deadlines: to a whole header, and to a reader that reads."""

    def __init__(
        self,
        server: web.Server,
        limits: ConnectionLimits,
        counts: ConnectionCounts,
        on_lost: Callable[[], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        options: dict[str, Any] = {"access_log": None, "keepalive_timeout": limits.idle}
        super().__init__(server, loop=loop, **options)
        self._limits = limits
        self._counts = counts
        self._on_lost = on_lost
        self._clock = loop
        self._socket: asyncio.Transport | None = None
        self.timed_out = False
        """Whether the connection was lost because the client did not read."""
        self._busy = False
        self._header: asyncio.TimerHandle | None = None
        self._reader: asyncio.TimerHandle | None = None

    @property
    def made(self) -> bool:
        """Whether the connection was established, TLS included; ``on_lost`` is called then."""
        return self._socket is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._socket = transport
        super().connection_made(transport)
        self._expect_header()

    def data_received(self, data: bytes) -> None:
        if not self._busy and self._header is None:
            self._expect_header()
        super().data_received(data)

    def connection_lost(self, error: BaseException | None) -> None:
        if self._reader is not None or isinstance(error, TimeoutError):
            # Ours, an event stream's or the system's patience (TCP_USER_TIMEOUT) is over.
            self._counts.timed_out += 1
            self.timed_out = True
        for timer in (self._header, self._reader):
            if timer is not None:
                timer.cancel()
        super().connection_lost(error)
        self._on_lost()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._reader is not None:
            self._reader.cancel()
            self._reader = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer a request that can't be read with one line in the log; aiohttp would log a
        traceback with the text of the request for each."""
        if not isinstance(exc, HttpProcessingError) or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        log.info("request not readable", reason=type(exc).__name__)
        response = problem(status, "not a request of HTTP/1.1", do="check what you send")
        response.force_close()
        return response

    def request_began(self) -> None:
        """A whole header has come."""
        self._busy = True
        if self._header is not None:
            self._header.cancel()
            self._header = None

    def request_ended(self) -> None:
        """What comes next belongs to another request."""
        self._busy = False

    def _expect_header(self) -> None:
        seconds = self._limits.header
        self._header = self._clock.call_later(seconds, self._give_up_header)

    def _expect_reading(self) -> None:
        waiting = self._waiting()
        self._reader = self._clock.call_later(self._limits.send, self._check_reading, waiting)

    def _check_reading(self, before: int) -> None:
        if self._waiting() < before:
            self._expect_reading()
        else:
            self._abort("the client does not read")

    def _give_up_header(self) -> None:
        self._counts.timed_out += 1
        self._abort("no whole request header in time")

    def _waiting(self) -> int:
        """Bytes that wait for the client."""
        return 0 if self._socket is None else self._socket.get_write_buffer_size()

    def _abort(self, reason: str) -> None:
        if self._socket is None or self._socket.is_closing():
            return
        log.info("connection closed", reason=reason)
        self._socket.abort()


def limit_requests(body: float) -> Middleware:
    """A middleware that tells connections of their requests, and limits their bodies in time.

    A body that is not whole after ``body`` seconds raises TimeoutError where it is read.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        connection = request.protocol
        if isinstance(connection, HttpConnection):
            connection.request_began()
        timer = None
        if not request.content.is_eof():
            loop = asyncio.get_running_loop()
            timer = loop.call_later(body, _expire, request.content)
        try:
            return await handler(request)
        finally:
            if timer is not None:
                timer.cancel()
            if isinstance(connection, HttpConnection):
                connection.request_ended()

    return middleware


def _expire(content: StreamReader) -> None:
    if not content.is_eof():
        content.set_exception(TimeoutError("the body did not come in time"))
