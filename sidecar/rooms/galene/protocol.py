"""A client of one of Galène's groups, without sockets and clocks: messages in, events out.

    protocol.join()                       begins
    protocol.receive(text) -> [Event, …]  whatever came, however odd
    protocol.outgoing() -> [text, …]      what is to be sent now

Nothing that a server sends raises: what makes no sense is left out.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Final

from sidecar.rooms.base import Consent
from sidecar.rooms.galene import messages
from sidecar.rooms.galene.credentials import Credentials
from sidecar.rooms.galene.events import Arrived, Chose, Complaint, Entered, Event, Moved, Refused
from sidecar.rooms.galene.messages import Message
from sidecar.rooms.galene.refusals import kicked, not_let_in
from sidecar.rooms.galene.roster import Client, Roster
from sidecar.rooms.galene.streams import NO_CAMERAS, Streams
from sidecar.rooms.opt_out_commands import HELP, consent_command

MARK: Final = "reaction-sidecar"
"""The key in a client's data by which sidecars know each other, and the kind of the user messages
that tell programs of reactions."""
NOTICE: Final = f"I look for gestures in the cameras here and show a reaction to them. {HELP}"
LEFT_ALONE: Final = "Your camera is left alone now. Write “!reactions on” to take part again."
TAKING_PART: Final = "Your gestures count now. Write “!reactions off” to be left alone."


class State(Enum):
    """How far we have come."""

    NEW = auto()
    JOINING = auto()
    JOINED = auto()
    OVER = auto()
    """Nothing more is to come of it."""


class GaleneProtocol:
    """One client, ``client``, of ``group``; ids are the caller's choice and must be unguessable."""

    def __init__(self, client: str, group: str, credentials: Credentials) -> None:
        self.state = State.NEW
        self.streams = Streams(self._send)
        self.permissions: frozenset[str] = frozenset()
        self.username = credentials.username
        """What the server calls us; it may differ from what was asked for."""
        self._client = client
        self._group = group
        self._credentials = credentials
        self._roster = Roster()
        self._noticed = False
        self._listed = False
        """Everybody who was there before us is known."""
        self._out: list[str] = []
        self._handlers: Mapping[str, Callable[[Message], list[Event]]] = {
            "handshake": self._handshake,
            "joined": self._joined,
            "user": self._user,
            "offer": self._offer,
            "answer": self.streams.answered,
            "ice": self.streams.trickled,
            "close": self.streams.closed,
            "abort": self.streams.lost,
            "renegotiate": self.streams.lost,
            "chat": self._chat,
            "chathistory": self._history,
            "usermessage": self._usermessage,
            "ping": self._ping,
            "pong": self._pong,
        }

    # What we do.

    def join(self) -> None:
        """Introduce ourselves and ask to be let in."""
        self.state = State.JOINING
        self._send("handshake", version=[messages.VERSION], id=self._client)
        who = self._credentials.fields()
        self._send("join", kind="join", group=self._group, data={MARK: True}, **who)

    def leave(self) -> None:
        """Take our streams away and say goodbye."""
        self.streams.withdraw_all()
        if self.state is State.JOINED:
            self._send("join", kind="leave", group=self._group)
        self.state = State.OVER

    def ask(self) -> None:
        """Ask for every camera, in its lowest layer: those that we have are not offered again."""
        if self.state is State.JOINED:
            nothing: dict[str, list[str]] = {label: [] for label in NO_CAMERAS}
            self._send("request", request={"": ["video-low"], **nothing})

    def offer(self, stream: str, sdp: str, *, replaces: str = "") -> None:
        """Show a stream of our own, as a camera, in the place of another where one is named."""
        who = {"source": self._client, "username": self.username}
        self.streams.offer(stream, sdp, replaces=replaces, **who)

    def notify(self) -> None:
        """Tell the chat what we do and how to be left alone, unless its history says so already."""
        if not self._noticed:
            self._noticed = True
            self._tell("chat", NOTICE)

    def confirm(self, client: str, consent: Consent) -> None:
        """Tell ``client``, and nobody else, that their wish was heard."""
        self._tell("chat", LEFT_ALONE if consent is Consent.OPT_OUT else TAKING_PART, dest=client)

    def announce(self, value: object) -> None:
        """Tell everybody's program something that people don't see."""
        self._tell("usermessage", value, kind=MARK)

    def ping(self) -> None:
        """Ask for a sign of life."""
        self._send("ping")

    def outgoing(self) -> list[str]:
        """The messages that are to be sent, in order; each is handed out once."""
        out, self._out = self._out, []
        return out

    # What comes.

    def receive(self, text: str) -> list[Event]:
        """What a message of the server's means."""
        message = messages.read(text)
        kind = None if message is None else message.get("type")
        if message is None or not isinstance(kind, str) or self.state is State.OVER:
            return []
        handler = self._handlers.get(kind)
        return [] if handler is None else handler(message)

    def _handshake(self, message: Message) -> list[Event]:
        if messages.VERSION in messages.texts(message.get("version")):
            return []
        self.state = State.OVER
        what = "the server speaks another version of Galène's protocol"
        return [Refused(what, do=f"this one knows version {messages.VERSION}")]

    def _joined(self, message: Message) -> list[Event]:
        match message.get("kind"):
            case "join" if self.state is State.JOINING:
                self.state = State.JOINED
                self.ask()
                # Those who are there already are listed before this is answered.
                self.ping()
                return [self._entered(message)]
            case "change" if self.state is State.JOINED:
                return [self._entered(message)]
            case "redirect" if self.state is State.JOINING:
                self.state = State.OVER
                return [Moved(messages.line(message, "value"))]
            case "fail":
                self.state = State.OVER
                return [not_let_in(message, self._credentials)]
            case "leave":
                self.state = State.OVER
                return [Refused("the server took us out of the group", final=False)]
        return []

    def _entered(self, message: Message) -> Event:
        self.username = messages.identifier(message, "username") or self.username
        self.permissions = frozenset(messages.texts(message.get("permissions")))
        configuration = message.get("rtcConfiguration")
        return Entered(
            "present" in self.permissions,
            tuple(messages.ice_servers(configuration)),
            messages.relayed(configuration),
        )

    def _user(self, message: Message) -> list[Event]:
        client = messages.identifier(message)
        if message.get("kind") == "delete":
            self._roster.remove(client)
            return self.streams.forget(client)
        new = self._listed and self._roster.find(client) is None
        found = self._put(client, message) if client else None
        if found is None:
            return []
        events: list[Event] = [Arrived(found.participant)] if new else []
        if found.sidecar:
            return events + self.streams.forget(client, refuse=True)
        consent = self._roster.choice(found)
        return events if consent is None else [*events, Chose(found.participant, consent)]

    def _offer(self, message: Message) -> list[Event]:
        return self.streams.offered(message, self._owner) if self.state is State.JOINED else []

    def _owner(self, offer: Message) -> Client | None:
        """Whose stream is offered; the list of users may come later than their streams."""
        source = messages.identifier(offer, "source")
        known = self._roster.find(source)
        return self._put(source, offer) if known is None and source else known

    def _put(self, client: str, message: Message) -> Client | None:
        """Note who ``client`` is; one of our own name is we ourselves, by WHIP."""
        data, username = message.get("data"), messages.line(message, "username")
        marked = isinstance(data, dict) and MARK in data
        sidecar = marked or client == self._client or username == self.username
        return self._roster.put(client, username, sidecar=sidecar)

    def _chat(self, message: Message) -> list[Event]:
        source = messages.identifier(message, "source")
        consent, client = _wish(message), self._roster.find(source)
        if consent is None or client is None or client.sidecar:
            return []
        self._roster.choose(client.name, consent)
        return [Chose(client.participant, consent, asked_by=source)]

    def _history(self, message: Message) -> list[Event]:
        """What was said before we came: it counts, since whoever said it won't say it again."""
        self._noticed = self._noticed or message.get("value") == NOTICE
        consent = _wish(message)
        if consent is not None:
            self._roster.choose(messages.line(message, "username"), consent)
        return []

    def _usermessage(self, message: Message) -> list[Event]:
        # Anybody may send user messages; the server's own are marked.
        if message.get("privileged") is not True or message.get("source"):
            return []
        match message.get("kind"):
            case "kicked":
                self.state = State.OVER
                return [kicked(message)]
            case "error" | "warning":
                return [Complaint(messages.line(message, "value"))]
        return []

    def _ping(self, _: Message) -> list[Event]:
        self._send("pong")
        return []

    def _pong(self, _: Message) -> list[Event]:
        self._listed = self._listed or self.state is State.JOINED
        return []

    def _tell(self, message: str, value: object, **fields: object) -> None:
        if self.state is State.JOINED and "message" in self.permissions:
            who = {"source": self._client, "username": self.username}
            self._send(message, **who, noecho=True, value=value, **fields)

    def _send(self, message: str, /, **fields: object) -> None:
        self._out.append(messages.write(message, **fields))


def _wish(message: Message) -> Consent | None:
    """What a plain chat message asks for, if it is a command."""
    value = message.get("value")
    if message.get("kind") or not isinstance(value, str) or len(value) > messages.MAX_TEXT:
        return None
    return consent_command(value)
