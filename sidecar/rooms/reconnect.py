"""A room that reconnects: it joins again, from nothing, whenever the meeting is lost.

aiortc can't restart ICE, so a lost connection is a new one in every system; what a meeting calls
its participants makes them the same people again.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final, Self

import structlog
from aiortc import RTCPeerConnection

from config.errors import (
    ConfigError,
    LostError,
    NegotiationError,
    ProtocolError,
    RefusedError,
    RoomError,
    SignallingError,
)
from sidecar.aio import Backoff, TaskSet
from sidecar.captured import Captured
from sidecar.rooms.base import (
    ConsentChanged,
    HasPeerConnections,
    Joined,
    Left,
    ReceiverConstraints,
    Renewable,
    Room,
    RoomChange,
    SensitivityChosen,
    SupportsDataMessages,
    TrackSource,
)
from sidecar.rooms.changes import RoomChanges

log = structlog.get_logger(__name__)

LOST: Final = "the connection to the meeting was lost"
"""The reason with which participants leave until the meeting is joined again."""


@dataclass(frozen=True, slots=True)
class ReconnectTimeouts:
    """When an attempt has failed, and when a connection counts as a good one, in seconds."""

    joining: float = 20.0
    """Joining may take so long before it counts as failed."""
    settled: float = 30.0
    """After so long in the meeting, the next loss is a first one again."""


class ReconnectingRoom:
    """Implements ``Room`` over rooms that ``open_room`` makes, one after another.

    The first must be joined at once: what fails then is raised to the caller. Later, a meeting that
    is lost is joined again until it ends, refuses finally, or this room is left. Participants
    leave while it is lost; what they said about reactions holds. Times are those of the event loop.
    """

    def __init__(
        self,
        open_room: Callable[[], Room],
        *,
        backoff: Backoff | None = None,
        timeouts: ReconnectTimeouts | None = None,
    ) -> None:
        self._open_room = open_room
        # A server that is up again is joined within 3 s and the time that joining takes.
        self._backoff = backoff or Backoff()
        self._timeouts = timeouts or ReconnectTimeouts()
        self._room = open_room()
        self._changes = RoomChanges()
        self._tasks = TaskSet(self._fail)
        self._life = AsyncExitStack()
        self._composite: TrackSource | None = None
        self._present: set[str] = set()
        self.lost = ""
        """Why the meeting is not joined at this moment; empty while it is."""
        self.rejoins: Counter[str] = Counter()
        """How many times the meeting was joined again, by the kind of the loss (``loss_kind``)."""

    @property
    def name(self) -> str:
        return self._room.name

    @property
    def rejoined(self) -> int:
        """How many times the meeting was joined again."""
        return self.rejoins.total()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def start(self) -> None:
        """Join; raises what the room raises that can't be joined."""
        await self._join()
        self._tasks.create_task(self._run(), name=f"meeting {self.name}")

    async def aclose(self) -> None:
        """Leave the meeting."""
        self._changes.end()
        await self._tasks.aclose()
        await self._life.aclose()

    def changes(self) -> AsyncGenerator[RoomChange]:
        return self._changes.follow()

    async def publish(self, composite: TrackSource) -> None:
        """Show the composite, also in each room that is joined later."""
        self._composite = composite
        if not self.lost:
            await self._room.publish(composite)

    def constrain(self, participant: str, want: ReceiverConstraints) -> None:
        self._room.constrain(participant, want)

    async def announce(self, event: Mapping[str, object]) -> None:
        """Pass ``event`` on where the system can tell it; nothing is kept while it is lost."""
        if isinstance(self._room, SupportsDataMessages) and not self.lost:
            await self._room.announce(event)

    def peers(self) -> Sequence[RTCPeerConnection]:
        """The connections of the room that is joined now."""
        return self._room.peers() if isinstance(self._room, HasPeerConnections) else ()

    async def _run(self) -> None:
        try:
            await self._stay()
        except (RefusedError, ConfigError) as error:
            self._changes.end(error)
        else:
            self._changes.end()

    async def _stay(self) -> None:
        """Report the changes of one room after another until the meeting is over.

        Raises RefusedError or ConfigError where it can't be joined again.
        """
        loop = asyncio.get_running_loop()
        attempt = 0
        while True:
            joined_at = loop.time()
            # Adapters raise RoomError; any other failure of one is handled in the same way.
            with Captured(RefusedError, ConfigError) as stay:
                async for change in self._room.changes():
                    self._report(change)
            if stay.error is None:
                return
            self.lost = stay.reason
            log.warning("meeting lost", room=self.name, reason=self.lost)
            for participant in tuple(self._present):
                self._report(Left(participant, LOST))
            if loop.time() - joined_at > self._timeouts.settled:
                attempt = 0
            await self._life.aclose()
            attempt = await self._come_back(attempt, loss_kind(stay.error))

    def _report(self, change: RoomChange) -> None:
        match change:
            case Joined():
                self._present.add(change.participant)
                self._changes.join(change)
            case Left():
                self._present.discard(change.participant)
                self._changes.leave(change.participant, change.reason)
            case ConsentChanged():
                self._changes.choose(change.participant, change.consent)
            case SensitivityChosen():
                self._changes.choose_sensitivity(change.participant, change.sensitivity)

    async def _come_back(self, attempt: int, kind: str) -> int:
        """Join again, as often as it takes; returns the attempts made in a row."""
        while True:
            await asyncio.sleep(self._backoff.delay(attempt))
            attempt += 1
            with Captured(RefusedError, ConfigError) as rejoin:
                self._room = self._next_room()
                await self._join()
                self.rejoins[kind] += 1
                self.lost = ""
                log.info("meeting rejoined", room=self.name, attempts=attempt)
                return attempt
            log.info("rejoin failed, retrying", room=self.name, reason=rejoin.reason)

    def _next_room(self) -> Room:
        """The room to join now: what the one before hands on counts for it, where it does."""
        return self._room.renewed() if isinstance(self._room, Renewable) else self._open_room()

    async def _join(self) -> None:
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(self._timeouts.joining):
                    await stack.enter_async_context(self._room)
                    if self._composite is not None:
                        await self._room.publish(self._composite)
            except TimeoutError as error:
                what = f"can't be joined within {self._timeouts.joining:g} s"
                raise RoomError(what, where=self.name) from error
            self._life = stack.pop_all()

    def _fail(self, error: Exception) -> None:
        """This room itself failed."""
        self._changes.end(RoomError(f"broke down: {error!r}", where=self.name))


def loss_kind(error: Exception) -> str:
    """The kind of what lost a meeting, one of six words: a metric counts by it."""
    match error:
        case LostError():
            return "lost"
        case NegotiationError():
            return "negotiation"
        case ProtocolError():
            return "protocol"
        case SignallingError():
            return "signalling"
        case TimeoutError():
            return "timeout"
        case _:
            return "other"
