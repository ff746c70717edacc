"""What a group's messages mean to the room: what ``GaleneProtocol`` tells."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from aiortc import RTCIceCandidate, RTCIceServer

from sidecar.rooms.base import Consent


@dataclass(frozen=True, slots=True)
class Entered:
    """We are in the group, or what we may do there changed."""

    may_present: bool
    ice_servers: Sequence[RTCIceServer] = field(default=(), repr=False)
    relay_only: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """The group is elsewhere."""

    location: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The group won't have us; ``final`` where asking again can't help."""

    what: str
    do: str = ""
    final: bool = True


@dataclass(frozen=True, slots=True)
class Arrived:
    """Somebody came into the group after us."""

    participant: str


@dataclass(frozen=True, slots=True)
class Offered:
    """A participant's camera, new or with another description."""

    stream: str
    participant: str
    name: str
    sdp: str = field(repr=False)
    replaces: str = ""
    """A stream that is over with this one's coming."""


@dataclass(frozen=True, slots=True)
class Closed:
    """A participant's camera is gone."""

    stream: str


@dataclass(frozen=True, slots=True)
class Withheld:
    """There is a stream of which nothing that we asked for has come, not yet or not at all."""

    stream: str


@dataclass(frozen=True, slots=True)
class Trickled:
    """A candidate of the server's, for a stream of either direction."""

    stream: str
    candidate: RTCIceCandidate = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to our own stream's offer."""

    stream: str
    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Lost:
    """Our own stream: the server gave it up, or its connection failed there."""

    stream: str


@dataclass(frozen=True, slots=True)
class Chose:
    """A participant opted out of reactions, or back in; ``asked_by`` is to be told, if anybody."""

    participant: str
    consent: Consent
    asked_by: str = ""


@dataclass(frozen=True, slots=True)
class Complaint:
    """The server has something to say about what we did."""

    text: str


Event: TypeAlias = (
    Entered
    | Moved
    | Refused
    | Arrived
    | Offered
    | Closed
    | Withheld
    | Trickled
    | Answered
    | Lost
    | Chose
    | Complaint
)
