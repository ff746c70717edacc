"""What the protocol tells the shell. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Entered:
    """The server knows the room and takes our PIN; nobody in it has noticed."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The room can't be had (any longer)."""

    what: str
    do: str = ""
    final: bool = False
    """Trying again can't help."""


@dataclass(frozen=True, slots=True)
class Over:
    """The room was destroyed: the meeting is over for everybody."""


@dataclass(frozen=True, slots=True)
class Offered:
    """The server offers somebody's camera: ``answer`` it, or ``give_up``."""

    feed: str
    name: str
    mid: str
    """The media line of the camera."""
    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Closed:
    """The connection for a feed that was offered is over; another offer may follow."""

    feed: str
    reason: str
    lost: bool = True
    """It broke; otherwise their camera is off."""


@dataclass(frozen=True, slots=True)
class Unwatchable:
    """Somebody publishes what can't be watched, for now or for good."""

    feed: str
    name: str
    problem: str


@dataclass(frozen=True, slots=True)
class Gone:
    """Somebody publishes no longer, or has left."""

    feed: str
    reason: str


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody is here under this name, or has another from now on."""

    feed: str
    name: str


@dataclass(frozen=True, slots=True)
class Switched:
    """The server sends another substream of a simulcast feed from now on."""

    feed: str
    substream: int


@dataclass(frozen=True, slots=True)
class Published:
    """The server takes our composite."""

    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NotPublished:
    """The server doesn't take our composite."""

    what: str
    do: str = ""
    final: bool = False


@dataclass(frozen=True, slots=True)
class Unpublished:
    """The composite's connection is over."""

    reason: str


@dataclass(frozen=True, slots=True)
class Trickled:
    """A candidate of the server's that its description didn't hold."""

    feed: str | None
    """None for the composite's connection."""
    candidate: Mapping[str, object]


Event: TypeAlias = (
    Entered
    | Failed
    | Over
    | Offered
    | Closed
    | Unwatchable
    | Gone
    | Named
    | Switched
    | Published
    | NotPublished
    | Unpublished
    | Trickled
)
