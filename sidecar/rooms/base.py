"""The seam between a session and a meeting system: ``Room``, and the ``Adapter`` that opens one.

Adapters are found as entry points of the group ``reaction_sidecar.rooms``: the name is the system's
and the object an ``Adapter``. ``docs/adapters.md`` shows how to write one.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol, Self, TypeAlias, runtime_checkable

import aiohttp
from aiortc import MediaStreamTrack, RTCIceServer, RTCPeerConnection

from config.sensitivity import Sensitivity
from sidecar.media.feed import Feed
from sidecar.plain_text import clean_text

GROUP = "reaction_sidecar.rooms"


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """A participant with a camera is present; the room owns ``feed`` and closes it after ``Left``.

    ``feed`` is None where their camera can't be watched, and ``problem`` says why: their tile shows
    the name alone. A further ``Joined`` of the same participant replaces the one before.
    """

    participant: str
    """Who it is in the meeting's own words; the same after a rejoin, where the system allows."""
    name: str
    feed: Feed | None
    problem: str = ""

    def __post_init__(self) -> None:
        # The name is drawn, logged and sent on, also where another package made the adapter.
        object.__setattr__(self, "name", clean_text(self.name))
        object.__setattr__(self, "problem", clean_text(self.problem))


@dataclass(frozen=True, slots=True)
class Left:
    """A participant or their camera is gone."""

    participant: str
    reason: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", clean_text(self.reason))


class Consent(Enum):
    """What a participant said about reactions. Without a word the settings decide."""

    OPT_IN = "opt-in"
    """Their camera is sampled, and they may get stickers."""
    OPT_OUT = "opt-out"
    """Their camera is not sampled, and they get no stickers."""


@dataclass(frozen=True, slots=True)
class ConsentChanged:
    """A participant opted out of reactions, or back in.

    It may precede their ``Joined``, and holds until the next one of the same participant.
    """

    participant: str
    consent: Consent


@dataclass(frozen=True, slots=True)
class SensitivityChosen:
    """A participant chose how easily their reactions start; it holds until their next choice."""

    participant: str
    sensitivity: Sensitivity


RoomChange: TypeAlias = Joined | Left | ConsentChanged | SensitivityChosen


@dataclass(frozen=True, slots=True)
class ReceiverConstraints:
    """What a session needs of one camera: the smallest layer that has this is the right one."""

    width: int
    """Pixels."""
    height: int
    """Pixels."""
    fps: float
    paused: bool = False
    """Nothing is needed for now: where the system can, it sends nothing."""


class TrackSource(Protocol):
    """Where a room gets tracks of the composite from: one encoder, many tracks of its packets."""

    def subscribe(self) -> MediaStreamTrack:
        """A new track of ready-made packets, beginning with a key frame; stop it when done."""
        ...


class Room(Protocol):
    """A meeting that the sidecar takes part in, without being in its roster where that can be.

    Entering joins (and raises RoomError where that fails); leaving frees every connection, task
    and descriptor.
    """

    @property
    def name(self) -> str: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    def changes(self) -> AsyncGenerator[RoomChange]:
        """Every participant present as ``Joined``, then each change; ends when the meeting does.

        Nothing is queued: a slow reader misses states in between, never the newest one. Raises
        RefusedError where the meeting finally removed the sidecar, any other RoomError where the
        connection is lost and joining again may help.
        """
        ...

    async def publish(self, composite: TrackSource) -> None:
        """Show the composite in the meeting until the room is left; called once."""
        ...

    def constrain(self, participant: str, want: ReceiverConstraints) -> None:
        """Ask for no more of a camera than ``want``; a system without layers does nothing.

        Returns at once; an unknown participant is ignored.
        """
        ...


@runtime_checkable
class SupportsDataMessages(Protocol):
    """A room that can tell its participants' programs what happens, as data messages."""

    async def announce(self, event: Mapping[str, object]) -> None:
        """Send one event, made by ``sidecar.session.events.as_json``, to all in the meeting."""
        ...


@runtime_checkable
class Renewable(Protocol):
    """A room with a state that has to outlast it: a newer token, another server, our identity."""

    def renewed(self) -> "Room":
        """A room to join, not entered yet, after this one is lost or could not be entered."""
        ...


@runtime_checkable
class HasPeerConnections(Protocol):
    """A room whose connections can be looked at, as ``sidecar doctor`` does."""

    def peers(self) -> Sequence[RTCPeerConnection]:
        """The peer connections of this moment; look, don't touch."""
        ...


@dataclass(frozen=True, slots=True)
class JoinOptions:
    """How to take part in a meeting of any system."""

    name: str
    """What the others see wherever the sidecar must be seen: the publisher, mostly."""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Where keys, tokens and passwords come from. Never shown, logged or put into an error."""
    rate: float = 5.0
    """Samples a second: more frames than that are of use to the composite alone."""
    ice_servers: Sequence[RTCIceServer] = field(default=(), repr=False)
    """STUN and TURN servers; those that the system names come on top."""
    relay_only: bool = False
    """Send media through a TURN server and no other way."""


class Adapter(Protocol):
    """One meeting system. Adapters have no state: rooms do."""

    @property
    def system(self) -> str:
        """The system's name as people know it, such as LiveKit."""
        ...

    @property
    def forms(self) -> Sequence[str]:
        """The addresses it takes, for people: ``livekit://HOST/ROOM``."""
        ...

    def recognises(self, url: str) -> bool:
        """Whether ``url`` may be one of this system's, by its look alone."""
        ...

    async def confirms(self, url: str, http: aiohttp.ClientSession) -> bool:
        """Whether the server behind ``url`` is of this system.

        Asked only where several adapters recognise an address, since only then it costs a request.
        """
        ...

    def room(self, url: str, options: JoinOptions) -> Room:
        """Make the room at ``url``, not entered yet; called again for each rejoin.

        Raises ConfigError where the address is incomplete, or a key or token is missing or wrong.
        """
        ...
