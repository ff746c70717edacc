"""The WebSocket of one participant's signalling, around ``LiveKitProtocol``."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from config.errors import RefusedError, RoomError
from sidecar.media.peer import PeerTimeouts
from sidecar.plain_text import clean_text
from sidecar.redaction import shown_url
from sidecar.rooms.events import Ended, Entered, Redirected, Refused
from sidecar.rooms.http import close_websocket, read_body, unreachable
from sidecar.rooms.livekit import messages
from sidecar.rooms.livekit.encryption import KeyRing
from sidecar.rooms.livekit.protocol import MAX_MESSAGE, LiveKitEvent, LiveKitProtocol, PingAnswered
from sidecar.rooms.livekit.socket_writer import SocketWriter

HOPS: Final = 3
"""Servers that may redirect us before we are in."""
MAX_REASON: Final = 200
"""Characters of a server's explanation that are passed on."""


@dataclass(frozen=True, slots=True)
class SecondsRange:
    """What a server may ask for: too little and too much are cut, and 0 is the usual value."""

    least: float
    usual: float
    most: float

    def within(self, seconds: float) -> float:
        """``seconds`` within the range."""
        return max(self.least, min(seconds or self.usual, self.most))


@dataclass(frozen=True, slots=True)
class LiveKitTimeouts:
    """How long each step of taking part may take, in seconds."""

    join: float = 8.0
    """Until the server has admitted the sidecar."""
    send: float = 5.0
    """Until the server has taken a message off our hands."""
    leave: float = 0.5
    """For the leave message, and again for closing the WebSocket."""
    publish: float = 12.0
    """Until the server has taken the composite and answered our offer."""
    ping_interval: SecondsRange = SecondsRange(1, 5, 60)
    ping_timeout: SecondsRange = SecondsRange(3, 15, 120)
    """Silence that means a dead server."""
    peer: PeerTimeouts = field(
        # The server itself waits for 15 s for media, and knows less of why. What takes longer to
        # close is a TURN allocation on a dead relay, which aioice deletes in its own task.
        default_factory=lambda: PeerTimeouts(negotiation=12.0, connection=12.0, close=1.4)
    )


class LiveKitTransport:
    """One participant's connection, from ``enter`` to ``aclose``."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        server: str,
        token: str,
        *,
        watches: bool,
        ring: KeyRing | None = None,
        timeouts: LiveKitTimeouts | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.server = server
        """Where we are connected, after all redirections."""
        self.protocol = LiveKitProtocol(watches=watches, ring=ring)
        self._ring = ring
        self._http = http
        self._headers = {"Authorization": f"Bearer {token}"}
        self._watches = watches
        self._timeouts = timeouts or LiveKitTimeouts()
        self._clock = clock
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._early: deque[LiveKitEvent] = deque()
        self._writer: SocketWriter | None = None
        self._round_trip = 0

    async def enter(self) -> Entered:
        """Join; raises RefusedError where the refusal is final, RoomError otherwise."""
        try:
            async with asyncio.timeout(self._timeouts.join):
                for _ in range(HOPS):
                    event = await self._try()
                    if isinstance(event, Entered):
                        await self._start_sending()
                        return event
                    self.server = redirect_target(self.server, event.location)
        except TimeoutError:
            raise RoomError("the server doesn't answer", where=shown_url(self.server)) from None
        raise RoomError("its servers redirect too often", where=shown_url(self.server))

    @contextmanager
    def send_context(self) -> Iterator[LiveKitProtocol]:
        """The protocol, to act on; what it wants sent after that is sent soon, in its order."""
        try:
            yield self.protocol
        finally:
            if self._writer is not None:
                self._writer.wake()

    async def events(self) -> AsyncIterator[LiveKitEvent]:
        """What happens, until the server ends it or is gone: the last event says why."""
        while self._early:
            yield self._early.popleft()
        while True:
            for event in await self._receive():
                if isinstance(event, PingAnswered):
                    self._round_trip = max(0, self._milliseconds() - event.milliseconds)
                    continue
                yield event
                if isinstance(event, Refused | Ended):
                    return

    async def aclose(self) -> None:
        """Say that we leave, and free the connection; a dead server takes a second at most."""
        writer, self._writer = self._writer, None
        if writer is not None:
            self.protocol.leave()
            await writer.aclose()

    async def _start_sending(self) -> None:
        assert self._writer is not None
        await self._writer.start()
        self._writer.create_task(self._ping(), name="LiveKit pings")

    async def _try(self) -> Entered | Redirected:
        """Join at one server."""
        socket = self._socket = await self._connect()
        self._writer = SocketWriter(
            socket,
            lambda: self.protocol.take(),
            shown_url(self.server),
            send=self._timeouts.send,
            close=self._timeouts.leave,
        )
        while True:
            events = await self._receive()
            for event in events:
                match event:
                    case Entered():
                        self._early.extend(other for other in events if other is not event)
                        return event
                    case Redirected():
                        self._socket = self._writer = None
                        await close_websocket(socket, self._timeouts.leave)
                        self.protocol = LiveKitProtocol(watches=self._watches, ring=self._ring)
                        return event
                    case Refused():
                        raise event.error(self.server)
                    case Ended():
                        raise RoomError(event.reason, where=shown_url(self.server))
                    case _:
                        self._early.append(event)

    async def _connect(self) -> aiohttp.ClientWebSocketResponse:
        try:
            return await self._http.ws_connect(
                f"{self.server}/rtc",
                params=self._query,
                headers=self._headers,
                max_msg_size=MAX_MESSAGE,
                timeout=aiohttp.ClientWSTimeout(ws_close=self._timeouts.leave),
            )
        except aiohttp.WSServerHandshakeError as error:
            raise await self._refusal(error.status) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise unreachable(error, shown_url(self.server)) from None

    @property
    def _query(self) -> Mapping[str, str]:
        return messages.query(watches=self._watches)

    async def _receive(self) -> list[LiveKitEvent]:
        """What the next message means, or that there will be none."""
        assert self._socket is not None
        silence = self._timeouts.ping_timeout.within(self.protocol.ping_timeout)
        try:
            async with asyncio.timeout(silence):
                message = await self._socket.receive()
        except TimeoutError:
            return list(self.protocol.lose(f"the server was silent for {silence:g} s"))
        if message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT):
            with self.send_context() as protocol:
                return list(protocol.receive(message.data))
        reason = "" if self._writer is None else self._writer.reason
        return list(self.protocol.lose(reason or "the server closed the connection"))

    async def _refusal(self, status: int) -> RoomError:
        """Why the WebSocket was refused, which only a plain request is answered with."""
        reason = ""
        try:
            url = f"http{self.server.removeprefix('ws')}/rtc/validate"
            async with self._http.get(url, params=self._query, headers=self._headers) as answer:
                status = answer.status
                reason = clean_text((await read_body(answer, MAX_REASON)).decode(errors="replace"))
        except (aiohttp.ClientError, OSError):
            # The status of the first refusal has to do.
            pass
        return refusal(status, reason, self.server)

    async def _ping(self) -> None:
        interval = self._timeouts.ping_interval.within(self.protocol.ping_interval)
        while True:
            await asyncio.sleep(interval)
            with self.send_context() as protocol:
                protocol.ping(self._milliseconds(), self._round_trip)

    def _milliseconds(self) -> int:
        return int(self._clock() * 1000)


def refusal(status: int, reason: str, server: str) -> RoomError:
    """The error for a WebSocket that was refused with ``status``."""
    said = f"{status}{f', {reason}' if reason else ''}"
    if status in (401, 403):
        return RefusedError(
            f"refused the token: {said}",
            where=shown_url(server),
            do="check LIVEKIT_API_KEY and LIVEKIT_API_SECRET, or the token's room and validity",
        )
    if status == 404:
        return RefusedError(
            f"has no such room: {said}",
            where=shown_url(server),
            do="create the room first, or set room.auto_create in the server's configuration",
        )
    if status == 400:
        return RefusedError(f"refused the request: {said}", where=shown_url(server))
    return RoomError(f"HTTP {said}", where=shown_url(server))


def redirect_target(server: str, other: str) -> str:
    """The address to connect to where ``server`` redirects us to ``other``.

    Raises RoomError for one that isn't as safe as the first: our token would go there.
    """
    for scheme, secure in (("https://", "wss://"), ("http://", "ws://")):
        if other.startswith(scheme):
            other = secure + other.removeprefix(scheme)
    allowed = ("wss://",) if server.startswith("wss://") else ("ws://", "wss://")
    if not other.startswith(allowed):
        raise RoomError("it redirects to an address that isn't safe", where=shown_url(server))
    return other.partition("?")[0].rstrip("/").removesuffix("/rtc")
