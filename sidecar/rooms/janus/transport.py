"""The connection to a Janus server: a WebSocket, or HTTP with a long poll.

Both are documented at https://janus.conf.meetecho.com/docs/rest.html.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Protocol, Self

import aiohttp
import structlog

from config.errors import LostError, ProtocolError, RefusedError, RoomError
from sidecar.aio import Backoff, Broadcast, cancel_and_wait
from sidecar.media.peer import PeerTimeouts
from sidecar.rooms.http import close_websocket, open_http, read_body, unreachable
from sidecar.rooms.janus.exchange import JanusEvent
from sidecar.rooms.janus.messages import MAX_BYTES
from sidecar.rooms.janus.protocol import JanusProtocol
from sidecar.rooms.janus.url import JanusUrl

log = structlog.get_logger(__name__)

BATCH: Final = 10
"""Messages that one long poll may bring."""
RECLAIM_RETRY: Final = Backoff(first=0.25, factor=1, jitter=0)
"""Between two attempts to claim a session over a new WebSocket."""
WAITING: Final = 16
"""Answers by HTTP that may wait to be read; more delay the requests."""


@dataclass(frozen=True, slots=True)
class JanusTimeouts:
    """How long a Janus room waits, in seconds."""

    connect: float = 5.0
    """For a connection, or for the answer to one HTTP request."""
    poll: float = 45.0
    """For a long poll, which the server ends after 30 s."""
    enter: float = 15.0
    """From the start until the room is entered."""
    publish: float = 15.0
    """For the server's answer to the composite's offer."""
    leave: float = 1.0
    """For the end of the session."""
    tick: float = 0.5
    """Between two requests for the participants: an opt-out counts within a second."""
    silence: float = 5.0
    """Without a message: the server counts as dead."""
    keep_alive: float = 25.0
    """Between two keepalives; Janus ends a session after 60 s without one."""
    reclaim: float = 15.0
    """For claiming the session after its connection was lost: half of what is advised for
    ``reclaim_session_timeout``."""
    reclaim_retry: Backoff = RECLAIM_RETRY
    """Between two attempts at that."""
    peer: PeerTimeouts = field(default_factory=PeerTimeouts)


class JanusConnection(Protocol):
    """One connection to the server."""

    async def send(self, request: Mapping[str, object]) -> None:
        """Send one request; raises RoomError where the connection is lost."""
        ...

    async def receive(self) -> str:
        """The next text, of one message or several; raises RoomError at the end."""
        ...


class JanusTransport:
    """Carries the requests and messages of ``protocol``, over one connection after another.

    The protocol is called inside of ``send_context``, which sends what the calls left to send::

        with transport.send_context() as protocol:
            protocol.answer(stream, sdp)

    Where a connection is lost, the session is claimed on a new one, and media flows on meanwhile.
    """

    def __init__(self, url: JanusUrl, protocol: JanusProtocol, timeouts: JanusTimeouts) -> None:
        self._url = url
        self._protocol = protocol
        self._timeouts = timeouts
        self._connected = False
        self._changed = Broadcast()
        self._received_at = 0.0

    @property
    def protocol(self) -> JanusProtocol:
        """The protocol, for reading its state."""
        return self._protocol

    @contextmanager
    def send_context(self) -> Iterator[JanusProtocol]:
        """The protocol, for calls: requests are sent and events are yielded after the block."""
        try:
            yield self._protocol
        finally:
            self._changed.notify()

    async def events(self) -> AsyncGenerator[JanusEvent]:
        """Each event of the protocol, until it is over."""
        async for _ in self._changed.updates():
            for event in self._protocol.events_received():
                yield event
            if self._protocol.over:
                return

    async def run(self) -> None:
        """Connect, send, receive and tick until the protocol is over.

        Raises RoomError where the server can't be reached or is lost.
        """
        while not self._protocol.over:
            try:
                async with connect_janus(self._url, self._timeouts) as connection:
                    self._connected = True
                    await self._converse(connection)
            except LostError as error:
                if not self._reclaims():
                    raise
                log.info("session claim started", room=self._url.shown, reason=error.what)
                await asyncio.sleep(self._timeouts.reclaim_retry.delay(0))
            finally:
                self._connected = False
                self._changed.notify()

    async def leave(self) -> None:
        """End the session, if the server takes that in time; ``run`` ends then."""
        with self.send_context() as protocol:
            protocol.leave()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timeouts.leave):
                await self._changed.wait_for(lambda: not self._connected)

    def _reclaims(self) -> bool:
        """Whether the server may still have our session."""
        silent = asyncio.get_running_loop().time() - self._received_at
        return self._protocol.session is not None and silent <= self._timeouts.reclaim

    async def _converse(self, connection: JanusConnection) -> None:
        """Use one connection until it is lost or the protocol is over."""
        with self.send_context() as protocol:
            protocol.connect()
        work = (self._write(connection), self._read(connection), self._tick())
        tasks = [asyncio.create_task(each, name="janus connection") for each in work]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            failures = [failure for task in tasks if task.done() and (failure := task.exception())]
            await cancel_and_wait(*(task for task in tasks if not task.done()))
        for failure in failures:
            raise failure

    async def _write(self, connection: JanusConnection) -> None:
        async for _ in self._changed.updates():
            for request in self._protocol.requests_to_send():
                await connection.send(request)
            if self._protocol.over:
                return

    async def _read(self, connection: JanusConnection) -> None:
        while True:
            text = await connection.receive()
            self._received_at = asyncio.get_running_loop().time()
            with self.send_context() as protocol:
                protocol.receive(text)

    async def _tick(self) -> None:
        tick = self._timeouts.tick
        kept_alive = 0.0
        while True:
            await asyncio.sleep(tick)
            kept_alive += tick
            with self.send_context() as protocol:
                protocol.tick()
                if kept_alive >= self._timeouts.keep_alive:
                    protocol.keep_alive()
                    kept_alive = 0.0
            if self._protocol.silence * tick > self._timeouts.silence:
                raise LostError("the server is silent", where=self._url.shown)


@asynccontextmanager
async def connect_janus(url: JanusUrl, timeouts: JanusTimeouts) -> AsyncIterator[JanusConnection]:
    """A connection to the server of ``url``; raises RoomError where there is none to be had."""
    async with open_http() as http:
        if url.long_polls:
            async with _LongPoll(http, url, timeouts) as poll:
                yield poll
        else:
            async with _websocket(http, url, timeouts) as socket:
                yield _WebSocket(socket, url)


@asynccontextmanager
async def _websocket(
    http: aiohttp.ClientSession, url: JanusUrl, timeouts: JanusTimeouts
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    try:
        async with asyncio.timeout(timeouts.connect):
            socket = await http.ws_connect(
                url.server,
                protocols=["janus-protocol"],
                max_msg_size=MAX_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=timeouts.leave / 2),
            )
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise _lost(url, error) from error
    try:
        yield socket
    finally:
        await close_websocket(socket, timeouts.leave / 2)


class _WebSocket:
    """Implements ``JanusConnection``."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, url: JanusUrl) -> None:
        self._socket = socket
        self._url = url

    async def send(self, request: Mapping[str, object]) -> None:
        try:
            await self._socket.send_str(json.dumps(request))
        except (aiohttp.ClientError, OSError) as error:
            raise _lost(self._url, error) from error

    async def receive(self) -> str:
        message = await self._socket.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            return str(message.data)
        if message.type is aiohttp.WSMsgType.BINARY:
            return ""
        if message.type is aiohttp.WSMsgType.ERROR:
            raise ProtocolError(f"a message can't be read: {message.data}", where=self._url.shown)
        raise LostError("the server closed the connection", where=self._url.shown)


class _LongPoll:
    """Implements ``JanusConnection``: requests by POST, and a GET that waits for messages."""

    def __init__(self, http: aiohttp.ClientSession, url: JanusUrl, timeouts: JanusTimeouts) -> None:
        self._http = http
        self._url = url
        self._timeouts = timeouts
        self._received: asyncio.Queue[str | RoomError] = asyncio.Queue(WAITING)
        self._poll: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._poll is not None:
            await cancel_and_wait(self._poll)

    async def send(self, request: Mapping[str, object]) -> None:
        body = dict(request)
        session, handle = body.pop("session_id", None), body.pop("handle_id", None)
        path = "".join(f"/{number}" for number in (session, handle) if number is not None)
        timeout = aiohttp.ClientTimeout(total=self._timeouts.connect)
        try:
            async with self._http.post(
                self._url.server + path, json=body, timeout=timeout
            ) as response:
                text = await self._text(response)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _lost(self._url, error) from error
        await self._received.put(text)
        if session is not None and self._poll is None:
            names = [name for name in ("token", "apisecret") if name in body]
            signature = {str(name): str(body[name]) for name in names}
            self._poll = asyncio.create_task(self._fetch(f"/{session}", signature), name="janus")

    async def receive(self) -> str:
        received = await self._received.get()
        if isinstance(received, RoomError):
            raise received
        return received

    async def _fetch(self, path: str, signature: Mapping[str, str]) -> None:
        """Poll without end; a failure is handed to the reader."""
        timeout = aiohttp.ClientTimeout(total=self._timeouts.poll)
        query = {"maxev": str(BATCH), **signature}
        try:
            while True:
                async with self._http.get(
                    self._url.server + path, params=query, timeout=timeout
                ) as response:
                    await self._received.put(await self._text(response))
                    if response.status != 200:
                        raise LostError(f"HTTP {response.status}", where=self._url.shown)
        except RoomError as error:
            await self._received.put(error)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            await self._received.put(_lost(self._url, error))

    async def _text(self, response: aiohttp.ClientResponse) -> str:
        """The body of ``response``; raises ProtocolError beyond ``MAX_BYTES``."""
        data = await read_body(response, MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            what = f"an answer has more than {MAX_BYTES} bytes"
            raise ProtocolError(what, where=self._url.shown)
        return data.decode(errors="replace")


def _lost(url: JanusUrl, error: Exception) -> RoomError:
    """The error for a connection that fails; LostError where another one may claim the session."""
    failure = unreachable(error, url.shown)
    if isinstance(failure, RefusedError):
        return failure
    return LostError(failure.what, where=failure.where, do=failure.do)
