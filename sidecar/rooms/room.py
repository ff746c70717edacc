"""The seam between a session and a meeting system: every adapter implements ``Room``."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, TypeAlias, runtime_checkable

from aiortc import MediaStreamTrack, RTCPeerConnection

from sidecar.media.feed import Feed


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """Somebody with a camera is there; the room owns ``feed`` and closes it after ``Left``.

    ``feed`` is None where their camera can't be watched, and ``problem`` says why: their tile shows
    the name alone.
    """

    participant: str
    """Who it is in the meeting's own words; the same after a rejoin, where the system allows."""
    name: str
    feed: Feed | None
    problem: str = ""


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


@dataclass(frozen=True, slots=True)
class Want:
    """What a session needs of one camera: the smallest layer that has this is the right one."""

    width: int
    """Pixels."""
    height: int
    """Pixels."""
    fps: float
    paused: bool = False
    """Nothing is needed for now: where the system can, it sends nothing."""


class Publisher(Protocol):
    """Where a room gets tracks of the composite from: one encoder, many tracks of its packets."""

    def subscribe(self) -> MediaStreamTrack:
        """A new track of ready-made packets, beginning with a key frame; stop it when done."""
        ...


class Outlet(Protocol):
    """Where the composite goes: every room, and whatever else shows or keeps it."""

    async def publish(self, composite: Publisher) -> None:
        """Show the composite until the outlet is left."""
        ...


class Room(Outlet, Protocol):
    """A meeting that the sidecar takes part in, without being in its roster where that can be.

    Entering joins (and raises RoomError where that fails); leaving frees every connection, task
    and descriptor.
    """

    @property
    def name(self) -> str: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    def changes(self) -> AsyncGenerator[RoomChange]:
        """Everybody present as ``Joined``, then each change; ends when the meeting does.

        Raises RefusedError where the meeting put us out for good, and any other RoomError where
        the connection is lost and joining anew may help.
        """
        ...

    def want(self, participant: str, want: Want) -> None:
        """Ask for no more of a camera than ``want``; a system without layers does nothing.

        Returns at once; an unknown participant is ignored.
        """
        ...


@runtime_checkable
class Announces(Protocol):
    """A room that can tell its participants' programs what happens, as data messages."""

    async def announce(self, event: Mapping[str, object]) -> None:
        """Send one event, as ``sidecar.events.as_json`` makes it, to everybody in the meeting."""
        ...


@runtime_checkable
class Inspectable(Protocol):
    """A room whose connections can be looked at, as ``sidecar doctor`` does."""

    def peers(self) -> Sequence[RTCPeerConnection]:
        """The peer connections of this moment; look, don't touch."""
        ...
