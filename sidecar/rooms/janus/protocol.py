"""One session with a Janus server and the VideoRoom in it, without sockets, clock or asyncio.

The watcher is a handle that never joins: ``listparticipants`` is answered to it all the same, and
subscribers are no participants. Only publishing the composite joins the room.

Each camera has a handle, and so a connection, of its own: Janus reuses the media sections of
a connection that carries several cameras under new SSRCs, which aiortc can't follow.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sidecar.rooms.base import ConsentChanged
from sidecar.rooms.events import Ended, Entered, ParticipantsChanged, Refused
from sidecar.rooms.janus.exchange import JanusEvent, JanusExchange
from sidecar.rooms.janus.messages import (
    JanusErrorCode,
    JanusLayer,
    JanusMessage,
    JanusParticipant,
    VideoRoomRequests,
    parse_messages,
    split_display,
)
from sidecar.rooms.janus.publication import JanusPublication
from sidecar.rooms.janus.subscription import STEP_TICKS, JanusPresence, JanusSubscription

OLDEST: Final = 1000
"""Version 1.0, since which a subscriber names streams."""
NO_FEED: Final = 2**53 - 1
"""A feed that doesn't exist, for a join that tests the PIN: Janus checks the PIN first."""


class JanusProtocol:
    """The protocol's state: messages in by ``receive``, requests and events out by two methods.

    Call ``connect`` for each new connection, then ``tick`` about twice a second: it looks for
    changes among the participants, and finds requests that were not answered.
    """

    def __init__(self, room: str, *, pin: str = "", token: str = "", secret: str = "") -> None:
        requests = VideoRoomRequests(int(room) if _is_number(room) else room, pin)
        self._exchange = JanusExchange(requests, token, secret)
        self._subscriptions: dict[str, JanusSubscription] = {}
        """By participant."""
        self._publisher = JanusPublication(self._exchange)
        self._watcher: int | None = None
        """The handle that lists participants."""
        self._listing = 0
        """Ticks that the list of participants may still take; 0 where none is asked for."""
        self._list_again = False
        self._retyped = self._entered = False
        self.data_channels = False
        """Whether the server has data channels."""
        self.silence = 0
        """Ticks since the last message."""

    @property
    def session(self) -> int | None:
        """The id of the session, once there is one."""
        return self._exchange.session

    @property
    def over(self) -> bool:
        """Whether the session has ended, or we have left: no more requests or events follow."""
        return self._exchange.over

    @property
    def participants(self) -> Mapping[str, JanusPresence]:
        """The participants who publish, without us."""
        return {who: each.presence for who, each in self._subscriptions.items()}

    def requests_to_send(self) -> list[dict[str, object]]:
        """The requests that are to be sent now, in order; each is returned once."""
        return self._exchange.take_requests()

    def events_received(self) -> list[JanusEvent]:
        """What has happened since the last call."""
        return self._exchange.take_events()

    def connect(self) -> None:
        """Begin on a new connection: create a session, or claim the one there was."""
        self._exchange.forget()
        self._listing, self._list_again = 0, False
        self.silence = 0
        if self.session is None:
            self._exchange.ask("info", self._informed)
            self._exchange.ask("create", self._created)
        else:
            self._exchange.ask("claim", self._claimed)

    def receive(self, text: str | bytes) -> None:
        """Take a text from the server. Never raises."""
        for message in parse_messages(text):
            self.silence = 0
            if message.kind != "ack" and not self.over:
                self._handle(message)

    def tick(self) -> None:
        """Ask for the participants, try again what is due, and give up what took too long."""
        self.silence += 1
        if not self._entered or self.over:
            return
        self._exchange.ticks += 1
        for subscription in self._subscriptions.values():
            subscription.tick()
        self._listing = max(0, self._listing - 1)
        self._list()

    def keep_alive(self) -> None:
        """Keep the session from its timeout."""
        if self.session is not None:
            self._exchange.ask("keepalive")

    def answer(self, stream: str, sdp: str) -> None:
        """Answer the offer of ``stream``; ignored where that stream is over."""
        if (subscription := self._find(stream)) is not None:
            subscription.answer(sdp)

    def give_up(self, stream: str, reason: str) -> None:
        """The connection of ``stream`` failed: close it, and try again later."""
        if (subscription := self._find(stream)) is not None:
            subscription.fail(reason)

    def prefer(self, participant: str, layer: JanusLayer) -> None:
        """Ask for a layer of a participant's camera, on this stream and those that follow."""
        if (subscription := self._subscriptions.get(participant)) is not None:
            subscription.prefer(layer)

    def publish(self, name: str, offer: str, mid: str) -> None:
        """Join as ``name`` and publish the media section ``mid`` of ``offer``."""
        self._publisher.begin(name, offer, mid)

    def leave(self) -> None:
        """End the session, and with it its handles and connections."""
        if self.over:
            return
        self._exchange.forget()
        if self.session is not None:
            self._exchange.ask("destroy")
        self._exchange.over = True

    def _handle(self, message: JanusMessage) -> None:
        if message.code == JanusErrorCode.NO_SUCH_SESSION or message.kind == "timeout":
            return self._end(_lost(message.reason or "the server ended the session"))
        if message.code == JanusErrorCode.UNAUTHORIZED:
            return self._unauthorized(message.reason)
        private_id = self._exchange.private_id
        if not self._exchange.resolve(message):
            self._handle_event(message)
        if self._exchange.private_id != private_id:
            self._retry()
        return None

    def _handle_event(self, message: JanusMessage) -> None:
        """Take a message that answers no request."""
        if message.event == "destroyed":
            self._end(Ended())
        elif message.sender is None:
            return
        elif message.sender == self._publisher.handle:
            if message.event:
                # The list of participants, or who has a camera on, may have changed.
                self._retry()
                self._list()
            if failure := self._publisher.handle_event(message):
                self._end(failure)
        elif message.sender == self._watcher and message.kind == "detached":
            self._end(_lost("the server closed our watcher's handle"))
        elif (subscription := self._find(str(message.sender))) is not None:
            subscription.handle_event(message)

    def _retry(self) -> None:
        """Something has changed: the next tick tries all cameras that rest."""
        for subscription in self._subscriptions.values():
            subscription.retry()

    def _find(self, stream: str) -> "JanusSubscription | None":
        subscriptions = self._subscriptions.values()
        return next((each for each in subscriptions if stream and each.stream == stream), None)

    def _end(self, event: Refused | Ended) -> None:
        self._exchange.emit(event)
        self._exchange.over = True

    def _informed(self, message: JanusMessage) -> None:
        self.data_channels = message.data_channels
        if message.version is not None and message.version < OLDEST:
            what = "Janus older than 1.0: its VideoRoom has no multistream subscribers"
            self._end(Refused(what, do="update the server"))

    def _created(self, message: JanusMessage) -> None:
        if message.id is None:
            return self._end(_lost(message.reason or "the server creates no session"))
        self._exchange.session = message.id
        return self._exchange.attach(self._watching)

    def _claimed(self, message: JanusMessage) -> None:
        if message.kind != "success":
            self._end(_lost(message.reason or "the server does not return the session"))
        elif self._entered:
            for subscription in self._subscriptions.values():
                subscription.resume()
            self._publisher.resume()
        else:
            self._exchange.attach(self._watching)

    def _watching(self, message: JanusMessage) -> None:
        if message.code == JanusErrorCode.NO_SUCH_PLUGIN:
            self._end(Refused("the server has no VideoRoom plugin"))
        elif message.code == JanusErrorCode.UNAUTHORIZED_PLUGIN:
            self._unauthorized(message.reason)
        elif message.id is None:
            self._end(_lost(message.reason or "the server attaches no handle"))
        else:
            self._watcher = message.id
            self._list()

    def _list(self) -> None:
        """Ask for the participants, now or as soon as the last such request is answered."""
        if self._watcher is None or self._listing:
            self._list_again = self._listing > 0
            return
        self._listing, self._list_again = STEP_TICKS, False
        body = self._exchange.bodies.list_participants()
        self._exchange.message(self._watcher, body, self._listed)

    def _listed(self, message: JanusMessage) -> None:
        self._listing = 0
        invalid = message.code == JanusErrorCode.INVALID_ELEMENT
        if invalid and not self._entered and not self._retyped:
            # With string_ids, the room 1234 is "1234".
            self._retyped = True
            bodies = self._exchange.bodies
            self._exchange.bodies = VideoRoomRequests(str(bodies.room), bodies.pin)
            self._list()
        elif message.code == JanusErrorCode.NO_SUCH_ROOM and self._entered:
            self._end(Ended())
        elif message.event != "participants":
            what = message.reason or "the server lists no participants"
            self._end(_lost(what, do="check the room's name" if message.code else ""))
        elif not self._entered:
            self._exchange.attach(self._test_pin)
        else:
            self._update(message.participants)
            if self._list_again:
                self._list()

    def _update(self, rows: Sequence[JanusParticipant]) -> None:
        """Subscribe to the participants who publish now only."""
        ours = self._publisher.id
        present = {row.key: row for row in rows if row.publishes and row.id != ours}
        left = tuple(who for who in self._subscriptions if who not in present)
        joined = tuple(who for who in present if who not in self._subscriptions)
        for participant in left:
            self._subscriptions.pop(participant).drop()
        for participant in joined:
            self._subscriptions[participant] = JanusSubscription(self._exchange)
        named = [who for who, row in present.items() if self._subscriptions[who].name(row)]
        if left or named:
            self._exchange.emit(ParticipantsChanged(joined, left))
        for participant in named:
            _, consent = split_display(present[participant].display)
            if consent is not None:
                self._exchange.emit(ConsentChanged(participant, consent))

    def _test_pin(self, message: JanusMessage) -> None:
        """Learn whether the PIN is right: subscribe to a feed that doesn't exist."""
        handle = message.id
        if handle is None:
            return self._end(_lost(message.reason or "the server attaches no handle"))
        by_number = isinstance(self._exchange.bodies.room, int)
        body = self._exchange.bodies.join_subscriber(NO_FEED if by_number else str(NO_FEED))
        return self._exchange.message(handle, body, lambda reply: self._admitted(handle, reply))

    def _admitted(self, handle: int, message: JanusMessage) -> None:
        self._exchange.detach(handle)
        if message.code == JanusErrorCode.MISSING_ELEMENT:
            return self._end(Refused("the room has a PIN", do="set JANUS_PIN"))
        if message.code == JanusErrorCode.UNAUTHORIZED_ROOM:
            return self._end(Refused("wrong room PIN", do="check JANUS_PIN"))
        self._entered = True
        self._exchange.emit(Entered())
        return self._list()

    def _unauthorized(self, reason: str) -> None:
        """A token that was right before has expired: the next room may have another."""
        do = "set JANUS_TOKEN or JANUS_API_SECRET to what the server expects"
        self._end(Refused(reason or "unauthorized", do=do, final=not self._entered))


def _lost(what: str, do: str = "") -> Refused:
    """The session is lost; the next one may fare better."""
    return Refused(what, do, final=False)


def _is_number(room: str) -> bool:
    return room.isdecimal() and room.isascii()
