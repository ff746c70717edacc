"""The seam between a session and a meeting system: every adapter implements ``Room``."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol, Self, TypeAlias

from aiortc import MediaStreamTrack

from sidecar.media.feed import Feed


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """A camera can be watched; the room owns ``feed`` and closes it after ``Left``."""

    participant: str
    name: str
    feed: Feed


@dataclass(frozen=True, slots=True)
class Left:
    """A participant or their camera is gone."""

    participant: str
    reason: str


@dataclass(frozen=True, slots=True)
class Consent:
    """A participant opts out of (or back into) being sampled and decorated."""

    participant: str
    opted_out: bool


RoomChange: TypeAlias = Joined | Left | Consent


class Publisher(Protocol):
    """Where a room gets tracks of the composite from: one encoder, many tracks of its packets."""

    def subscribe(self) -> MediaStreamTrack:
        """A new track of ready-made packets, beginning with a key frame; stop it when done."""
        ...


class Room(Protocol):
    """A meeting that the sidecar takes part in, without being in its roster.

    Entering joins (and raises RoomError where that fails); leaving frees every connection, task
    and descriptor.
    """

    @property
    def name(self) -> str: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    def changes(self) -> AsyncIterator[RoomChange]:
        """Everybody present as ``Joined``, then each change; ends when the meeting does."""
        ...

    async def publish(self, composite: Publisher) -> None:
        """Show the composite to the meeting until the room is left."""
        ...
