"""One session with a Janus server and the VideoRoom in it, without sockets, clock or asyncio.

The watcher is a handle that never joins: ``listparticipants`` is answered to it all the same, and
subscribers are no participants. Only publishing the composite joins the room.

Each camera has a handle, and so a connection, of its own: Janus reuses the media sections of
a connection that carries several cameras under new SSRCs, which aiortc can't follow.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, TypeAlias

from sidecar.aio import Backoff
from sidecar.media.ice import usable_candidate
from sidecar.media.sdp import DECODABLE
from sidecar.rooms.base import ConsentChanged
from sidecar.rooms.events import (
    Answered,
    CandidateReceived,
    Closed,
    Ended,
    Entered,
    Offered,
    ParticipantsChanged,
    PublishRefused,
    Refused,
    SharedEvent,
    Unpublished,
)
from sidecar.rooms.janus.messages import (
    COMPOSITE,
    PLUGIN,
    JanusErrorCode,
    JanusId,
    JanusLayer,
    JanusMessage,
    JanusParticipant,
    JanusStream,
    Jsep,
    VideoRoomRequests,
    janus_id,
    parse_messages,
    split_display,
)

STEP_TICKS: Final = 30
"""Ticks that any one request may take until it counts as lost."""
RETRY: Final = Backoff(first=2, factor=2, longest=60, jitter=0)
"""Ticks between two attempts at a camera."""
CAMERA_OFF: Final = "their camera is off"
CAMERA_OFF_RETRY: Final = Backoff(first=2, factor=2, longest=8, jitter=0)
"""Ticks between two attempts at a publisher without active video: it may be switched on."""
PUBLISHER: Final = "publisher"
"""The stream of the composite, in events."""
OLDEST: Final = 1000
"""Version 1.0, since which a subscriber names streams."""
NO_FEED: Final = 2**53 - 1
"""A feed that doesn't exist, for a join that tests the PIN: Janus checks the PIN first."""
NEEDS_PRIVATE_ID: Final = (
    "the room shows cameras to its publishers alone (require_pvtid): "
    "publish the composite in it, or set require_pvtid = false"
)


@dataclass(frozen=True, slots=True)
class SubstreamChanged:
    """From now on the server sends another substream of a simulcast camera."""

    stream: str
    substream: int


JanusEvent: TypeAlias = SharedEvent | SubstreamChanged
_Resolve: TypeAlias = Callable[[JanusMessage], None]


class _Stage(Enum):
    """The step that a subscription is at."""

    ATTACHING = auto()
    JOINING = auto()
    OFFERED = auto()
    STARTING = auto()
    RECEIVING = auto()
    RESTING = auto()
    IGNORED = auto()


@dataclass(frozen=True, slots=True)
class JanusPresence:
    """A participant who publishes."""

    name: str
    problem: str
    """Why their camera can't be received; empty where it is, or may be yet."""


@dataclass(slots=True, eq=False)
class _Subscription:
    """Our subscription to one publisher, over all its attempts."""

    person: JanusParticipant
    stage: _Stage = _Stage.RESTING
    due: int = 0
    """The tick at which this stage is over at the latest."""
    handle: int | None = None
    mid: str = ""
    wanted: JanusLayer = field(default_factory=JanusLayer)
    asked: JanusLayer | None = None
    """The layer that the server was last asked for."""
    failures: int = 0
    """In a row."""
    problem: str = ""


class JanusProtocol:
    """The protocol's state: messages in by ``receive``, requests and events out by two methods.

    Call ``connect`` for each new connection, then ``tick`` about twice a second: it looks for
    changes among the participants, and finds requests that were not answered.
    """

    def __init__(self, room: str, *, pin: str = "", token: str = "", secret: str = "") -> None:
        self._exchange = _Exchange(token, secret)
        self._requests = VideoRoomRequests(int(room) if _is_number(room) else room, pin)
        self._subscriptions = _Subscriptions(self._exchange)
        self._publisher = _Publisher(self._exchange)
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
        return self._subscriptions.presences()

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
        self._subscriptions.tick()
        self._listing = max(0, self._listing - 1)
        self._list()

    def keep_alive(self) -> None:
        """Keep the session from its timeout."""
        if self.session is not None:
            self._exchange.ask("keepalive")

    def answer(self, stream: str, sdp: str) -> None:
        """Answer the offer of ``stream``; ignored where that stream is over."""
        self._subscriptions.answer(stream, sdp)

    def give_up(self, stream: str, reason: str) -> None:
        """The connection of ``stream`` failed: close it, and try again later."""
        self._subscriptions.give_up(stream, reason)

    def prefer(self, participant: str, layer: JanusLayer) -> None:
        """Ask for a layer of a participant's camera, on this stream and those that follow."""
        self._subscriptions.prefer(participant, layer)

    def publish(self, name: str, offer: str, mid: str) -> None:
        """Join as ``name`` and publish the media section ``mid`` of ``offer``."""
        self._publisher.begin(self._requests, name, offer, mid)

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
        if not self._exchange.resolve(message):
            self._handle_event(message)
        if self._subscriptions.private_id != self._publisher.private_id:
            # From now on, rooms that show cameras to publishers alone show them to us.
            self._subscriptions.private_id = self._publisher.private_id
            self._subscriptions.retry()
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
                self._subscriptions.retry()
                self._list()
            if failure := self._publisher.handle_event(message):
                self._end(failure)
        elif message.sender == self._watcher and message.kind == "detached":
            self._end(_lost("the server closed our watcher's handle"))
        else:
            self._subscriptions.handle_event(message)

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
            self._subscriptions.resume()
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
        body = self._requests.list_participants()
        self._exchange.message(self._watcher, body, self._listed)

    def _listed(self, message: JanusMessage) -> None:
        self._listing = 0
        invalid = message.code == JanusErrorCode.INVALID_ELEMENT
        if invalid and not self._entered and not self._retyped:
            # With string_ids, the room 1234 is "1234".
            self._retyped = True
            self._requests = VideoRoomRequests(str(self._requests.room), self._requests.pin)
            self._list()
        elif message.code == JanusErrorCode.NO_SUCH_ROOM and self._entered:
            self._end(Ended())
        elif message.event != "participants":
            what = message.reason or "the server lists no participants"
            self._end(_lost(what, do="check the room's name" if message.code else ""))
        elif not self._entered:
            self._exchange.attach(self._test_pin)
        else:
            ours = self._publisher.id
            people = [who for who in message.participants if who.publishes and who.id != ours]
            self._subscriptions.update(people)
            if self._list_again:
                self._list()

    def _test_pin(self, message: JanusMessage) -> None:
        """Learn whether the PIN is right: subscribe to a feed that doesn't exist."""
        handle = message.id
        if handle is None:
            return self._end(_lost(message.reason or "the server attaches no handle"))
        by_number = isinstance(self._requests.room, int)
        body = self._requests.join_subscriber(NO_FEED if by_number else str(NO_FEED))
        return self._exchange.message(handle, body, lambda reply: self._admitted(handle, reply))

    def _admitted(self, handle: int, message: JanusMessage) -> None:
        self._exchange.detach(handle)
        if message.code == JanusErrorCode.MISSING_ELEMENT:
            return self._end(Refused("the room has a PIN", do="set JANUS_PIN"))
        if message.code == JanusErrorCode.UNAUTHORIZED_ROOM:
            return self._end(Refused("wrong room PIN", do="check JANUS_PIN"))
        self._entered = True
        self._subscriptions.requests = self._requests
        self._exchange.emit(Entered())
        return self._list()

    def _unauthorized(self, reason: str) -> None:
        """A token that was right before has expired: the next room may have another."""
        do = "set JANUS_TOKEN or JANUS_API_SECRET to what the server expects"
        self._end(Refused(reason or "unauthorized", do=do, final=not self._entered))


class _Exchange:
    """Requests on their way out with what handles their answers, and events for the shell."""

    def __init__(self, token: str, secret: str) -> None:
        signature = {"token": token, "apisecret": secret}
        self._signature = {key: value for key, value in signature.items() if value}
        self._pending: dict[str, _Resolve] = {}
        self._requests: list[dict[str, object]] = []
        self._events: list[JanusEvent] = []
        self._count = 0
        self.session: int | None = None
        self.over = False
        """From now on, requests and events are dropped."""

    def take_requests(self) -> list[dict[str, object]]:
        requests, self._requests = self._requests, []
        return requests

    def take_events(self) -> list[JanusEvent]:
        events, self._events = self._events, []
        return events

    def emit(self, event: JanusEvent) -> None:
        if not self.over:
            self._events.append(event)

    def candidate(self, stream: str, message: JanusMessage) -> None:
        """Emit the server's candidate, if it is a usable one."""
        if (candidate := usable_candidate(message.candidate)) is not None:
            self.emit(CandidateReceived(stream, candidate))

    def ask(self, kind: str, resolve: _Resolve | None = None, **fields: object) -> None:
        """Make a request; ``resolve`` gets its answer, if there is one."""
        if self.over:
            return
        self._count += 1
        transaction = f"sidecar-{self._count}"
        request: dict[str, object] = {"janus": kind, "transaction": transaction, **fields}
        if self.session is not None and kind != "info":
            request["session_id"] = self.session
        if resolve is not None:
            self._pending[transaction] = resolve
        self._requests.append(request | self._signature)

    def attach(self, resolve: _Resolve) -> None:
        """Ask for a new handle of the VideoRoom plugin."""
        self.ask("attach", resolve, plugin=PLUGIN)

    def message(
        self,
        handle: int,
        body: Mapping[str, object],
        resolve: _Resolve | None = None,
        jsep: Jsep | None = None,
    ) -> None:
        """Make a request of the plugin."""
        fields: dict[str, object] = {"handle_id": handle, "body": body}
        if jsep is not None:
            fields["jsep"] = {"type": jsep.kind, "sdp": jsep.sdp, "trickle": False}
        self.ask("message", resolve, **fields)

    def detach(self, handle: int | None) -> None:
        """Free a handle, if there is one."""
        if handle is not None:
            self.ask("detach", handle_id=handle)

    def resolve(self, message: JanusMessage) -> bool:
        """Handle ``message`` as the answer to a request; False if it is none."""
        resolve = self._pending.pop(message.transaction, None)
        if resolve is not None:
            resolve(message)
        return resolve is not None

    def forget(self) -> None:
        """Drop the requests: those not sent, and those that will not be answered."""
        self._pending.clear()
        self._requests.clear()


class _Subscriptions:
    """The publishers of the room, each subscribed to at its own pace."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange
        self._people: dict[str, _Subscription] = {}
        self._tick = 0
        self.requests = VideoRoomRequests("")
        self.private_id: int | None = None

    def presences(self) -> Mapping[str, JanusPresence]:
        found = {}
        for participant, subscription in self._people.items():
            name, _ = split_display(subscription.person.display)
            found[participant] = JanusPresence(name, subscription.problem)
        return found

    def tick(self) -> None:
        self._tick += 1
        for subscription in self._people.values():
            if subscription.stage in (_Stage.RECEIVING, _Stage.IGNORED):
                continue
            if self._tick < subscription.due:
                continue
            if subscription.stage is _Stage.RESTING:
                self._attach(subscription)
            else:
                self._fail(subscription, "the server does not answer")

    def update(self, people: Sequence[JanusParticipant]) -> None:
        """Take the list of those who publish now."""
        present = {str(person.id): person for person in people}
        left = tuple(who for who in self._people if who not in present)
        joined = tuple(who for who in present if who not in self._people)
        for participant in left:
            self._drop(self._people.pop(participant))
        named = [who for who, person in present.items() if self._name(who, person)]
        if left or named:
            self._exchange.emit(ParticipantsChanged(joined, left))
        for participant in named:
            _, consent = split_display(present[participant].display)
            if consent is not None:
                self._exchange.emit(ConsentChanged(participant, consent))

    def handle_event(self, message: JanusMessage) -> None:
        """Take a message of a handle that may be one of ours."""
        subscription = self._find(str(message.sender))
        if subscription is None:
            return
        stream, substream = str(message.sender), message.plugin.get("substream")
        match message.kind, message.event:
            case (("hangup" | "detached"), _):
                self._fail(subscription, message.reason or "the server hung up")
            case "trickle", _:
                self._exchange.candidate(stream, message)
            case _, "updated" if not any(_cameras(message.streams, subscription.mid)):
                self._fail(subscription, CAMERA_OFF)
            case "event", "event" if isinstance(substream, int):
                self._exchange.emit(SubstreamChanged(stream, substream))

    def answer(self, stream: str, sdp: str) -> None:
        subscription = self._find(stream)
        if subscription is not None and subscription.stage is _Stage.OFFERED:
            self._advance(subscription, _Stage.STARTING)
            resolve = self._when(subscription, _Stage.STARTING, self._started)
            self._message(subscription, self.requests.start(), resolve, Jsep("answer", sdp))

    def give_up(self, stream: str, reason: str) -> None:
        if (subscription := self._find(stream)) is not None:
            self._fail(subscription, reason)

    def prefer(self, participant: str, layer: JanusLayer) -> None:
        if (subscription := self._people.get(participant)) is not None:
            subscription.wanted = layer
            self._configure(subscription)

    def retry(self) -> None:
        """Something has changed: the next tick tries all that rest."""
        for subscription in self._people.values():
            if subscription.stage is _Stage.RESTING:
                subscription.due = self._tick

    def resume(self) -> None:
        """The session has a new connection: repeat what was asked for over the old one."""
        for subscription in self._people.values():
            if subscription.stage is _Stage.ATTACHING:
                self._attach(subscription)
            elif subscription.stage in (_Stage.JOINING, _Stage.STARTING):
                self._fail(subscription, "the connection to the server was lost")
            subscription.asked = None
            self._configure(subscription)

    def _find(self, stream: str) -> _Subscription | None:
        people = self._people.values()
        return next((each for each in people if str(each.handle or "") == stream), None)

    def _name(self, participant: str, person: JanusParticipant) -> bool:
        """Take what the list says of a participant; False where it is nothing new."""
        known = self._people.get(participant)
        if known is None:
            known = self._people[participant] = _Subscription(person)
            self._attach(known)
        elif known.person.display == person.display:
            return False
        known.person = person
        return True

    def _drop(self, subscription: _Subscription) -> None:
        self._exchange.detach(subscription.handle)
        subscription.handle, subscription.stage = None, _Stage.IGNORED

    def _fail(self, subscription: _Subscription, reason: str) -> None:
        """Back to the beginning, after a rest that grows with the failures in a row."""
        handle, stage = subscription.handle, subscription.stage
        self._exchange.detach(handle)
        subscription.handle = subscription.asked = None
        failures = 0 if stage is _Stage.RECEIVING else subscription.failures
        retry = CAMERA_OFF_RETRY if reason == CAMERA_OFF else RETRY
        subscription.failures = failures + 1
        self._advance(subscription, _Stage.RESTING, int(retry.delay(failures)))
        if stage in (_Stage.OFFERED, _Stage.STARTING, _Stage.RECEIVING):
            self._exchange.emit(Closed(str(handle), reason, lost=reason != CAMERA_OFF))

    def _report(self, subscription: _Subscription, problem: str) -> None:
        if subscription.problem != problem:
            subscription.problem = problem
            self._exchange.emit(ParticipantsChanged())

    def _advance(self, subscription: _Subscription, stage: _Stage, ticks: int = STEP_TICKS) -> None:
        subscription.stage = stage
        subscription.due = self._tick + ticks

    def _when(
        self,
        subscription: _Subscription,
        stage: _Stage,
        resolve: Callable[[_Subscription, JanusMessage], None],
    ) -> _Resolve:
        """Call ``resolve`` with an answer, unless the subscription has left ``stage`` by then."""
        handle = subscription.handle

        def guarded(message: JanusMessage) -> None:
            if subscription.stage is stage and subscription.handle == handle:
                resolve(subscription, message)

        return guarded

    def _attach(self, subscription: _Subscription) -> None:
        self._advance(subscription, _Stage.ATTACHING)
        self._exchange.attach(lambda message: self._attached(subscription, message))

    def _attached(self, subscription: _Subscription, message: JanusMessage) -> None:
        if subscription.stage is not _Stage.ATTACHING or message.id is None:
            # The handle comes too late; an error leaves the step to its time limit.
            self._exchange.detach(message.id)
            return
        subscription.handle = message.id
        self._advance(subscription, _Stage.JOINING)
        body = self.requests.join_subscriber(subscription.person.id, self.private_id)
        self._message(subscription, body, self._when(subscription, _Stage.JOINING, self._joined))

    def _joined(self, subscription: _Subscription, message: JanusMessage) -> None:
        offer = message.jsep
        if message.code is not None or offer is None or offer.kind != "offer":
            return self._not_joined(subscription, message)
        if any(stream.description == COMPOSITE for stream in message.streams):
            return self._ignore(subscription)
        camera = next(_cameras(message.streams), None)
        if camera is None:
            return self._fail(subscription, CAMERA_OFF)
        if camera.codec and camera.codec.upper() not in DECODABLE:
            self._ignore(subscription)
            return self._report(subscription, _undecodable(camera.codec))
        subscription.mid, subscription.asked = camera.mid, JanusLayer()
        self._report(subscription, "")
        self._advance(subscription, _Stage.OFFERED)
        participant, name = str(subscription.person.id), subscription.person.display
        stream = str(subscription.handle)
        event = Offered(stream, offer.sdp, participant, split_display(name)[0], camera.mid)
        return self._exchange.emit(event)

    def _not_joined(self, subscription: _Subscription, message: JanusMessage) -> None:
        self._fail(subscription, message.reason)
        unauthorized = message.code == JanusErrorCode.UNAUTHORIZED_ROOM
        if unauthorized and "private_id" in message.reason:
            self._report(subscription, NEEDS_PRIVATE_ID)
        elif message.code != JanusErrorCode.NO_SUCH_FEED:
            self._report(subscription, message.reason or "malformed offer")

    def _ignore(self, subscription: _Subscription) -> None:
        self._exchange.detach(subscription.handle)
        subscription.handle = None
        self._advance(subscription, _Stage.IGNORED)

    def _started(self, subscription: _Subscription, message: JanusMessage) -> None:
        if message.code is not None:
            self._fail(subscription, message.reason)
            self._report(subscription, message.reason)
            return
        self._advance(subscription, _Stage.RECEIVING)
        self._configure(subscription)

    def _configure(self, subscription: _Subscription) -> None:
        layer = subscription.wanted
        if subscription.stage is _Stage.RECEIVING and subscription.asked != layer:
            subscription.asked = layer
            self._message(subscription, self.requests.configure(subscription.mid, layer))

    def _message(
        self,
        subscription: _Subscription,
        body: Mapping[str, object],
        resolve: _Resolve | None = None,
        jsep: Jsep | None = None,
    ) -> None:
        assert subscription.handle is not None
        self._exchange.message(subscription.handle, body, resolve, jsep)


class _Publisher:
    """Joins the room as a participant, and publishes the composite."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange
        self._requests = VideoRoomRequests("")
        self._offer: Jsep | None = None
        self._name = self._mid = ""
        self._live = False
        self.handle: int | None = None
        self.id: JanusId | None = None
        """Our id as a participant."""
        self.private_id: int | None = None

    def begin(self, requests: VideoRoomRequests, name: str, offer: str, mid: str) -> None:
        self._requests, self._name, self._mid = requests, name, mid
        self._offer = Jsep("offer", offer)
        self._exchange.attach(self._attached)

    def handle_event(self, message: JanusMessage) -> Refused | None:
        """Take a message of the publisher's handle; returns what ends the whole session."""
        match message.kind, message.event:
            case (("hangup" | "detached"), _) if self._live:
                self._live = False
                reason = message.reason or "the server hung up"
                self._exchange.emit(Unpublished(PUBLISHER, reason))
            case "trickle", _:
                self._exchange.candidate(PUBLISHER, message)
            case _, "event" if message.plugin.get("leaving") == "ok":
                self._live = False
                return Refused(f"the sidecar was {message.reason or 'removed'}")
        return None

    def resume(self) -> None:
        """The session has a new connection: what was not answered over the old one is lost."""
        if self._offer is not None and not self._live:
            self._refuse("the connection to the server was lost")

    def _attached(self, message: JanusMessage) -> None:
        if message.id is None:
            return self._refuse(message.reason)
        self.handle = message.id
        body = self._requests.join_publisher(self._name)
        return self._exchange.message(self.handle, body, self._joined)

    def _joined(self, message: JanusMessage) -> None:
        self.id = janus_id(message.plugin.get("id"))
        if message.event != "joined" or self.id is None or self.handle is None:
            return self._refuse(message.reason)
        private_id = message.plugin.get("private_id")
        self.private_id = private_id if isinstance(private_id, int) else None
        body = self._requests.publish(self._mid)
        return self._exchange.message(self.handle, body, self._published, self._offer)

    def _published(self, message: JanusMessage) -> None:
        answer = message.jsep
        if message.code == JanusErrorCode.PUBLISHERS_FULL:
            return self._refuse(
                message.reason or "the room takes no more publishers",
                do="raise publishers in the room's configuration, or publish nothing into the room",
            )
        if message.code is not None or answer is None or answer.kind != "answer":
            return self._refuse(message.reason)
        if not any(stream.codec.lower() == "vp8" for stream in message.streams):
            return self._refuse(
                "the room takes no VP8, the codec of the composite",
                do='set videocodec = "vp8" or "vp8,h264" for the room',
                final=True,
            )
        self._live = True
        return self._exchange.emit(Answered(PUBLISHER, answer.sdp))

    def _refuse(self, what: str, do: str = "", *, final: bool = False) -> None:
        self._offer = None
        self._exchange.detach(self.handle)
        self.handle = self.id = None
        self._exchange.emit(PublishRefused(what or "malformed answer", do, final))


def _lost(what: str, do: str = "") -> Refused:
    """The session is lost; the next one may fare better."""
    return Refused(what, do, final=False)


def _is_number(room: str) -> bool:
    return room.isdecimal() and room.isascii()


def _cameras(streams: Sequence[JanusStream], mid: str = "") -> Iterator[JanusStream]:
    for stream in streams:
        if stream.kind == "video" and stream.active and mid in ("", stream.mid):
            yield stream


def _undecodable(codec: str) -> str:
    return (
        f"their camera is sent as {codec.upper()}, which can't be decoded here: "
        'set videocodec = "vp8" or "h264" for the room'
    )
