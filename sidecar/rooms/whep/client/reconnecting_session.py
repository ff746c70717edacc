"""A WHIP or WHEP session that is opened again when it is lost."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import aiohttp
import structlog
from aiortc import RTCIceServer, RTCPeerConnection

from sidecar.aio import Backoff, Contained
from sidecar.plain_text import clean_text
from sidecar.rooms.whep.client.endpoint import WhipEndpoint
from sidecar.rooms.whep.client.failures import Failure, Retry
from sidecar.rooms.whep.client.protocol import Response
from sidecar.rooms.whep.client.session import CallOptions, MakePeer, WhipSession

log = structlog.get_logger(__name__)

SOON: Final = Backoff(longest=2.0)
"""For a server that is down or has nothing for us yet: when it is up, cameras come first, then
the composite, and each has to be asked for."""
LATER: Final = Backoff(first=10.0, longest=30.0)
"""For a failure that a person has to correct first."""
SETTLED: Final = 5.0
"""Seconds after which a session's end is no failed attempt."""


class ReconnectingSession:
    """Calls ``endpoint`` while ``run`` runs; ``make_peer`` makes each session's connection.

    aiortc can't restart ICE, so a lost connection is always a new session. ``name`` is for the log,
    and ``on_change`` is called after each change of ``failure``.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        endpoint: WhipEndpoint,
        name: str,
        options: CallOptions,
        make_peer: MakePeer,
        *,
        on_change: Callable[[], None] = lambda: None,
        backoff: Backoff | None = None,
    ) -> None:
        self._http = http
        self._endpoint = endpoint
        self._options = options
        self._make_peer = make_peer
        self._on_change = on_change
        self._backoff = backoff or SOON
        self._call: WhipSession | None = None
        self._known: Sequence[RTCIceServer] = ()
        self.name = name
        self.tried = asyncio.Event()
        """Set once there was a connection, or the first attempt failed."""
        self.failure: Failure | None = None
        """Why there is no connection now; None while there is, or nothing is known yet."""

    @property
    def peer(self) -> RTCPeerConnection | None:
        """The connection of this moment."""
        peer = None if self._call is None else self._call.peer
        return None if peer is None else peer.connection

    @property
    def answer(self) -> Response | None:
        """What the offer of this moment's session was answered; None before it was."""
        return None if self._call is None else self._call.answer

    async def run(self) -> None:
        """Go on until cancelled, or until the server says that trying again can't help."""
        try:
            # One session's surprise must not end the others.
            with Contained("session failed", session=self.name) as contained:
                await self._run()
            if contained.error is not None:
                self._state(Failure(clean_text(repr(contained.error)), retry=Retry.NEVER))
        finally:
            self.tried.set()

    async def _run(self) -> None:
        attempt = 0
        while True:
            failure, settled = await self._once(attempt)
            attempt = 0 if settled else attempt + 1
            self._note(failure)
            if failure.retry is Retry.NEVER:
                return
            await asyncio.sleep(self._pause(failure, attempt))

    async def _once(self, attempt: int) -> tuple[Failure, bool]:
        """One session, from offer to end: why it ended, and whether it had settled by then."""
        loop = asyncio.get_running_loop()
        call = WhipSession(
            self._http, self._endpoint, self._options, self._make_peer, self._known, attempt
        )
        self._call = call
        try:
            if (failure := await call.connect()) is not None:
                # Those that came with the answer were too late for this session.
                self._known = call.ice_servers
                return failure, False
            if self.failure is not None:
                log.info("session recovered", session=self.name)
            self._state(None)
            began = loop.time()
            what = await call.last()
            return Failure(what), loop.time() - began > SETTLED
        finally:
            self._call = None
            await call.leave()

    def _note(self, failure: Failure) -> None:
        if self.failure is None or str(self.failure) != str(failure):
            log.warning("session lost, retrying", session=self.name, reason=str(failure))
        self._state(failure)

    def _state(self, failure: Failure | None) -> None:
        """Whether there is a connection is known, or has changed."""
        self.failure = failure
        self.tried.set()
        self._on_change()

    def _pause(self, failure: Failure, attempt: int) -> float:
        backoff = LATER if failure.retry is Retry.LATER else self._backoff
        pause = backoff.delay(attempt)
        return max(pause, failure.retry_after or 0.0)
