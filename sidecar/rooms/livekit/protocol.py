"""One participant's signalling with a LiveKit server (v0, protocol 16) as a state machine.

Sans I/O: messages go in, events come out; no socket, no task, no clock. Whatever isn't understood
(garbage, unknown messages, those of another state) yields no event and changes nothing.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, TypeAlias

from aiortc import RTCIceCandidate, RTCIceServer
from aiortc.sdp import candidate_from_sdp
from google.protobuf.message import DecodeError
from livekit.protocol.models import ParticipantInfo
from livekit.protocol.rtc import (
    JoinResponse,
    RequestResponse,
    SessionDescription,
    SignalResponse,
    SignalTarget,
    SubscriptionPermissionUpdate,
    SubscriptionResponse,
    TrackPublishedResponse,
    TrickleRequest,
)

from sidecar.rooms.livekit.leaving import MAX_URL, MOVED, Leaving, Verdict, read_leave
from sidecar.rooms.livekit.people import MAX_PEOPLE, Person, read_person

MAX_MESSAGE: Final = 4 << 20
"""Bytes; a server describes a thousand participants in less than one MiB."""
MAX_CANDIDATES: Final = 64
MAX_CANDIDATE: Final = 1024
MAX_TOKEN: Final = 16 * 1024
PING_EVERY: Final = (1, 5, 60)
"""Seconds between pings: the least, the usual and the most that a server may ask for."""
PING_TIMEOUT: Final = (3, 15, 120)
"""Seconds of silence that mean a dead server, likewise."""


class Side(Enum):
    """Which of a participant's two peer connections."""

    PUBLISHER = auto()
    """We offer."""
    SUBSCRIBER = auto()
    """The server offers."""


@dataclass(frozen=True, slots=True)
class Entered:
    """We are in the room."""

    room: str
    identity: str
    people: tuple[Person, ...]
    ice_servers: tuple[RTCIceServer, ...] = field(repr=False)
    ping_every: int
    """Seconds."""
    ping_timeout: int
    """Seconds."""


@dataclass(frozen=True, slots=True)
class People:
    """News of some participants."""

    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Offered:
    """The server offers the subscriber's connection, for the first time or anew."""

    sdp: str
    number: int


@dataclass(frozen=True, slots=True)
class Answered:
    """The server answers the publisher's offer."""

    sdp: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to the server, told after the description that it belongs to."""

    side: Side
    candidate: RTCIceCandidate


@dataclass(frozen=True, slots=True)
class Published:
    """The track that we announced as ``cid`` is known to the server as ``track``."""

    cid: str
    track: str


@dataclass(frozen=True, slots=True)
class Unpublishable:
    """The server won't have our track."""

    why: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """How it stands with a track that was asked for."""

    track: str
    problem: str
    """Why it doesn't come, in a clause that follows "a camera that"; empty where it does."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """A token for the next time, which lives longer than the last."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """This server isn't available; the room is to be joined at ``server`` instead."""

    server: str


@dataclass(frozen=True, slots=True)
class Pong:
    """The ping that was sent at ``milliseconds`` was answered."""

    milliseconds: int


Event: TypeAlias = (
    Entered
    | People
    | Offered
    | Answered
    | Candidate
    | Published
    | Unpublishable
    | Subscription
    | Renewed
    | Elsewhere
    | Pong
    | Leaving
)

_SUBSCRIPTION_ERRORS: Final = {
    1: "comes in a codec that can't be decoded here",
    2: "is known to the server no more",
}


class Phase(Enum):
    """How far a connection is."""

    JOINING = auto()
    JOINED = auto()
    OVER = auto()
    """Nothing that comes counts any more."""


class Protocol:
    """The state of one connection."""

    def __init__(self) -> None:
        self.phase = Phase.JOINING
        self._described: set[Side] = set()
        self._early: dict[Side, list[Candidate]] = {side: [] for side in Side}
        self._handlers: Mapping[str, Callable[[SignalResponse], Sequence[Event]]] = {
            "update": lambda message: [People(_people(message.update.participants))],
            "offer": lambda message: self._offered(message.offer),
            "answer": lambda message: self._answered(message.answer),
            "trickle": lambda message: self._trickle(message.trickle),
            "track_published": lambda message: _published(message.track_published),
            "request_response": lambda message: _responded(message.request_response),
            "subscription_response": lambda message: _subscribed(message.subscription_response),
            "subscription_permission_update": lambda message: _permitted(
                message.subscription_permission_update
            ),
            "pong_resp": lambda message: [Pong(message.pong_resp.last_ping_timestamp)],
            "room_moved": lambda message: self._over(MOVED),
        }

    def receive(self, data: bytes | str) -> Sequence[Event]:
        """What one message of the server means."""
        if self.phase is Phase.OVER or isinstance(data, str) or len(data) > MAX_MESSAGE:
            # A server speaks JSON (in text frames) to those alone who did before.
            return []
        try:
            message = SignalResponse.FromString(data)
        except DecodeError:
            return []
        kind = message.WhichOneof("message")
        if kind == "leave":
            return self._over(read_leave(message.leave))
        if kind == "refresh_token":
            token = message.refresh_token
            return [Renewed(token)] if 0 < len(token) <= MAX_TOKEN else []
        if self.phase is Phase.JOINING:
            return self._join(message.join) if kind == "join" else []
        handle = self._handlers.get(kind or "")
        return [] if handle is None else handle(message)

    def lose(self, why: str) -> Sequence[Event]:
        """The connection ended without a goodbye."""
        if self.phase is Phase.OVER:
            return []
        return self._over(Leaving(Verdict.LOST, why))

    def _join(self, join: JoinResponse) -> Sequence[Event]:
        if join.alternative_url:
            # The rest is empty then.
            self.phase = Phase.OVER
            return [Elsewhere(join.alternative_url[:MAX_URL])]
        self.phase = Phase.JOINED
        return [
            Entered(
                room=join.room.name,
                identity=join.participant.identity,
                people=_people(join.other_participants),
                ice_servers=_ice_servers(join),
                ping_every=_within(PING_EVERY, join.ping_interval),
                ping_timeout=_within(PING_TIMEOUT, join.ping_timeout),
            )
        ]

    def _over(self, leaving: Leaving) -> Sequence[Event]:
        self.phase = Phase.OVER
        return [leaving]

    def _offered(self, offer: SessionDescription) -> Sequence[Event]:
        if offer.type != "offer":
            return []
        return [Offered(offer.sdp, offer.id), *self._describe(Side.SUBSCRIBER)]

    def _answered(self, answer: SessionDescription) -> Sequence[Event]:
        if answer.type != "answer":
            return []
        return [Answered(answer.sdp), *self._describe(Side.PUBLISHER)]

    def _describe(self, side: Side) -> Sequence[Candidate]:
        """The candidates that came before the description that they belong to."""
        self._described.add(side)
        early, self._early[side] = self._early[side], []
        return early

    def _trickle(self, trickle: TrickleRequest) -> Sequence[Event]:
        subscriber = trickle.target == SignalTarget.SUBSCRIBER
        side = Side.SUBSCRIBER if subscriber else Side.PUBLISHER
        candidate = read_candidate(trickle.candidateInit)
        if candidate is None:
            return []
        if side in self._described:
            return [Candidate(side, candidate)]
        if len(self._early[side]) < MAX_CANDIDATES:
            self._early[side].append(Candidate(side, candidate))
        return []


def read_candidate(init: str) -> RTCIceCandidate | None:
    """The candidate in the JSON of an RTCIceCandidateInit.

    None for the end of them, for nonsense, and for what is of no use: aioice speaks UDP only, and a
    name that multicast DNS would have to resolve; its owner reaches us from there all the same.
    """
    if len(init) > MAX_CANDIDATE:
        return None
    try:
        fields = json.loads(init)
        text = fields["candidate"].removeprefix("candidate:")
        candidate = candidate_from_sdp(text)
        mid, index = fields.get("sdpMid"), fields.get("sdpMLineIndex")
    except (ValueError, TypeError, KeyError, AttributeError, AssertionError, IndexError):
        return None
    except RecursionError:
        return None
    if candidate.protocol.lower() != "udp" or candidate.ip.endswith(".local"):
        return None
    candidate.sdpMid = mid if isinstance(mid, str) else None
    candidate.sdpMLineIndex = index if isinstance(index, int) else None
    if candidate.sdpMid is None and candidate.sdpMLineIndex is None:
        candidate.sdpMLineIndex = 0
    return candidate


def _people(infos: Sequence[ParticipantInfo]) -> tuple[Person, ...]:
    return tuple(read_person(info) for info in infos[:MAX_PEOPLE])


def _published(response: TrackPublishedResponse) -> Sequence[Event]:
    return [Published(response.cid, response.track.sid)]


def _responded(response: RequestResponse) -> Sequence[Event]:
    """Only what is said of our track is of interest, and that it is queued is no refusal."""
    settled = response.reason in (RequestResponse.OK, RequestResponse.QUEUED)
    if settled or response.WhichOneof("request") != "add_track":
        return []
    return [Unpublishable(response.message[:200] or "the server refuses it")]


def _subscribed(response: SubscriptionResponse) -> Sequence[Event]:
    """The server answers only where it can't serve."""
    problem = _SUBSCRIPTION_ERRORS.get(response.err, "can't be watched, says the server")
    return [Subscription(response.track_sid, problem)]


def _permitted(update: SubscriptionPermissionUpdate) -> Sequence[Event]:
    """A participant may choose who watches them."""
    problem = "" if update.allowed else "may be watched only by those they chose"
    return [Subscription(update.track_sid, problem)]


def _ice_servers(join: JoinResponse) -> tuple[RTCIceServer, ...]:
    return tuple(
        RTCIceServer(list(server.urls[:8]), server.username or None, server.credential or None)
        for server in join.ice_servers[:32]
    )


def _within(bounds: tuple[int, int, int], seconds: int) -> int:
    least, usual, most = bounds
    return max(least, min(seconds or usual, most))
