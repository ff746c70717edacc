"""What a sans-I/O protocol of a media server reports to its room: the events that systems share.

Events of one system alone stand in its ``protocol.py``. A stream is what the server negotiates by
itself: a peer connection, by the server's id of it.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

from aiortc import RTCIceCandidate, RTCIceServer

from config.errors import RefusedError, RoomError
from sidecar.rooms.base import ConsentChanged, SensitivityChosen


@dataclass(frozen=True, slots=True)
class Entered:
    """The server has admitted the sidecar, or has changed its permissions."""

    room: str = ""
    """The room's name, where the server says it."""
    identity: str = ""
    """What the server calls us."""
    ice_servers: tuple[RTCIceServer, ...] = field(default=(), repr=False)
    """The servers that it names."""
    relay_only: bool = False
    """Media is to be sent through a TURN server and in no other way."""
    may_publish: bool = True


@dataclass(frozen=True, slots=True)
class Redirected:
    """The room is at another server, or under another name there."""

    location: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The server refuses or removes the sidecar."""

    what: str
    do: str = ""
    final: bool = True
    """Trying again can't help."""

    def error(self, where: str) -> RoomError:
        """The error that says so: RefusedError if it is final."""
        kind = RefusedError if self.final else RoomError
        return kind(self.what, where=where, do=self.do)


@dataclass(frozen=True, slots=True)
class Ended:
    """The meeting is over for all participants."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class ParticipantsChanged:
    """Participants came, left or changed; the protocol's roster has them as they are now."""

    joined: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offered:
    """The server offers a stream, for the first time or again: answer it."""

    stream: str
    sdp: str = field(repr=False)
    participant: str = ""
    name: str = ""
    mid: str = ""
    """The section of the camera; empty where the offer itself says it."""
    replaces: str = ""
    """A stream that is over with this one."""
    revision: int = 0
    """The server's number of this offer, which the answer repeats."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The server answers our offer of ``stream``."""

    stream: str
    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CandidateReceived:
    """A candidate of the server's, for a stream of either direction."""

    stream: str
    candidate: RTCIceCandidate = field(repr=False)


@dataclass(frozen=True, slots=True)
class Closed:
    """A participant's stream is over."""

    stream: str
    reason: str = ""
    lost: bool = False
    """The connection broke; otherwise the camera is off."""


@dataclass(frozen=True, slots=True)
class Unwatchable:
    """A participant's camera can't be watched, for now or finally."""

    stream: str
    problem: str
    """Why, for people; empty where it can be watched again."""


@dataclass(frozen=True, slots=True)
class PublishRefused:
    """The server does not take our composite."""

    what: str
    do: str = ""
    final: bool = False
    """Trying again can't help."""

    def error(self, where: str) -> RoomError:
        """The error that says so: RefusedError if it is final."""
        kind = RefusedError if self.final else RoomError
        return kind(self.what, where=where, do=self.do)


@dataclass(frozen=True, slots=True)
class Unpublished:
    """The server has ended our stream, or its connection there."""

    stream: str
    reason: str = ""


SharedEvent: TypeAlias = (
    Entered
    | Redirected
    | Refused
    | Ended
    | ParticipantsChanged
    | ConsentChanged
    | SensitivityChosen
    | Offered
    | Answered
    | CandidateReceived
    | Closed
    | Unwatchable
    | PublishRefused
    | Unpublished
)
