"""A client of one of Galène's groups, without sockets and clocks: messages in, events out.

    protocol.join()                       begins
    protocol.receive(text) -> [Event, …]  whatever came, however odd
    protocol.outgoing() -> [text, …]      what is to be sent now

Nothing that a server sends raises: what makes no sense is left out.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Final

from sidecar.rooms.consent import HELP, opted_out_by
from sidecar.rooms.galene import messages
from sidecar.rooms.galene.credentials import Credentials
from sidecar.rooms.galene.events import (
    Answered,
    Chose,
    Closed,
    Complaint,
    Entered,
    Event,
    Lost,
    Moved,
    Offered,
    Refused,
    Trickled,
    Withheld,
)
from sidecar.rooms.galene.messages import Message
from sidecar.rooms.galene.refusals import kicked, not_let_in
from sidecar.rooms.galene.roster import Roster

MAX_STREAMS: Final = 500
CAMERA: Final = "camera"
NO_CAMERAS: Final = ("screenshare", "video")
"""Labels of streams that show no person: a screen, and a file that somebody plays."""
MARK: Final = "reaction-sidecar"
"""The key in a client's data by which sidecars know each other."""
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
        self.permissions: frozenset[str] = frozenset()
        self.username = credentials.username
        """What the server calls us; it may differ from what was asked for."""
        self._client = client
        self._group = group
        self._credentials = credentials
        self._roster = Roster()
        self._down: dict[str, str] = {}
        self._up: set[str] = set()
        self._aborted: set[str] = set()
        self._out: list[str] = []
        self._noticed = False
        self._handlers: Mapping[str, Callable[[Message], list[Event]]] = {
            "handshake": self._handshake,
            "joined": self._joined,
            "user": self._user,
            "offer": self._offer,
            "answer": self._answer,
            "ice": self._ice,
            "close": self._close,
            "abort": self._lost,
            "renegotiate": self._lost,
            "chat": self._chat,
            "chathistory": self._history,
            "usermessage": self._usermessage,
            "ping": self._ping,
        }

    # What we do.

    def join(self) -> None:
        """Introduce ourselves and ask to be let in."""
        self.state = State.JOINING
        self._send("handshake", version=[messages.VERSION], id=self._client)
        self._send(
            "join",
            kind="join",
            group=self._group,
            data={MARK: True},
            **self._credentials.fields(),
        )

    def leave(self) -> None:
        """Take our streams away and say goodbye."""
        for stream in tuple(self._up):
            self.withdraw(stream)
        if self.state is State.JOINED:
            self._send("join", kind="leave", group=self._group)
        self.state = State.OVER

    def ask(self) -> None:
        """Ask for every camera, in its lowest layer: those that we have are not offered again."""
        if self.state is State.JOINED:
            nothing: dict[str, list[str]] = {label: [] for label in NO_CAMERAS}
            self._send("request", request={"": ["video-low"], **nothing})

    def ask_layer(self, stream: str, *, low: bool) -> None:
        """Ask for the lowest or the highest layer of one camera."""
        if stream in self._down:
            self._send("requestStream", id=stream, request=["video-low" if low else "video"])

    def answer(self, stream: str, sdp: str) -> None:
        """Take a camera that was offered; one that is gone meanwhile is left alone."""
        if stream in self._down:
            self._send("answer", id=stream, sdp=sdp)

    def abort(self, stream: str) -> None:
        """Give a camera back; ``ask`` brings it again, as a new one."""
        if self._down.pop(stream, None) is not None:
            self._refuse(stream)

    def offer(self, stream: str, sdp: str, *, replaces: str = "") -> None:
        """Show a stream of our own, as a camera."""
        self._up.discard(replaces)
        self._up.add(stream)
        self._send(
            "offer",
            id=stream,
            label=CAMERA,
            replace=replaces or None,
            source=self._client,
            username=self.username,
            sdp=sdp,
        )

    def withdraw(self, stream: str) -> None:
        """Take a stream of our own away."""
        if stream in self._up:
            self._up.discard(stream)
            self._send("close", id=stream)

    def notify(self) -> None:
        """Tell the chat what we do and how to be left alone, unless its history says so already."""
        if not self._noticed:
            self._noticed = True
            self._tell("chat", NOTICE)

    def confirm(self, client: str, *, opted_out: bool) -> None:
        """Tell ``client``, and nobody else, that their wish was heard."""
        self._tell("chat", LEFT_ALONE if opted_out else TAKING_PART, to=client)

    def announce(self, kind: str, value: object) -> None:
        """Tell everybody's program something that people don't see."""
        self._tell("usermessage", value, kind=kind)

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
        return [Refused(what, do="this one knows version 2, of Galène 0.7 and later")]

    def _joined(self, message: Message) -> list[Event]:
        match message.get("kind"):
            case "join" if self.state is State.JOINING:
                self.state = State.JOINED
                self.ask()
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
        if not client:
            return []
        if message.get("kind") == "delete":
            self._roster.remove(client)
            return self._forget(client)
        data = message.get("data")
        sidecar = client == self._client or (isinstance(data, dict) and MARK in data)
        found = self._roster.put(client, messages.line(message, "username"), sidecar=sidecar)
        if found is None:
            return []
        if sidecar:
            for stream in self._of(client):
                self._refuse(stream)
            return self._forget(client)
        opted_out = self._roster.choice(found)
        return [] if opted_out is None else [Chose(found.participant, opted_out)]

    def _offer(self, message: Message) -> list[Event]:
        stream, source = messages.identifier(message), messages.identifier(message, "source")
        replaces = messages.identifier(message, "replace")
        if not stream or stream in self._up or self.state is not State.JOINED:
            return []
        sdp = messages.description(message)
        known = self._roster.find(source)
        if known is None and source:
            # The list of users may come later than their streams.
            username = messages.line(message, "username")
            known = self._roster.put(source, username, sidecar=source == self._client)
        full = stream not in self._down and len(self._down) >= MAX_STREAMS
        unwanted = known is None or known.sidecar or message.get("label") in NO_CAMERAS
        if known is None or unwanted or full or not sdp:
            self._refuse(stream)
            return [] if self._down.pop(stream, None) is None else [Closed(stream)]
        self._down.pop(replaces, None)
        self._down[stream] = source
        return [Offered(stream, known.participant, known.name, sdp, replaces)]

    def _answer(self, message: Message) -> list[Event]:
        stream, sdp = messages.identifier(message), messages.description(message)
        return [Answered(stream, sdp)] if stream in self._up and sdp else []

    def _ice(self, message: Message) -> list[Event]:
        stream, candidate = messages.identifier(message), None
        if stream in self._down or stream in self._up:
            candidate = messages.candidate(message.get("candidate"))
        return [] if candidate is None else [Trickled(stream, candidate)]

    def _close(self, message: Message) -> list[Event]:
        stream = messages.identifier(message)
        if self._down.pop(stream, None) is not None:
            return [Closed(stream)]
        if stream in self._aborted:
            self._aborted.discard(stream)
            return []
        return [Withheld(stream)] if stream else []

    def _lost(self, message: Message) -> list[Event]:
        stream = messages.identifier(message)
        if stream not in self._up:
            return []
        if message.get("type") == "abort":
            self._up.discard(stream)
        return [Lost(stream)]

    def _chat(self, message: Message) -> list[Event]:
        source = messages.identifier(message, "source")
        opted_out = _wish(message)
        client = self._roster.find(source)
        if opted_out is None or client is None or client.sidecar:
            return []
        self._roster.choose(client.name, opted_out=opted_out)
        return [Chose(client.participant, opted_out, asked_by=source)]

    def _history(self, message: Message) -> list[Event]:
        """What was said before we came: it counts, since whoever said it won't say it again."""
        self._noticed = self._noticed or message.get("value") == NOTICE
        opted_out = _wish(message)
        if opted_out is not None:
            self._roster.choose(messages.line(message, "username"), opted_out=opted_out)
        return []

    def _usermessage(self, message: Message) -> list[Event]:
        # Anybody may send user messages; the server's own are marked.
        if message.get("privileged") is not True:
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

    def _of(self, client: str) -> list[str]:
        return [stream for stream, source in self._down.items() if source == client]

    def _refuse(self, stream: str) -> None:
        """Send a stream back; the server confirms that by closing it."""
        if len(self._aborted) < MAX_STREAMS:
            self._aborted.add(stream)
        self._send("abort", id=stream)

    def _forget(self, client: str) -> list[Event]:
        streams = self._of(client)
        for stream in streams:
            del self._down[stream]
        return [Closed(stream) for stream in streams]

    def _tell(self, message: str, value: object, *, kind: str = "", to: str = "") -> None:
        if self.state is State.JOINED and "message" in self.permissions:
            self._send(
                message,
                kind=kind or None,
                source=self._client,
                username=self.username,
                dest=to or None,
                noecho=True,
                value=value,
            )

    def _send(self, message: str, /, **fields: object) -> None:
        self._out.append(messages.write(message, **fields))


def _wish(message: Message) -> bool | None:
    value = message.get("value")
    plain = not message.get("kind") and isinstance(value, str) and len(value) < messages.MAX_TEXT
    return opted_out_by(value) if plain and isinstance(value, str) else None
