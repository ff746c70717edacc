"""Event streams over HTTP (server-sent events), written by aiohttp-sse: how many, and to whom."""

import json
import socket
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog
from aiohttp import web
from aiohttp_sse import EventSourceResponse

from sidecar.server.connections import HttpConnection
from sidecar.server.hosts import client_address, client_key
from sidecar.server.quotas import ClientQuota
from sidecar.session.events import ListenerBehindError, SessionEvent, as_json

log = structlog.get_logger(__name__)

NOT_READ: Final = "nothing was read in time"
BUFFER: Final = 65536
"""Bytes that wait for one reader here, and about as many in the system: without this limit Linux
keeps up to 4 MB for each client that does not read."""
RETRY = b"retry: 2000\n\n"
"""Milliseconds after which a client connects again: a restarted server is back in that time."""


@dataclass(frozen=True, slots=True)
class StreamTimeouts:
    """Seconds."""

    send: float = 10.0
    """How long a client may take to read what fills its connection; the stream ends after that."""
    ping: float = 10.0
    """Between comments that show that an event stream lives."""
    roster_ping: float = 2.0
    """The same for the participants' stream: other sidecars notice a dead server by it."""


class EventStream:
    """The response to ``request``; each ``send`` raises ConnectionError or TimeoutError at its end.

    Comments go out every ``ping`` seconds from start to close.
    """

    def __init__(self, request: web.Request, *, ping: float, send_timeout: float) -> None:
        self._request = request
        self.response = EventSourceResponse(sep="\n", ping_interval=ping, send_timeout=send_timeout)
        self.response.headers["Cache-Control"] = "no-store"

    async def start(self) -> None:
        """Send the headers."""
        if (transport := self._request.transport) is not None:
            transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER
            )
            transport.set_write_buffer_limits(BUFFER)
        await self.response.prepare(self._request)
        await self.response.write(RETRY)

    async def send(self, kind: str, data: Mapping[str, object], number: str | None = None) -> None:
        """Send one event whose data is a JSON object; ``number`` is for ``Last-Event-ID``."""
        text = json.dumps(data, separators=(",", ":"))
        await self.response.send(text, event=kind, id=number)

    async def aclose(self) -> None:
        """Send no more comments."""
        if self.response.prepared:
            self.response.stop_streaming()
            await self.response.wait()


class EventStreams:
    """The event streams of one server: at most so many, in all and of one client."""

    def __init__(
        self, quota: ClientQuota | None = None, timeouts: StreamTimeouts | None = None
    ) -> None:
        self.quota = quota or ClientQuota("event streams", 400, 64)
        self.timeouts = timeouts or StreamTimeouts()
        self.dropped = 0
        """Streams that ended because their clients did not read."""

    @asynccontextmanager
    async def open(
        self, request: web.Request, *, ping: float, token: str = ""
    ) -> AsyncGenerator[EventStream]:
        """A stream to the client that sent ``request``, whose ``start`` the block calls.

        It ends with the block; a client that is gone or does not read ends the block quietly.
        Raises HttpRefusalError 429 where this address, or ``token``, has too many streams, and 503
        where all have.
        """
        address = client_key(client_address(request))
        with self.quota.holding(address and f"address {address}", token and f"token {token}"):
            stream = EventStream(request, ping=ping, send_timeout=self.timeouts.send)
            reason = ""
            try:
                yield stream
            except (ConnectionError, TimeoutError, ListenerBehindError) as error:
                if not isinstance(error, ConnectionError):
                    reason = str(error) or NOT_READ
                # A client that comes back begins with the present state.
                request.protocol.force_close()
            finally:
                try:
                    await stream.aclose()
                finally:
                    self._count(reason, request)

    def _count(self, reason: str, request: web.Request) -> None:
        """Count a stream that ended because of ``reason``, or because its connection timed out."""
        connection = request.protocol
        # A connection that is lost cancels the block, or fails what it sends.
        if isinstance(connection, HttpConnection) and connection.timed_out:
            reason = NOT_READ
        if reason:
            self.dropped += 1
            log.warning("event stream dropped", reason=reason, dropped=self.dropped)


class SseSink:
    """Implements ``EventSink``: a session's events to one HTTP client."""

    name = "event stream"

    def __init__(self, stream: EventStream) -> None:
        self._stream = stream

    async def start(self) -> None:
        await self._stream.start()

    async def write(self, event: SessionEvent) -> None:
        await self._stream.send(event.kind, as_json(event))

    async def aclose(self) -> None:
        await self._stream.aclose()
