"""A worker's WebSocket to a LiveKit server: a thin shell around ``WorkerProtocol``."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Final

import aiohttp

from config.errors import RefusedError, RoomError
from sidecar.aio import Component
from sidecar.dispatch.protocol import MAX_MESSAGE, WorkerEvent, WorkerPhase, WorkerProtocol
from sidecar.dispatch.worker_messages import PING_EVERY, PROTOCOL
from sidecar.redaction import shown_url
from sidecar.rooms.http import unreachable
from sidecar.rooms.livekit.socket_writer import SocketWriter
from sidecar.rooms.livekit.tokens import KeyPair

CONNECT: Final = 8.0
"""Seconds for the WebSocket, and until the registration is answered."""
SEND: Final = 5.0
"""Seconds until the server has taken a message."""
CLOSE: Final = 0.5
SILENCE: Final = 3 * PING_EVERY
"""Seconds without a message, after which the server is dead: each ping is answered."""


class WorkerConnection(Component):
    """One connection of a worker; made again for each attempt."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        server: str,
        keys: KeyPair,
        protocol: WorkerProtocol,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._http = http
        self._server = server
        self._keys = keys
        self._protocol = protocol
        self._clock = clock
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._writer: SocketWriter | None = None

    async def start(self) -> None:
        """Connect and register; raises RefusedError for keys that are refused, else RoomError."""
        try:
            async with asyncio.timeout(CONNECT):
                self._socket = await self._connect()
        except TimeoutError:
            raise RoomError("the server doesn't answer", where=shown_url(self._server)) from None
        self._writer = SocketWriter(
            self._socket, self._protocol.take, shown_url(self._server), send=SEND, close=CLOSE
        )
        await self._writer.start()
        self._writer.create_task(self._ping(), name="LiveKit worker's pings")

    async def aclose(self) -> None:
        """Send what waits, and close."""
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.aclose()

    @contextmanager
    def send_context(self) -> Iterator[WorkerProtocol]:
        """The protocol, to act on; what it wants sent after that is sent soon, in its order."""
        try:
            yield self._protocol
        finally:
            self._wake()

    async def events(self) -> AsyncIterator[WorkerEvent]:
        """What happens; raises RoomError when the connection is lost."""
        assert self._socket is not None
        registered = asyncio.get_running_loop().time() + CONNECT
        while True:
            registering = self._protocol.phase is WorkerPhase.REGISTERING
            try:
                async with (
                    asyncio.timeout(SILENCE),
                    asyncio.timeout_at(registered if registering else None),
                ):
                    message = await self._socket.receive()
            except TimeoutError:
                what = f"the server was silent for {SILENCE:g} s"
                if registering:
                    what = f"the server did not register us within {CONNECT:g} s"
                raise RoomError(what, where=shown_url(self._server)) from None
            if message.type not in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT):
                reason = "" if self._writer is None else self._writer.reason
                what = reason or "the server closed the connection"
                raise RoomError(what, where=shown_url(self._server))
            for event in self._protocol.receive(message.data):
                yield event
            self._wake()

    def _wake(self) -> None:
        if self._writer is not None:
            self._writer.wake()

    async def _connect(self) -> aiohttp.ClientWebSocketResponse:
        where = shown_url(self._server)
        try:
            return await self._http.ws_connect(
                f"{self._server}/agent",
                params={"protocol": str(PROTOCOL)},
                headers={"Authorization": f"Bearer {self._keys.worker(self._clock())}"},
                max_msg_size=MAX_MESSAGE,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE),
            )
        except aiohttp.WSServerHandshakeError as error:
            if error.status in (401, 403):
                do = "check LIVEKIT_API_KEY and LIVEKIT_API_SECRET"
                what = f"HTTP {error.status}: the server refuses the key"
                raise RefusedError(what, where=where, do=do) from None
            do = "check the address; agents need livekit-server 1.5 or newer"
            raise RoomError(f"HTTP {error.status}: no agents here", where=where, do=do) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise unreachable(error, where) from None

    async def _ping(self) -> None:
        while True:
            with self.send_context() as protocol:
                protocol.ping(int(self._clock() * 1000))
            await asyncio.sleep(PING_EVERY)
