"""The WebSocket to a Galène: texts both ways, and nobody who waits for a dead server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final

import aiohttp

from config.errors import RoomError
from sidecar.rooms.galene.messages import MAX_MESSAGE

CONNECTING: Final = 10.0
"""Seconds for the WebSocket's handshake."""
PING_EVERY: Final = 3.0
"""Seconds between our requests for a sign of life."""
SILENCE: Final = 10.0
"""Seconds without any after which the server counts as dead."""
GOODBYE: Final = 0.5
"""Seconds that the server gets to take the last messages, and again to close."""


class Line:
    """An open WebSocket; ``outgoing`` hands out what is to be sent."""

    def __init__(
        self, socket: aiohttp.ClientWebSocketResponse, outgoing: Callable[[], Iterable[str]]
    ) -> None:
        self._socket = socket
        self._outgoing = outgoing
        self._due = asyncio.Event()
        self._heard_at = asyncio.get_running_loop().time()
        self._writer = asyncio.create_task(self._write(), name="galene line")

    @classmethod
    async def open(
        cls,
        http: aiohttp.ClientSession,
        endpoint: str,
        outgoing: Callable[[], Iterable[str]],
    ) -> "Line":
        """Connect to ``endpoint``; raises RoomError where that fails."""
        try:
            async with asyncio.timeout(CONNECTING):
                socket = await http.ws_connect(
                    endpoint,
                    timeout=aiohttp.ClientWSTimeout(ws_close=GOODBYE),
                    max_msg_size=MAX_MESSAGE,
                )
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            reason = str(error) or "no answer"
            raise RoomError(f"its WebSocket can't be opened: {reason}", where=endpoint) from error
        return cls(socket, outgoing)

    async def texts(self) -> AsyncIterator[str]:
        """Every message that comes; raises RoomError when the line is lost."""
        while True:
            message = await self._next()
            self._heard_at = asyncio.get_running_loop().time()
            if message.type is aiohttp.WSMsgType.TEXT:
                yield message.data
            elif message.type is aiohttp.WSMsgType.CLOSE:
                raise RoomError(f"the server closed the line: {message.extra or message.data}")
            elif message.type is not aiohttp.WSMsgType.BINARY:
                raise RoomError("the connection to the server was cut")

    def flush(self) -> None:
        """Send what is to be sent, soon."""
        self._due.set()

    async def close(self) -> None:
        """Send what is left and close the line; gives a dead server a second, no more."""
        self._writer.cancel()
        await asyncio.gather(self._writer, return_exceptions=True)
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with asyncio.timeout(GOODBYE):
                await self._send()
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with asyncio.timeout(2 * GOODBYE):
                await self._socket.close()

    async def _next(self) -> aiohttp.WSMessage:
        patience = self._heard_at + SILENCE - asyncio.get_running_loop().time()
        try:
            return await self._socket.receive(timeout=max(patience, 0.1))
        except TimeoutError as error:
            raise RoomError(f"the server has been silent for {SILENCE:.0f} seconds") from error

    async def _write(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                await self._send()
            except (aiohttp.ClientError, OSError):
                # The reader finds out why, and tells it.
                return

    async def _send(self) -> None:
        for text in self._outgoing():
            await self._socket.send_str(text)
