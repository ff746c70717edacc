"""The WebSocket that carries one participant's signalling: the shell around ``Protocol``."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Final

import aiohttp

from config.errors import RefusedError, RoomError
from sidecar.rooms.livekit import messages
from sidecar.rooms.livekit.leaving import Leaving
from sidecar.rooms.livekit.protocol import (
    MAX_MESSAGE,
    Elsewhere,
    Entered,
    Event,
    Pong,
    Protocol,
)

JOINING: Final = 8.0
"""Seconds until the server must have let us in."""
GOODBYE: Final = 0.5
"""Seconds that saying goodbye may take."""
HOPS: Final = 3
"""Servers that may send us on to the next before we are in."""
MAX_REASON: Final = 200


class Signal:
    """One participant's connection, from ``enter`` to ``close``."""

    def __init__(
        self, http: aiohttp.ClientSession, server: str, token: str, query: Mapping[str, str]
    ) -> None:
        self.server = server
        self._http = http
        self._headers = {"Authorization": f"Bearer {token}"}
        self._query = dict(query)
        self._protocol = Protocol()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._early: deque[Event] = deque()
        self._outbox: asyncio.Queue[bytes] = asyncio.Queue()
        self._timing = (5, 15)
        self._round_trip = 0

    async def enter(self) -> Entered:
        """Join; raises RefusedError where the server won't have us, RoomError otherwise."""
        try:
            async with asyncio.timeout(JOINING):
                for _ in range(HOPS):
                    event = await self._try()
                    if isinstance(event, Entered):
                        self._timing = (event.ping_every, event.ping_timeout)
                        return event
                    self.server = sent_on(self.server, event.server)
        except TimeoutError:
            raise RoomError("the server doesn't answer", where=self.server) from None
        raise RoomError("its servers send us from one to the next", where=self.server)

    def send(self, message: bytes) -> None:
        """Send ``message`` as soon as may be, after those that were given before."""
        self._outbox.put_nowait(message)

    async def events(self) -> AsyncIterator[Event]:
        """What happens, until the server lets us go or is gone: the last event says why."""
        pinging = asyncio.create_task(self._ping(), name="LiveKit ping")
        writing = asyncio.create_task(self._write(), name="LiveKit writer")
        try:
            while self._early:
                yield self._early.popleft()
            while True:
                for event in await self._receive():
                    if isinstance(event, Pong):
                        self._round_trip = max(0, _milliseconds() - event.milliseconds)
                        continue
                    yield event
                    if isinstance(event, Leaving):
                        return
        finally:
            pinging.cancel()
            writing.cancel()
            await asyncio.gather(pinging, writing, return_exceptions=True)

    async def close(self) -> None:
        """Say goodbye and hang up."""
        socket, self._socket = self._socket, None
        if socket is None:
            return
        try:
            async with asyncio.timeout(GOODBYE):
                await socket.send_bytes(messages.leave())
        except (TimeoutError, ConnectionError, aiohttp.ClientError):
            # Nobody is there to hear it.
            pass
        finally:
            # Frees the connection also where nobody is.
            await socket.close()

    async def _try(self) -> Entered | Elsewhere:
        """Join at one server."""
        try:
            self._socket = await self._http.ws_connect(
                f"{self.server}/rtc",
                params=self._query,
                headers=self._headers,
                max_msg_size=MAX_MESSAGE,
                timeout=aiohttp.ClientWSTimeout(ws_close=GOODBYE),
            )
        except aiohttp.WSServerHandshakeError as error:
            raise await self._refusal(error.status) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _unreachable(error, self.server) from None
        while True:
            for event in await self._receive():
                if isinstance(event, Entered):
                    return event
                if isinstance(event, Elsewhere):
                    await self.close()
                    self._protocol = Protocol()
                    return event
                if isinstance(event, Leaving):
                    raise failure(event, self.server)
                self._early.append(event)

    async def _receive(self) -> list[Event]:
        """What the next message means, or that there will be none."""
        assert self._socket is not None
        try:
            async with asyncio.timeout(self._timing[1]):
                message = await self._socket.receive()
        except TimeoutError:
            silence = f"the server was silent for {self._timing[1]} s"
            return list(self._protocol.lose(silence))
        if message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT):
            return list(self._protocol.receive(message.data))
        return list(self._protocol.lose("the server closed the connection"))

    async def _refusal(self, status: int) -> RoomError:
        """Why the WebSocket was refused, which only a plain request is told."""
        reason = ""
        try:
            url = f"http{self.server.removeprefix('ws')}/rtc/validate"
            async with self._http.get(url, params=self._query, headers=self._headers) as answer:
                status = answer.status
                reason = (await answer.content.read(MAX_REASON)).decode(errors="replace").strip()
        except (aiohttp.ClientError, OSError):
            # The status of the first refusal has to do.
            pass
        return refusal(status, " ".join(reason.split()), self.server)

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(self._timing[0])
            self.send(messages.ping(_milliseconds(), self._round_trip))

    async def _write(self) -> None:
        assert self._socket is not None
        try:
            while True:
                await self._socket.send_bytes(await self._outbox.get())
        except (ConnectionError, aiohttp.ClientError):
            # The reader notices the same, and tells.
            pass


def _unreachable(error: Exception, server: str) -> RoomError:
    do = "check the address, and that the server runs"
    if isinstance(error, aiohttp.ClientSSLError):
        do = "use the name in the certificate, or set SSL_CERT_FILE to its authority's"
    return RoomError(f"can't be reached: {error}", where=server, do=do)


def refusal(status: int, reason: str, server: str) -> RoomError:
    """The error for a WebSocket that was refused with ``status``."""
    said = f"{status}{f', {reason}' if reason else ''}"
    if status in (401, 403):
        return RefusedError(
            f"refused our token: {said}",
            where=server,
            do="check LIVEKIT_API_KEY and LIVEKIT_API_SECRET, or the token's room and validity",
        )
    if status == 404:
        return RefusedError(
            f"has no such room: {said}",
            where=server,
            do="create the room first, or set room.auto_create in the server's configuration",
        )
    if status == 400:
        return RefusedError(f"refused our request: {said}", where=server)
    return RoomError(f"answered {said}", where=server)


def failure(leaving: Leaving, server: str) -> RoomError:
    """The error for having been let go, whatever the verdict."""
    kind = RefusedError if leaving.verdict.name == "REFUSED" else RoomError
    return kind(leaving.why, where=server, do=leaving.do)


def sent_on(server: str, other: str) -> str:
    """Where ``server`` sends us, as an address to connect to.

    Raises RoomError for one that isn't as safe as the first: our token would go there.
    """
    for scheme, secure in (("https://", "wss://"), ("http://", "ws://")):
        if other.startswith(scheme):
            other = secure + other.removeprefix(scheme)
    allowed = ("wss://",) if server.startswith("wss://") else ("ws://", "wss://")
    if not other.startswith(allowed):
        raise RoomError("it sends us to an address that isn't safe", where=server)
    return other.partition("?")[0].rstrip("/").removesuffix("/rtc")


def _milliseconds() -> int:
    return int(time.time() * 1000)
