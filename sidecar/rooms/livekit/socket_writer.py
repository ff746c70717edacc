"""The sending half of a WebSocket to a LiveKit server, for participants and for workers."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import aiohttp

from config.errors import RoomError
from sidecar.aio import Component, TaskSet
from sidecar.rooms.http import close_websocket


class SocketWriter(Component):
    """Sends over ``socket`` what ``take`` returns, in its order, after each ``wake``.

    ``where`` names the server in errors, ``send`` and ``close`` are seconds. When a message is not
    taken in time, or a task of ``create_task`` fails, the socket is closed, which ends its reader;
    ``reason`` says why.
    """

    def __init__(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        take: Callable[[], Iterable[bytes]],
        where: str,
        *,
        send: float,
        close: float,
    ) -> None:
        self.reason = ""
        self._socket = socket
        self._take = take
        self._where = where
        self._send_limit = send
        self._close_limit = close
        self._pending = asyncio.Event()
        self._tasks = TaskSet(self._give_up)

    async def start(self) -> None:
        """Send what waits already, and what comes."""
        self._pending.set()
        self._tasks.create_task(self._write(), name="LiveKit writer")

    async def aclose(self) -> None:
        """Send what waits, and close; a server that is gone takes twice ``close`` at most."""
        await self._tasks.aclose()
        try:
            async with asyncio.timeout(self._close_limit):
                await self._send()
        except (TimeoutError, ConnectionError, aiohttp.ClientError):
            # The server is gone, and takes nothing more.
            pass
        finally:
            # Frees the connection also in that case.
            await close_websocket(self._socket, self._close_limit)

    def wake(self) -> None:
        """There is something to send."""
        self._pending.set()

    def create_task(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        """Run ``work``, such as pings, as long as the socket is used."""
        self._tasks.create_task(work, name=name)

    async def _write(self) -> None:
        while True:
            await self._pending.wait()
            self._pending.clear()
            try:
                async with asyncio.timeout(self._send_limit):
                    await self._send()
            except (TimeoutError, ConnectionError, aiohttp.ClientError) as error:
                raise RoomError("the server takes no messages", where=self._where) from error

    async def _send(self) -> None:
        for message in self._take():
            await self._socket.send_bytes(message)

    def _give_up(self, error: Exception) -> None:
        self.reason = error.what if isinstance(error, RoomError) else repr(error)
        closing = close_websocket(self._socket, self._close_limit)
        self._tasks.create_cleanup(closing, name="LiveKit WebSocket's end")
