"""One participant's signalling with a LiveKit server (v0, protocol 16) as a state machine.

Sans I/O: messages go in, events come out, and ``take`` returns what is to be sent; no socket, no
task, no clock. What is not understood (garbage, unknown messages, those of another state) yields no
event and changes nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, TypeAlias

from google.protobuf.message import DecodeError
from livekit.protocol.models import ParticipantInfo
from livekit.protocol.rtc import (
    JoinResponse,
    LeaveRequest,
    RequestResponse,
    SessionDescription,
    SignalResponse,
    SignalTarget,
    SubscriptionPermissionUpdate,
    SubscriptionResponse,
    TrackPublishedResponse,
    TrickleRequest,
)

from sidecar.plain_text import clean_text
from sidecar.rooms.base import Consent, ConsentChanged, ReceiverConstraints, SensitivityChosen
from sidecar.rooms.events import (
    Answered,
    CandidateReceived,
    Ended,
    Entered,
    Offered,
    ParticipantsChanged,
    PublishRefused,
    Redirected,
    Refused,
    Unwatchable,
)
from sidecar.rooms.livekit import messages
from sidecar.rooms.livekit.chat import ChatReader
from sidecar.rooms.livekit.encryption import KeyRing
from sidecar.rooms.livekit.messages import (
    MAX_URL,
    MOVED,
    CameraTrack,
    RemoteParticipant,
    read_candidate,
    read_ice_servers,
    read_leave,
    read_participant,
    read_regions,
)
from sidecar.rooms.opt_out_commands import consent_command, sensitivity_command

SUBSCRIBER: Final = "subscriber"
"""The connection that the server offers."""
PUBLISHER: Final = "publisher"
"""The connection that we offer."""
MAX_MESSAGE: Final = 4 << 20
"""Bytes; a server describes a thousand participants in less than one MiB."""
MAX_PARTICIPANTS: Final = 1000
"""Participants that are remembered; further ones are ignored."""
MAX_SERVER_TRAILER: Final = 256
"""Bytes; LiveKit's has 16."""
MAX_TOKEN: Final = 16 * 1024
"""Characters of a renewed token that is kept."""

_SUBSCRIPTION_ERRORS: Final = {
    1: "comes in a codec that can't be decoded here",
    2: "is known to the server no more",
}


@dataclass(frozen=True, slots=True)
class TrackPublished:
    """The server knows the track that we announced as ``cid``."""

    cid: str
    track: str


@dataclass(frozen=True, slots=True)
class TokenRenewed:
    """A token for the next time, which is valid for longer than the last."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RegionsNamed:
    """Servers at which to join the next time, the nearest first."""

    servers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PingAnswered:
    """The ping that was sent at ``milliseconds`` was answered."""

    milliseconds: int


LiveKitEvent: TypeAlias = (
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
    | Unwatchable
    | PublishRefused
    | TrackPublished
    | TokenRenewed
    | RegionsNamed
    | PingAnswered
)


class ConnectionPhase(Enum):
    """How far a connection is."""

    JOINING = auto()
    JOINED = auto()
    OVER = auto()
    """Nothing that comes counts any more."""


class RemoteParticipants:
    """All participants of the room but ourselves, kept up to date by the server's updates."""

    def __init__(self) -> None:
        self._participants: dict[str, RemoteParticipant] = {}

    def __iter__(self) -> Iterator[RemoteParticipant]:
        return iter(tuple(self._participants.values()))

    def __contains__(self, identity: object) -> bool:
        return identity in self._participants

    def find(self, identity: str) -> RemoteParticipant | None:
        """The participant with ``identity``, if there is one."""
        return self._participants.get(identity)

    def update(self, participants: Iterable[RemoteParticipant]) -> None:
        """Apply an update, which names some and not all. Old news of the same stay is ignored."""
        for participant in participants:
            known = self._participants.get(participant.identity)
            if not participant.present:
                if known is not None and known.sid == participant.sid:
                    del self._participants[participant.identity]
                continue
            if known is None and len(self._participants) >= MAX_PARTICIPANTS:
                continue
            same_stay = known is not None and known.sid == participant.sid
            if known is None or not same_stay or known.version <= participant.version:
                self._participants[participant.identity] = participant


class LiveKitProtocol:
    """The state of one connection; ``watches`` says whether it subscribes to cameras.

    ``ring`` has the keys of a room that is encrypted from end to end.
    """

    def __init__(self, *, watches: bool = True, ring: KeyRing | None = None) -> None:
        self.phase = ConnectionPhase.JOINING
        self.participants = RemoteParticipants()
        self.ping_interval = self.ping_timeout = 0
        """Seconds, as the server asks for; 0 before it does."""
        self.server_trailer = b""
        """What frames end with that the server puts into encrypted streams."""
        self._watches = watches
        self._ring = ring
        self._outgoing: list[bytes] = []
        self._chat = ChatReader(ring)
        self._constraints: dict[str, ReceiverConstraints] = {}
        self._attributes: dict[str, Consent] = {}
        """The choice in each participant's attributes as it was last seen."""
        self._subscribed: dict[str, str] = {}
        """The track that is subscribed to, by identity."""
        self._problems: dict[str, str] = {}
        """Why the server does not send a track that is subscribed to."""
        self._handlers: Mapping[str, Callable[[SignalResponse], Sequence[LiveKitEvent]]] = {
            "update": lambda message: self._updated(message.update.participants),
            "offer": lambda message: _offered(message.offer),
            "answer": lambda message: _answered(message.answer),
            "trickle": lambda message: _trickled(message.trickle),
            "track_published": lambda message: _published(message.track_published),
            "request_response": lambda message: _responded(message.request_response),
            "subscription_response": lambda message: self._refused_track(
                message.subscription_response
            ),
            "subscription_permission_update": lambda message: self._permitted(
                message.subscription_permission_update
            ),
            "pong_resp": lambda message: [PingAnswered(message.pong_resp.last_ping_timestamp)],
            "room_moved": lambda message: self._over(MOVED),
        }

    def take(self) -> list[bytes]:
        """The messages to send now, in their order; each is returned once."""
        taken, self._outgoing = self._outgoing, []
        return taken

    def receive(self, data: bytes | str) -> Sequence[LiveKitEvent]:
        """What one message of the server means."""
        if self.phase is ConnectionPhase.OVER or isinstance(data, str) or len(data) > MAX_MESSAGE:
            # A server speaks JSON (in text frames) to those alone who did before.
            return []
        try:
            message = SignalResponse.FromString(data)
        except DecodeError:
            return []
        kind = message.WhichOneof("message")
        if kind == "leave":
            return self._left(message.leave)
        if kind == "refresh_token":
            token = message.refresh_token
            return [TokenRenewed(token)] if 0 < len(token) <= MAX_TOKEN else []
        if self.phase is ConnectionPhase.JOINING:
            return self._join(message.join) if kind == "join" else []
        handle = self._handlers.get(kind or "")
        return [] if handle is None else handle(message)

    def receive_data(self, data: bytes | str) -> Sequence[LiveKitEvent]:
        """What a data message of the subscriber's connection means: a choice by chat, or nothing.

        The last word counts, in the chat or in the attributes.
        """
        message = self._chat.receive(data)
        if message is None or message.identity not in self.participants:
            return []
        if (level := sensitivity_command(message.text)) is not None:
            return [SensitivityChosen(message.identity, level)]
        consent = consent_command(message.text)
        return [] if consent is None else [ConsentChanged(message.identity, consent)]

    def lose(self, reason: str) -> Sequence[LiveKitEvent]:
        """The connection ended without a leave message."""
        if self.phase is ConnectionPhase.OVER:
            return []
        return self._over(Refused(reason, final=False))

    def answer(self, sdp: str, revision: int) -> None:
        """Answer the offer with that revision."""
        self._outgoing.append(messages.answer(sdp, revision))

    def offer(self, sdp: str) -> None:
        """Offer the publisher's connection."""
        self._outgoing.append(messages.offer(sdp))

    def add_composite(self, cid: str) -> None:
        """Announce the composite, whose track has the id ``cid`` in the coming offer."""
        encrypted = self._ring is not None
        self._outgoing.append(messages.add_composite(cid, encrypted=encrypted))

    def constrain(self, identity: str, want: ReceiverConstraints) -> None:
        """Ask for no more of a participant's camera than ``want``; the unknown are ignored."""
        if identity not in self.participants or self._constraints.get(identity) == want:
            return
        self._constraints[identity] = want
        if (track := self._subscribed.get(identity)) is not None:
            self._outgoing.append(messages.settings(track, want))

    def ping(self, milliseconds: int, round_trip: int) -> None:
        """Give a sign of life at this time."""
        self._outgoing.append(messages.ping(milliseconds, round_trip))

    def beat(self, number: int) -> None:
        """Let our attributes change, once in the room."""
        if self.phase is ConnectionPhase.JOINED:
            self._outgoing.append(messages.beat(number))

    def leave(self) -> None:
        """Say that we leave; what was to be sent before is of no use any more."""
        if self.phase is ConnectionPhase.JOINED:
            self._outgoing = [messages.leave()]
        self.phase = ConnectionPhase.OVER

    def note_decryption(self, track: str, problem: str) -> Sequence[LiveKitEvent]:
        """Why the frames of ``track`` can't be decrypted; empty once they can."""
        return self._unwatchable(track, problem)

    def problem(self, camera: CameraTrack) -> str:
        """Why ``camera`` can't be watched, in a clause that follows the participant's name."""
        if reason := self._problems.get(camera.track):
            return f"has a camera that {reason}"
        return camera.problem

    def _join(self, join: JoinResponse) -> Sequence[LiveKitEvent]:
        if join.alternative_url:
            # The rest is empty then.
            self.phase = ConnectionPhase.OVER
            return [Redirected(join.alternative_url[:MAX_URL])]
        self.phase = ConnectionPhase.JOINED
        self.server_trailer = join.sif_trailer[:MAX_SERVER_TRAILER]
        self.ping_interval, self.ping_timeout = join.ping_interval, join.ping_timeout
        entered = Entered(
            room=join.room.name,
            identity=join.participant.identity,
            ice_servers=read_ice_servers(join),
        )
        return [entered, *self._updated(join.other_participants)]

    def _left(self, leave: LeaveRequest) -> Sequence[LiveKitEvent]:
        servers = read_regions(leave)
        named = [RegionsNamed(servers)] if servers else []
        return [*named, *self._over(read_leave(leave))]

    def _over(self, end: Refused | Ended) -> Sequence[LiveKitEvent]:
        self.phase = ConnectionPhase.OVER
        return [end]

    def _updated(self, infos: Sequence[ParticipantInfo]) -> Sequence[LiveKitEvent]:
        before = {participant.identity for participant in self.participants}
        decrypts = self._ring is not None
        self.participants.update(
            read_participant(info, decrypts=decrypts) for info in infos[:MAX_PARTICIPANTS]
        )
        present = {participant.identity: participant for participant in self.participants}
        left = tuple(sorted(before - present.keys()))
        for identity in left:
            self._constraints.pop(identity, None)
            self._attributes.pop(identity, None)
        if self._watches:
            self._subscribe(present)
        joined = tuple(identity for identity in present if identity not in before)
        changed = ParticipantsChanged(joined, left)
        # A choice goes first: no camera is sampled before its owner's opt-out is known.
        return [*self._choices(present), changed]

    def _choices(self, present: Mapping[str, RemoteParticipant]) -> Iterator[ConsentChanged]:
        """Attributes count when they change, so that chat can have the last word as well."""
        for identity, participant in present.items():
            if participant.consent is None:
                self._attributes.pop(identity, None)
            elif self._attributes.get(identity) is not participant.consent:
                self._attributes[identity] = participant.consent
                yield ConsentChanged(identity, participant.consent)

    def _subscribe(self, present: Mapping[str, RemoteParticipant]) -> None:
        """Subscribe to every camera that can be watched, and to no other track."""
        wanted = {
            identity: camera.track
            for identity, participant in present.items()
            if (camera := participant.camera) is not None and not camera.problem
        }
        gone = set(self._subscribed.values()) - set(wanted.values())
        new = {who: track for who, track in wanted.items() if self._subscribed.get(who) != track}
        self._subscribed = wanted
        for track in gone:
            self._problems.pop(track, None)
        if gone:
            self._outgoing.append(messages.subscribe(sorted(gone), wanted=False))
        if new:
            self._outgoing.append(messages.subscribe(new.values(), wanted=True))
        self._outgoing.extend(
            messages.settings(track, self._constraints[who])
            for who, track in new.items()
            if who in self._constraints
        )

    def _refused_track(self, response: SubscriptionResponse) -> Sequence[LiveKitEvent]:
        """The server answers a subscription only where it can't serve it."""
        problem = _SUBSCRIPTION_ERRORS.get(response.err, "can't be watched, says the server")
        return self._unwatchable(response.track_sid, problem)

    def _permitted(self, update: SubscriptionPermissionUpdate) -> Sequence[LiveKitEvent]:
        """A participant may choose who watches them."""
        problem = "" if update.allowed else "may be watched only by those they chose"
        return self._unwatchable(update.track_sid, problem)

    def _unwatchable(self, track: str, problem: str) -> Sequence[LiveKitEvent]:
        if not problem:
            self._problems.pop(track, None)
        elif track in self._subscribed.values():
            self._problems[track] = problem
        return [Unwatchable(track, problem)]


def _offered(offer: SessionDescription) -> Sequence[LiveKitEvent]:
    if offer.type != "offer":
        return []
    return [Offered(SUBSCRIBER, offer.sdp, revision=offer.id)]


def _answered(answer: SessionDescription) -> Sequence[LiveKitEvent]:
    return [Answered(PUBLISHER, answer.sdp)] if answer.type == "answer" else []


def _trickled(trickle: TrickleRequest) -> Sequence[LiveKitEvent]:
    candidate = read_candidate(trickle.candidateInit)
    if candidate is None:
        return []
    subscriber = trickle.target == SignalTarget.SUBSCRIBER
    return [CandidateReceived(SUBSCRIBER if subscriber else PUBLISHER, candidate)]


def _published(response: TrackPublishedResponse) -> Sequence[LiveKitEvent]:
    return [TrackPublished(response.cid, response.track.sid)]


def _responded(response: RequestResponse) -> Sequence[LiveKitEvent]:
    """Only what is said of our track is of interest, and that it is queued is no refusal."""
    settled = response.reason in (RequestResponse.OK, RequestResponse.QUEUED)
    if settled or response.WhichOneof("request") != "add_track":
        return []
    reason = clean_text(response.message) or "the server refuses it"
    return [
        PublishRefused(
            f"the composite can't be published: {reason}",
            do="grant the token canPublish, with the source camera",
            final=True,
        )
    ]
