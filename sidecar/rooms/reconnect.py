"""A room that reconnects: it joins again, from nothing, whenever the meeting is lost.

aiortc can't restart ICE, so a lost connection is a new one in every system; what a meeting calls
its participants makes them the same people again.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Self

import structlog
from aiortc import RTCPeerConnection

from config.errors import ConfigError, RefusedError
from sidecar.aio import Backoff
from sidecar.rooms.base import (
    HasPeerConnections,
    Joined,
    Left,
    ReceiverConstraints,
    Renewable,
    Room,
    RoomChange,
    SupportsDataMessages,
    TrackSource,
)

log = structlog.get_logger(__name__)

JOINING = 20.0
"""Seconds that joining may take before it counts as failed."""
SETTLED = 30.0
"""Seconds in the meeting after which the next loss is a first one again."""


class ReconnectingRoom:
    """Implements ``Room`` over rooms that ``open_room`` makes, one after another.

    The first must be joined at once: what fails then is raised to the caller. Later, a meeting that
    is lost is joined again until it ends, refuses us for good, or this room is left.
    """

    def __init__(
        self,
        open_room: Callable[[], Room],
        *,
        backoff: Backoff | None = None,
    ) -> None:
        self._open_room = open_room
        # A server that is up again is joined within 3 s and the time that joining takes.
        self._backoff = backoff or Backoff()
        self._room = open_room()
        self._life = AsyncExitStack()
        self._composite: TrackSource | None = None
        self._present: set[str] = set()
        self.lost = ""
        """Why the meeting is not joined at this moment; empty while it is."""
        self.rejoined = 0
        """How many times the meeting was joined again."""

    @property
    def name(self) -> str:
        return self._room.name

    async def __aenter__(self) -> Self:
        await self._join()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._life.aclose()

    async def changes(self) -> AsyncGenerator[RoomChange]:
        loop = asyncio.get_running_loop()
        attempt = 0
        while True:
            joined_at = loop.time()
            try:
                async for change in self._room.changes():
                    self._note(change)
                    yield change
            except (RefusedError, ConfigError):
                raise
            except Exception as error:
                # Adapters raise RoomError; any other failure of one is handled in the same way.
                self.lost = str(error) or repr(error)
                log.warning("meeting lost", room=self.name, reason=self.lost)
            else:
                return
            for participant in tuple(self._present):
                self._present.discard(participant)
                yield Left(participant, "the connection to the meeting was lost")
            if loop.time() - joined_at > SETTLED:
                attempt = 0
            attempt = await self._come_back(attempt)

    async def publish(self, composite: TrackSource) -> None:
        self._composite = composite
        await self._room.publish(composite)

    def constrain(self, participant: str, want: ReceiverConstraints) -> None:
        self._room.constrain(participant, want)

    async def announce(self, event: Mapping[str, object]) -> None:
        """Pass ``event`` on where the system can tell it; nothing is kept while it is lost."""
        if isinstance(self._room, SupportsDataMessages):
            await self._room.announce(event)

    def peers(self) -> Sequence[RTCPeerConnection]:
        """The connections of the room that is joined now."""
        return self._room.peers() if isinstance(self._room, HasPeerConnections) else ()

    def _note(self, change: RoomChange) -> None:
        match change:
            case Joined():
                self._present.add(change.participant)
            case Left():
                self._present.discard(change.participant)

    async def _come_back(self, attempt: int) -> int:
        """Join again, as often as it takes; returns the attempts made in a row."""
        await self._life.aclose()
        while True:
            await asyncio.sleep(self._backoff.delay(attempt))
            attempt += 1
            try:
                self._room = self._next_room()
                await self._join()
            except (RefusedError, ConfigError):
                raise
            except Exception as error:
                log.info("not back yet", room=self.name, reason=str(error) or repr(error))
            else:
                self.rejoined += 1
                self.lost = ""
                log.info("back in the meeting", room=self.name, attempts=attempt)
                return attempt

    def _next_room(self) -> Room:
        """The room to join now: what the one before hands on counts for it, where it does."""
        return self._room.renewed() if isinstance(self._room, Renewable) else self._open_room()

    async def _join(self) -> None:
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(JOINING):
                await stack.enter_async_context(self._room)
                if self._composite is not None:
                    await self._room.publish(self._composite)
            self._life = stack.pop_all()
