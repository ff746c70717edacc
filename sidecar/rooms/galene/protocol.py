"""A client of one group, without sockets and clocks: messages in, events out.

    protocol.join()                       begins
    protocol.receive(text) -> [event, …]  for every message that arrives
    protocol.outgoing() -> [text, …]      the messages to send now

No message of a server raises: a message without a meaning is ignored.

A stream is one peer connection in one direction; its sender makes the offer, and its id is unique.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, TypeAlias

from config.sensitivity import Sensitivity
from sidecar.media.ice import CandidateBuffer
from sidecar.rooms.base import Consent, ConsentChanged, SensitivityChosen
from sidecar.rooms.events import (
    Answered,
    CandidateReceived,
    Closed,
    Entered,
    Offered,
    ParticipantsChanged,
    Redirected,
    Refused,
    SharedEvent,
    Unpublished,
)
from sidecar.rooms.galene.messages import (
    PROTOCOL_VERSION,
    GaleneMessage,
    encode_galene_message,
    read_kick,
    read_refusal,
)
from sidecar.rooms.galene.roster import GroupMember, GroupRoster
from sidecar.rooms.galene.url import GroupCredentials
from sidecar.rooms.opt_out_commands import HELP, consent_command, sensitivity_command

MARK: Final = "reaction-sidecar"
"""The key in a client's data by which sidecars know each other, and the kind of the user messages
that carry reactions to programs."""
NOTICE: Final = f"I look for gestures in the cameras here and show a reaction to them. {HELP}"
CONFIRMATIONS: Final[Mapping[Consent, str]] = {
    Consent.OPT_OUT: "Your camera is left alone now. Write “!reactions on” to take part again.",
    Consent.OPT_IN: "Your gestures count now. Write “!reactions off” to be left alone.",
}
"""The private answers to consent commands."""
LEVEL_CONFIRMATION: Final = "Your reactions are at {} now."
"""The private answer to a choice of sensitivity."""
CAMERA_LABEL: Final = "camera"
OTHER_LABELS: Final = ("screenshare", "video")
"""Labels of streams that show no person: a screen, and a file that a participant plays."""
MAX_STREAMS: Final = 500
"""Streams that are open at once; further ones are ignored."""
MAX_EARLY_STREAMS: Final = 64
"""Streams whose candidates are kept until their offer."""


@dataclass(frozen=True, slots=True)
class StreamWithheld:
    """The server has a stream with nothing in it of what we requested, yet or at all."""

    stream: str


@dataclass(frozen=True, slots=True)
class ServerWarning:
    """The server reports an error about something that we did."""

    text: str


GaleneEvent: TypeAlias = SharedEvent | StreamWithheld | ServerWarning


class MembershipState(Enum):
    """The state of our membership in the group."""

    NEW = auto()
    JOINING = auto()
    JOINED = auto()
    LEFT = auto()
    """Final: no message is handled any more."""


@dataclass(frozen=True, slots=True)
class _CameraStream:
    """A stream that the server offers us, or that we have."""

    client: str
    participant: str
    """Its tile: the member's participant, with a number for a further camera of the same member."""


class GaleneProtocol:
    """One client of ``group``; the ids of client and streams are the caller's: unguessable ones."""

    def __init__(self, client: str, group: str, credentials: GroupCredentials) -> None:
        self.state = MembershipState.NEW
        self.permissions: frozenset[str] = frozenset()
        self.username = credentials.username
        """Our name as the server has it; it may differ from the requested one."""
        self._client = client
        self._group = group
        self._credentials = credentials
        self._roster = GroupRoster()
        self._down: dict[str, _CameraStream] = {}
        self._up: set[str] = set()
        """Our own streams."""
        self._aborted: set[str] = set()
        """Streams that we gave back and the server hasn't closed yet."""
        self._early: dict[str, CandidateBuffer] = {}
        """Candidates of streams that aren't offered yet."""
        self._notified = False
        """The chat has our notice."""
        self._listed = False
        """All members who were there before us are known."""
        self._outgoing: list[str] = []
        self._handlers: Mapping[str, Callable[[GaleneMessage], list[GaleneEvent]]] = {
            "handshake": self._on_handshake,
            "joined": self._on_joined,
            "user": self._on_user,
            "offer": self._on_offer,
            "answer": self._on_answer,
            "ice": self._on_ice,
            "close": self._on_close,
            "abort": self._on_abort,
            "renegotiate": self._on_abort,
            "chat": self._on_chat,
            "chathistory": self._on_chat_history,
            "usermessage": self._on_user_message,
            "ping": self._on_ping,
            "pong": self._on_pong,
        }

    # What we do.

    def join(self) -> None:
        """Send the handshake and ask to join."""
        self.state = MembershipState.JOINING
        self._send("handshake", version=[PROTOCOL_VERSION], id=self._client)
        credentials = self._credentials.join_fields()
        self._send("join", kind="join", group=self._group, data={MARK: True}, **credentials)

    def leave(self) -> None:
        """Close our streams and leave the group."""
        for stream in tuple(self._up):
            self.withdraw(stream)
        if self.state is MembershipState.JOINED:
            self._send("join", kind="leave", group=self._group)
        self.state = MembershipState.LEFT

    def request_cameras(self) -> None:
        """Request every camera in its lowest layer; those that we have are not offered again."""
        if self.state is MembershipState.JOINED:
            nothing: dict[str, list[str]] = {label: [] for label in OTHER_LABELS}
            self._send("request", request={"": ["video-low"], **nothing})

    def request_layer(self, stream: str, *, low: bool) -> None:
        """Request the lowest or the highest layer of one camera."""
        if stream in self._down:
            self._send("requestStream", id=stream, request=["video-low" if low else "video"])

    def answer(self, stream: str, sdp: str) -> None:
        """Answer the offer of a camera; nothing is sent for one that ended meanwhile."""
        if stream in self._down:
            self._send("answer", id=stream, sdp=sdp)

    def abort(self, stream: str) -> None:
        """Give a camera's stream back."""
        if self._down.pop(stream, None) is not None:
            self._reject(stream)

    def offer(self, stream: str, sdp: str, *, replaces: str = "") -> None:
        """Offer a stream of our own, as a camera, in the place of ``replaces`` if that is given."""
        self._up.discard(replaces)
        self._up.add(stream)
        fields = {"label": CAMERA_LABEL, "replace": replaces or None, "sdp": sdp}
        self._send("offer", id=stream, **self._sender(), **fields)

    def withdraw(self, stream: str) -> None:
        """Close a stream of our own."""
        if stream in self._up:
            self._up.discard(stream)
            self._send("close", id=stream)

    def notify(self) -> None:
        """Write into the chat what we do and how to opt out, unless its history has it already."""
        if not self._notified:
            self._notified = True
            self._tell("chat", NOTICE)

    def announce(self, value: object) -> None:
        """Send ``value`` to every client's program, by a user message that people don't see."""
        self._tell("usermessage", value, kind=MARK)

    def ping(self) -> None:
        """Ask the server for a sign of life."""
        self._send("ping")

    def outgoing(self) -> list[str]:
        """The messages to send, in order; each is returned once."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    # What the server sends.

    def receive(self, text: str) -> list[GaleneEvent]:
        """The events of one message."""
        message = GaleneMessage.parse(text)
        if message is None or self.state is MembershipState.LEFT:
            return []
        handler = self._handlers.get(message.type)
        return [] if handler is None else handler(message)

    def _on_handshake(self, message: GaleneMessage) -> list[GaleneEvent]:
        if PROTOCOL_VERSION in message.version:
            return []
        self.state = MembershipState.LEFT
        what = "the server speaks another version of Galène's protocol"
        return [Refused(what, do=f"use a server that speaks version {PROTOCOL_VERSION}")]

    def _on_joined(self, message: GaleneMessage) -> list[GaleneEvent]:
        match message.kind:
            case "join" if self.state is MembershipState.JOINING:
                self.state = MembershipState.JOINED
                self.request_cameras()
                # The server lists those who are there already before it answers this.
                self.ping()
                return [self._entered(message)]
            case "change" if self.state is MembershipState.JOINED:
                return [self._entered(message)]
            case "redirect" if self.state is MembershipState.JOINING:
                self.state = MembershipState.LEFT
                return [Redirected(message.value.strip())]
            case "fail":
                self.state = MembershipState.LEFT
                return [read_refusal(message, self._credentials)]
            case "leave":
                self.state = MembershipState.LEFT
                return [Refused("the server removed the sidecar from the group", final=False)]
        return []

    def _entered(self, message: GaleneMessage) -> GaleneEvent:
        self.username = message.username or self.username
        self.permissions = message.permissions
        return Entered(
            room=self._group,
            identity=self.username,
            ice_servers=message.ice_servers,
            relay_only=message.relay_only,
            may_publish="present" in message.permissions,
        )

    def _on_user(self, message: GaleneMessage) -> list[GaleneEvent]:
        client = message.id
        if message.kind == "delete":
            self._roster.remove(client)
            return self._close_streams_of(client)
        arrived = self._listed and self._roster.find(client) is None
        member = self._put(client, message) if client else None
        if member is None:
            return []
        events: list[GaleneEvent] = []
        if arrived:
            events.append(ParticipantsChanged(joined=(member.participant,)))
        if member.sidecar:
            return events + self._close_streams_of(client, reject=True)
        return events + self._consent_events(member, [member.participant])

    def _put(self, client: str, message: GaleneMessage) -> GroupMember | None:
        """Note a client; one with our own name is the composite that we publish by WHIP."""
        ours = client == self._client or message.username == self.username
        sidecar = ours or MARK in message.data_keys
        return self._roster.put(client, message.username, sidecar=sidecar)

    def _on_offer(self, message: GaleneMessage) -> list[GaleneEvent]:
        stream, source = message.id, message.source
        if self.state is not MembershipState.JOINED or not stream or stream in self._up:
            return []
        member = self._roster.find(source)
        if member is None and source:
            # The server may list a client after it offers the client's stream.
            member = self._put(source, message)
        if member is None or not self._wanted(message, member):
            self._reject(stream)
            return [] if self._down.pop(stream, None) is None else [Closed(stream)]
        self._down.pop(message.replace, None)
        camera = self._down.get(stream) or _CameraStream(source, self._free_tile(member))
        self._down[stream] = camera
        events: list[GaleneEvent] = []
        if camera.participant != member.participant:
            events += self._consent_events(member, [camera.participant])
        events.append(
            Offered(stream, message.sdp, camera.participant, member.name, replaces=message.replace)
        )
        early = self._early.pop(stream, CandidateBuffer()).take()
        return events + [CandidateReceived(stream, candidate) for candidate in early]

    def _free_tile(self, member: GroupMember) -> str:
        taken = {camera.participant for camera in self._down.values()}
        tile, number = member.participant, 2
        while tile in taken:
            tile, number = f"{member.participant} ({number})", number + 1
        return tile

    def _consent_events(
        self, member: GroupMember, participants: Iterable[str]
    ) -> list[GaleneEvent]:
        consent = self._roster.consent(member)
        if consent is None:
            return []
        return [ConsentChanged(participant, consent) for participant in participants]

    def _wanted(self, offer: GaleneMessage, member: GroupMember) -> bool:
        full = offer.id not in self._down and len(self._down) >= MAX_STREAMS
        shows_a_person = not member.sidecar and offer.label not in OTHER_LABELS
        return shows_a_person and bool(offer.sdp) and not full

    def _on_answer(self, message: GaleneMessage) -> list[GaleneEvent]:
        known = message.id in self._up and message.sdp
        return [Answered(message.id, message.sdp)] if known else []

    def _on_ice(self, message: GaleneMessage) -> list[GaleneEvent]:
        stream, candidate = message.id, message.candidate
        if not stream or candidate is None:
            return []
        if stream in self._down or stream in self._up:
            return [CandidateReceived(stream, candidate)]
        self._early.setdefault(stream, CandidateBuffer()).add(candidate)
        if len(self._early) > MAX_EARLY_STREAMS:
            del self._early[next(iter(self._early))]
        return []

    def _on_close(self, message: GaleneMessage) -> list[GaleneEvent]:
        """A stream ended; the server also closes streams that it never offered to us."""
        stream = message.id
        self._early.pop(stream, None)
        if self._down.pop(stream, None) is not None:
            return [Closed(stream)]
        if stream in self._aborted:
            self._aborted.discard(stream)
            return []
        return [StreamWithheld(stream)] if stream else []

    def _on_abort(self, message: GaleneMessage) -> list[GaleneEvent]:
        """An ``abort`` or a ``renegotiate`` of our own stream."""
        stream = message.id
        if stream not in self._up:
            return []
        if message.type == "abort":
            self._up.discard(stream)
        return [Unpublished(stream)]

    def _on_chat(self, message: GaleneMessage) -> list[GaleneEvent]:
        consent, member = _consent(message), self._roster.find(message.source)
        if member is None or member.sidecar:
            return []
        if (level := _level(message)) is not None:
            self._tell("chat", LEVEL_CONFIRMATION.format(level.value), dest=message.source)
            return [SensitivityChosen(tile, level) for tile in self._tiles_of(member, message)]
        if consent is None:
            return []
        self._roster.set_consent(member.name, consent)
        self._tell("chat", CONFIRMATIONS[consent], dest=message.source)
        return self._consent_events(member, self._tiles_of(member, message))

    def _tiles_of(self, member: GroupMember, message: GaleneMessage) -> Iterable[str]:
        """The participants that the author of ``message`` is."""
        cameras = [camera for camera in self._down.values() if camera.client == message.source]
        return dict.fromkeys([member.participant, *(camera.participant for camera in cameras)])

    def _on_chat_history(self, message: GaleneMessage) -> list[GaleneEvent]:
        """A message from before we came: it counts, since its author won't repeat it."""
        self._notified = self._notified or message.value == NOTICE
        if (consent := _consent(message)) is not None:
            self._roster.set_consent(message.username, consent)
        return []

    def _on_user_message(self, message: GaleneMessage) -> list[GaleneEvent]:
        # Every client may send user messages; the server's own are privileged and have no source.
        if not message.privileged or message.source:
            return []
        match message.kind:
            case "kicked":
                self.state = MembershipState.LEFT
                return [read_kick(message)]
            case "error" | "warning":
                return [ServerWarning(message.text)]
        return []

    def _on_ping(self, _: GaleneMessage) -> list[GaleneEvent]:
        self._send("pong")
        return []

    def _on_pong(self, _: GaleneMessage) -> list[GaleneEvent]:
        self._listed = self._listed or self.state is MembershipState.JOINED
        return []

    def _close_streams_of(self, client: str, *, reject: bool = False) -> list[GaleneEvent]:
        """Forget the streams of ``client``; with ``reject`` the server is asked to close them."""
        streams = [stream for stream, camera in self._down.items() if camera.client == client]
        for stream in streams:
            del self._down[stream]
            if reject:
                self._reject(stream)
        return [Closed(stream) for stream in streams]

    def _reject(self, stream: str) -> None:
        if len(self._aborted) < MAX_STREAMS:
            self._aborted.add(stream)
        self._send("abort", id=stream)

    def _sender(self) -> dict[str, str]:
        return {"source": self._client, "username": self.username}

    def _tell(self, message_type: str, value: object, **fields: object) -> None:
        if self.state is MembershipState.JOINED and "message" in self.permissions:
            self._send(message_type, **self._sender(), noecho=True, value=value, **fields)

    def _send(self, message_type: str, /, **fields: object) -> None:
        self._outgoing.append(encode_galene_message(message_type, **fields))


def _level(message: GaleneMessage) -> Sensitivity | None:
    """The sensitivity that a plain chat message chooses; None where it is no such command."""
    return None if message.kind else sensitivity_command(message.value)


def _consent(message: GaleneMessage) -> Consent | None:
    """What a plain chat message chooses; None where it is no command."""
    return None if message.kind else consent_command(message.value)
