"""A session with a Janus server, and the VideoRoom in which it takes part: what to send, and what
it means that something came. No sockets, no clock, no asyncio.

The ear that nobody notices is a handle that never joins: ``listparticipants`` answers it all the
same, and subscribers are no participants. Only publishing the composite joins the room.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from sidecar.rooms.janus.events import Entered, Event, Failed, Over
from sidecar.rooms.janus.messages import Id, Message, parse
from sidecar.rooms.janus.publishing import Publishing
from sidecar.rooms.janus.requests import Requests
from sidecar.rooms.janus.subscription import Layer
from sidecar.rooms.janus.subscriptions import PATIENCE, Subscriptions

FORBIDDEN, NO_TOKEN_NEEDED = 403, 405
"""Of the server: token or API secret are wrong, or the token isn't for the plugin."""
NO_SUCH_SESSION, NO_SUCH_HANDLE, NO_SUCH_PLUGIN = 458, 459, 460
NO_SUCH_ROOM: Final = 426
MISSING, INVALID = 429, 430
"""Of the plugin: something is missing from a request (a PIN, say), or of the wrong type."""
UNAUTHORIZED: Final = 433
OLDEST: Final = 1000
"""Version 1.0, from which on a subscriber names streams."""
NOBODY: Final = 2**53 - 1
"""Whom we ask for to learn whether our PIN is right: it is looked at before the publisher."""


class JanusProtocol:
    """One session: messages in by ``receive``, requests out by ``take``, events told.

    ``open`` it first; then begin a ``round`` every half second or so, which also notices what
    changes, and what is never answered.
    """

    def __init__(self, room: str, *, pin: str = "", token: str = "", secret: str = "") -> None:
        self._requests = Requests(token, secret)
        self._subscriptions = Subscriptions(self._requests, pin)
        self._publishing = Publishing(self._requests, pin)
        self._pin = pin
        self._room: Id = int(room) if room.isdecimal() and room.isascii() else room
        self._retyped = False
        self._ear: int | None = None
        self._looking = 0
        self._look_again = False
        self._entered = self._done = False
        self.data_channels = False
        """Whether the server was built with data channels."""
        self.silence = 0
        """How many rounds were begun since anything came."""

    @property
    def session(self) -> int | None:
        """The session's number, once there is one."""
        return self._requests.session

    @property
    def over(self) -> bool:
        """Nothing more will come of it: ``Failed`` or ``Over`` was told."""
        return self._done

    def take(self) -> list[dict[str, object]]:
        """The requests to send now."""
        return self._requests.take()

    def open(self) -> None:
        """Begin over a new connection to the server: create the session, or claim the old one."""
        self._requests.forget()
        self._looking, self._look_again = 0, False
        self.silence = 0
        if self.session is None:
            self._requests.ask("info", self._informed)
            self._requests.ask("create", self._created)
        else:
            self._requests.ask("claim", self._claimed)

    def receive(self, text: str | bytes) -> list[Event]:
        """What follows from what the server says; whatever that is, nothing is raised."""
        events: list[Event] = []
        for message in parse(text):
            self.silence = 0
            if message.kind != "ack" and not self._done:
                events += self._tell(self._react(message))
        return events

    def round(self) -> list[Event]:
        """Look who is there, and give up what took too long."""
        self.silence += 1
        if not self._entered or self._done:
            return []
        events = self._tell(self._subscriptions.begin_round())
        self._looking = max(0, self._looking - 1)
        self._look()
        return events

    def keep_alive(self) -> None:
        """Tell the server that we are still there."""
        if self.session is not None:
            self._requests.ask("keepalive")

    def answer(self, feed: str, sdp: str) -> None:
        """Answer what was ``Offered``."""
        self._subscriptions.answer(feed, sdp)

    def give_up(self, feed: str, problem: str) -> list[Event]:
        """Say that the connection for a feed can't be made, or is lost; it is tried again."""
        return self._tell(self._subscriptions.give_up(feed, problem))

    def prefer(self, feed: str, layer: Layer) -> None:
        """Ask for a layer of a simulcast camera, or for nothing of a camera for now."""
        self._subscriptions.prefer(feed, layer)

    def publish(self, name: str, offer: str, mid: str) -> None:
        """Join as ``name`` and publish the line ``mid`` of ``offer``."""
        self._publishing.begin(self._room, name, offer, mid)

    def leave(self) -> None:
        """End the session, and with it all that belongs to it."""
        self._requests.forget()
        if self.session is not None and not self._done:
            self._requests.ask("destroy")
        self._done = True

    def _react(self, message: Message) -> Iterable[Event]:
        if message.code == NO_SUCH_SESSION or message.kind == "timeout":
            return (Failed(message.reason or "the server has ended the session"),)
        if message.code == FORBIDDEN:
            return (self._unauthorised(message.reason),)
        follows = self._requests.answered(message)
        events = list(self._happened(message) if follows is None else follows)
        if self._subscriptions.private_id != self._publishing.private_id:
            # Rooms that show cameras to publishers alone do so from now on.
            self._subscriptions.private_id = self._publishing.private_id
            self._subscriptions.retry()
        return events

    def _happened(self, message: Message) -> Iterable[Event]:
        """Something came that answers no question."""
        if message.about == "destroyed":
            return (Over(),)
        if message.sender is not None and message.sender == self._publishing.handle:
            if message.about:
                # Whatever it was, it may have changed who is there, or whose camera is on.
                self._subscriptions.retry()
                self._look()
            return self._publishing.happened(message)
        subscription = self._subscriptions.by_handle(message.sender)
        if subscription is not None:
            return self._subscriptions.happened(subscription, message)
        if message.sender == self._ear and message.kind == "detached" and self._ear is not None:
            return (Failed("the server has closed our ear"),)
        return ()

    def _tell(self, events: Iterable[Event]) -> list[Event]:
        told = []
        for event in events:
            told.append(event)
            if isinstance(event, Failed | Over):
                self._done = True
                break
        return told

    def _informed(self, message: Message) -> Iterable[Event]:
        self.data_channels = message.data_channels
        if message.version is not None and message.version < OLDEST:
            what = "the server is a Janus older than 1.0, which offers one camera in another way"
            return (Failed(what, do="update the server", final=True),)
        return ()

    def _created(self, message: Message) -> Iterable[Event]:
        if message.id is None:
            return (Failed(message.reason or "the server opens no session"),)
        self._requests.session = message.id
        self._requests.attach(self._listening)
        return ()

    def _claimed(self, message: Message) -> Iterable[Event]:
        if message.kind != "success":
            yield Failed(message.reason or "the server doesn't give the session back")
        elif self._entered:
            yield from self._subscriptions.reconnected()
            yield from self._publishing.reconnected()
        else:
            self._requests.attach(self._listening)

    def _listening(self, message: Message) -> Iterable[Event]:
        if message.code == NO_SUCH_PLUGIN:
            return (Failed("the server has no VideoRoom plugin", final=True),)
        if message.code == NO_TOKEN_NEEDED:
            return (self._unauthorised(message.reason),)
        if message.id is None:
            return (Failed(message.reason or "the server opens no handle"),)
        self._ear = message.id
        self._look()
        return ()

    def _look(self) -> None:
        """Ask who is there, at once or as soon as the last answer is here."""
        if self._ear is None or self._looking:
            self._look_again = self._looking > 0
            return
        self._looking, self._look_again = PATIENCE, False
        body = {"request": "listparticipants", "room": self._room}
        self._requests.message(self._ear, body, self._looked)

    def _looked(self, message: Message) -> Iterator[Event]:
        self._looking = 0
        if message.code == INVALID and not self._entered and not self._retyped:
            # Where rooms are text to the server, 1234 is "1234".
            self._retyped = True
            self._room = str(self._room)
            self._look()
        elif message.code == NO_SUCH_ROOM and self._entered:
            yield Over()
        elif message.about != "participants":
            what = message.reason or "the server doesn't say who is there"
            yield Failed(what, do="check the room's name" if message.code else "")
        elif not self._entered:
            self._requests.attach(self._knock)
        else:
            others = [person for person in message.people if person.publishes]
            ours = self._publishing.id
            yield from self._subscriptions.see([each for each in others if each.id != ours])
            if self._look_again:
                self._look()

    def _knock(self, message: Message) -> Iterable[Event]:
        """Learn whether the PIN is right from what a subscriber to nobody is refused for."""
        if message.id is None:
            return (Failed(message.reason or "the server opens no handle"),)
        handle = message.id
        nobody: Id = NOBODY if isinstance(self._room, int) else str(NOBODY)
        body: dict[str, object] = {"request": "join", "ptype": "subscriber", "room": self._room}
        body["streams"] = [{"feed": nobody}]
        if self._pin:
            body["pin"] = self._pin
        self._requests.message(handle, body, lambda reply: self._let_in(handle, reply))
        return ()

    def _let_in(self, handle: int, message: Message) -> Iterable[Event]:
        self._requests.detach(handle)
        if message.code == MISSING:
            return (Failed("the room wants a PIN", do="set JANUS_PIN", final=True),)
        if message.code == UNAUTHORIZED:
            return (Failed("the room's PIN is another", do="check JANUS_PIN", final=True),)
        self._entered = True
        self._subscriptions.room = self._room
        self._look()
        return (Entered(),)

    def _unauthorised(self, reason: str) -> Failed:
        """A token that was right once has expired: there may be another when we join anew."""
        return Failed(
            reason or "the server refuses us",
            do="set JANUS_TOKEN or JANUS_API_SECRET to what the server expects",
            final=not self._entered,
        )
