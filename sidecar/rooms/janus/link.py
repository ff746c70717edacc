"""The conversation with the server: kept up, and taken up again where it breaks off."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Final

import structlog

from sidecar.rooms.janus.address import Address
from sidecar.rooms.janus.events import Event
from sidecar.rooms.janus.protocol import JanusProtocol
from sidecar.rooms.janus.transport import DroppedError, Transport, connected

log = structlog.get_logger(__name__)

ROUND: Final = 0.5
"""Seconds between two looks at who is there: an opt-out counts within one second."""
SILENCE: Final = 10
"""Rounds without a word after which the server counts as dead."""
KEEP_ALIVE: Final = 50
"""Rounds between two signs of life; Janus ends sessions after 60 s."""
CLAIMING: Final = 15.0
"""Seconds for getting a session back whose connection was lost: half of what Janus gives."""
PAUSE: Final = 0.25
"""Seconds between two attempts at that."""


class Link:
    """Feeds ``protocol`` with what comes, sends what it wants sent, and begins its rounds.

    Where the connection is lost the session is claimed over a new one, and media flows on.
    """

    def __init__(
        self,
        address: Address,
        protocol: JanusProtocol,
        hear: Callable[[Iterable[Event]], None],
        on_round: Callable[[], None],
    ) -> None:
        self._address = address
        self._protocol = protocol
        self._hear = hear
        self._on_round = on_round
        self._transport: Transport | None = None
        self._news = asyncio.Event()
        self._heard_at = 0.0

    def flush(self) -> None:
        """Something is to be sent."""
        self._news.set()

    async def run(self) -> None:
        """Converse until the protocol is over; raises DroppedError where the server is lost."""
        loop = asyncio.get_running_loop()
        while not self._protocol.over:
            try:
                async with connected(self._address) as transport:
                    await self._converse(transport)
            except DroppedError as error:
                if self._protocol.session is None or loop.time() - self._heard_at > CLAIMING:
                    raise
                log.info("claiming the session", room=self._address.shown, reason=error.what)
                await asyncio.sleep(PAUSE)

    async def leave(self, seconds: float) -> None:
        """End the session, if the server takes that within ``seconds``."""
        transport, self._transport = self._transport, None
        self._protocol.leave()
        if transport is not None:
            with contextlib.suppress(DroppedError, TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._send(transport)

    async def _converse(self, transport: Transport) -> None:
        self._protocol.open()
        self._transport = transport
        self.flush()
        work = [self._write(transport), self._read(transport), self._rounds()]
        tasks = [asyncio.create_task(each) for each in work]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._transport = None
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _write(self, transport: Transport) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await self._send(transport)

    async def _send(self, transport: Transport) -> None:
        for request in self._protocol.take():
            await transport.send(request)

    async def _read(self, transport: Transport) -> None:
        while not self._protocol.over:
            text = await transport.receive()
            self._heard_at = asyncio.get_running_loop().time()
            self._hear(self._protocol.receive(text))
            self.flush()

    async def _rounds(self) -> None:
        count = 0
        while True:
            await asyncio.sleep(ROUND)
            count += 1
            self._hear(self._protocol.round())
            self._on_round()
            if count % KEEP_ALIVE == 0:
                self._protocol.keep_alive()
            self.flush()
            if self._protocol.silence > SILENCE:
                raise DroppedError("the server is silent", where=self._address.shown)
