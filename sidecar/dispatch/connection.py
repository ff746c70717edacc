"""A worker's WebSocket to a LiveKit server: a thin shell around ``WorkerProtocol``."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Final

import aiohttp

from config.errors import RefusedError, RoomError
from sidecar.aio import Component, TaskSet
from sidecar.dispatch.protocol import MAX_MESSAGE, WorkerEvent, WorkerPhase, WorkerProtocol
from sidecar.dispatch.worker_messages import PING_EVERY, PROTOCOL
from sidecar.redaction import shown_url
from sidecar.rooms.http import close_websocket, unreachable
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
        self._pending = asyncio.Event()
        self._tasks = TaskSet(self._give_up)
        self._reason = ""

    async def start(self) -> None:
        """Connect and register; raises RefusedError for keys that are refused, else RoomError."""
        try:
            async with asyncio.timeout(CONNECT):
                self._socket = await self._connect()
        except TimeoutError:
            raise RoomError("the server doesn't answer", where=shown_url(self._server)) from None
        self._tasks.create_task(self._write(), name="LiveKit worker's writer")
        self._tasks.create_task(self._ping(), name="LiveKit worker's pings")
        self._pending.set()

    async def aclose(self) -> None:
        """Send what waits, and close."""
        await self._tasks.aclose()
        socket, self._socket = self._socket, None
        if socket is None:
            return
        try:
            async with asyncio.timeout(CLOSE):
                await self._send(socket)
        except (TimeoutError, ConnectionError, aiohttp.ClientError):
            # The server is gone.
            pass
        finally:
            await close_websocket(socket, CLOSE)

    @contextmanager
    def send_context(self) -> Iterator[WorkerProtocol]:
        """The protocol, to act on; what it wants sent after that is sent soon, in its order."""
        try:
            yield self._protocol
        finally:
            self._pending.set()

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
                what = self._reason or "the server closed the connection"
                raise RoomError(what, where=shown_url(self._server))
            for event in self._protocol.receive(message.data):
                yield event
            self._pending.set()

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

    async def _write(self) -> None:
        assert self._socket is not None
        while True:
            await self._pending.wait()
            self._pending.clear()
            try:
                async with asyncio.timeout(SEND):
                    await self._send(self._socket)
            except (TimeoutError, ConnectionError, aiohttp.ClientError) as error:
                what = "the server takes no messages"
                raise RoomError(what, where=shown_url(self._server)) from error

    async def _ping(self) -> None:
        while True:
            with self.send_context() as protocol:
                protocol.ping(int(self._clock() * 1000))
            await asyncio.sleep(PING_EVERY)

    async def _send(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        for message in self._protocol.take():
            await socket.send_bytes(message)

    def _give_up(self, error: Exception) -> None:
        """A helper failed: end ``events`` with its reason."""
        self._reason = error.what if isinstance(error, RoomError) else repr(error)
        if self._socket is not None:
            closing = close_websocket(self._socket, CLOSE)
            self._tasks.create_cleanup(closing, name="LiveKit worker's end")
