"""One session with a Janus server and the VideoRoom in it, without sockets, clock or asyncio.

The watcher is a handle that never joins: ``listparticipants`` is answered to it all the same, and
subscribers are no participants. Only publishing the composite joins the room.

Each camera has a handle, and so a connection, of its own: Janus reuses the media sections of
a connection that carries several cameras under new SSRCs, which aiortc can't follow.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, TypeAlias

from sidecar.aio import Backoff
from sidecar.media.ice import usable_candidate
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


class JanusProtocol:
    """The protocol's state: messages in by ``receive``, requests and events out by two methods.

    Call ``connect`` for each new connection, then ``tick`` about twice a second: it looks for
    changes among the participants, and finds requests that were not answered.
    """

    def __init__(self, room: str, *, pin: str = "", token: str = "", secret: str = "") -> None:
        requests = VideoRoomRequests(int(room) if _is_number(room) else room, pin)
        self._exchange = _Exchange(requests, token, secret)
        self._subscriptions: dict[str, _Subscription] = {}
        """By participant."""
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

    def _find(self, stream: str) -> "_Subscription | None":
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
            self._subscriptions[participant] = _Subscription(self._exchange)
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


class _Exchange:
    """What the parts of a session share: requests and what handles their answers, and events."""

    def __init__(self, bodies: VideoRoomRequests, token: str, secret: str) -> None:
        signature = {"token": token, "apisecret": secret}
        self._signature = {key: value for key, value in signature.items() if value}
        self._pending: dict[str, _Resolve] = {}
        self._requests: list[dict[str, object]] = []
        self._events: list[JanusEvent] = []
        self._count = 0
        self.bodies = bodies
        self.session: int | None = None
        self.ticks = 0
        """How many ticks there were."""
        self.private_id: int | None = None
        """Of our publisher: rooms with ``require_pvtid`` show cameras to its owner alone."""
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


class _Subscription:
    """Our subscription to one publisher, over all its attempts."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange
        self._person = JanusParticipant("", "", publishes=True)
        self._stage = _Stage.RESTING
        self._due = 0
        """The tick at which this stage is over at the latest."""
        self._handle: int | None = None
        self._mid = ""
        self._wanted = JanusLayer()
        self._asked: JanusLayer | None = None
        """The layer that the server was last asked for."""
        self._failures = 0
        """In a row."""
        self._problem = ""

    @property
    def stream(self) -> str:
        """The server's id of the present attempt; empty where there is none."""
        return "" if self._handle is None else str(self._handle)

    @property
    def presence(self) -> JanusPresence:
        return JanusPresence(split_display(self._person.display)[0], self._problem)

    def name(self, person: JanusParticipant) -> bool:
        """Take a row of the list; False where it says nothing new."""
        known, self._person = self._person, person
        if known.id != person.id:
            self._attach()
        return (known.id, known.display) != (person.id, person.display)

    def tick(self) -> None:
        if self._stage in (_Stage.RECEIVING, _Stage.IGNORED):
            return
        if self._exchange.ticks < self._due:
            return
        if self._stage is _Stage.RESTING:
            self._attach()
        else:
            self.fail("the server does not answer")

    def handle_event(self, message: JanusMessage) -> None:
        """Take a message of our handle that answers no request."""
        substream = message.plugin.get("substream")
        match message.kind, message.event:
            case (("hangup" | "detached"), _):
                self.fail(message.reason or "the server hung up")
            case "trickle", _:
                self._exchange.candidate(self.stream, message)
            case _, "updated" if not message.cameras(self._mid):
                self.fail(CAMERA_OFF)
            case "event", "event" if isinstance(substream, int):
                self._exchange.emit(SubstreamChanged(self.stream, substream))

    def answer(self, sdp: str) -> None:
        if self._stage is _Stage.OFFERED:
            self._advance(_Stage.STARTING)
            self._request(self._exchange.bodies.start(), self._started, Jsep("answer", sdp))

    def prefer(self, layer: JanusLayer) -> None:
        self._wanted = layer
        self._configure()

    def retry(self) -> None:
        if self._stage is _Stage.RESTING:
            self._due = self._exchange.ticks

    def resume(self) -> None:
        """The session has a new connection: repeat what was asked for over the old one."""
        if self._stage is _Stage.ATTACHING:
            self._attach()
        elif self._stage in (_Stage.JOINING, _Stage.STARTING):
            self.fail("the connection to the server was lost")
        self._asked = None
        self._configure()

    def drop(self) -> None:
        """The participant publishes no longer, or can't be received: free the handle."""
        self._exchange.detach(self._handle)
        self._handle = None
        self._advance(_Stage.IGNORED)

    def fail(self, reason: str) -> None:
        """Back to the beginning, after a rest that grows with the failures in a row."""
        stream, stage = self.stream, self._stage
        self._exchange.detach(self._handle)
        self._handle = self._asked = None
        failures = 0 if stage is _Stage.RECEIVING else self._failures
        retry = CAMERA_OFF_RETRY if reason == CAMERA_OFF else RETRY
        self._failures = failures + 1
        self._advance(_Stage.RESTING, int(retry.delay(failures)))
        if stage in (_Stage.OFFERED, _Stage.STARTING, _Stage.RECEIVING):
            self._exchange.emit(Closed(stream, reason, lost=reason != CAMERA_OFF))

    def _report(self, problem: str) -> None:
        if self._problem != problem:
            self._problem = problem
            self._exchange.emit(ParticipantsChanged())

    def _advance(self, stage: _Stage, ticks: int = STEP_TICKS) -> None:
        self._stage = stage
        self._due = self._exchange.ticks + ticks

    def _attach(self) -> None:
        self._advance(_Stage.ATTACHING)
        self._exchange.attach(self._attached)

    def _attached(self, message: JanusMessage) -> None:
        if self._stage is not _Stage.ATTACHING or message.id is None:
            # The handle comes too late; an error leaves the step to its time limit.
            self._exchange.detach(message.id)
            return
        self._handle = message.id
        self._advance(_Stage.JOINING)
        exchange = self._exchange
        body = exchange.bodies.join_subscriber(self._person.id, exchange.private_id)
        self._request(body, self._joined)

    def _joined(self, message: JanusMessage) -> None:
        offer = message.jsep
        if message.code is not None or offer is None or offer.kind != "offer":
            return self._not_joined(message)
        if any(stream.description == COMPOSITE for stream in message.streams):
            return self.drop()
        camera = next(iter(message.cameras()), None)
        if camera is None:
            return self.fail(CAMERA_OFF)
        if camera.problem:
            self.drop()
            return self._report(camera.problem)
        self._mid, self._asked = camera.mid, JanusLayer()
        self._report("")
        self._advance(_Stage.OFFERED)
        participant, name = self._person.key, self.presence.name
        return self._exchange.emit(Offered(self.stream, offer.sdp, participant, name, camera.mid))

    def _not_joined(self, message: JanusMessage) -> None:
        self.fail(message.reason)
        unauthorized = message.code == JanusErrorCode.UNAUTHORIZED_ROOM
        if unauthorized and "private_id" in message.reason:
            self._report(NEEDS_PRIVATE_ID)
        elif message.code != JanusErrorCode.NO_SUCH_FEED:
            self._report(message.reason or "malformed offer")

    def _started(self, message: JanusMessage) -> None:
        if message.code is not None:
            self.fail(message.reason)
            self._report(message.reason)
            return
        self._advance(_Stage.RECEIVING)
        self._configure()

    def _configure(self) -> None:
        if self._stage is _Stage.RECEIVING and self._asked != self._wanted:
            self._asked = self._wanted
            self._request(self._exchange.bodies.configure(self._mid, self._wanted))

    def _request(
        self, body: dict[str, object], resolve: _Resolve | None = None, jsep: Jsep | None = None
    ) -> None:
        """Make a request over our handle; an answer that comes in a later stage is dropped."""
        assert self._handle is not None
        handle, stage = self._handle, self._stage

        def guarded(message: JanusMessage) -> None:
            if resolve is not None and (self._handle, self._stage) == (handle, stage):
                resolve(message)

        self._exchange.message(handle, body, guarded if resolve else None, jsep)


class _Publisher:
    """Joins the room as a participant, and publishes the composite."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange
        self._offer: Jsep | None = None
        self._name = self._mid = ""
        self._live = False
        self.handle: int | None = None
        self.id: JanusId | None = None
        """Our id as a participant."""

    def begin(self, name: str, offer: str, mid: str) -> None:
        self._name, self._mid = name, mid
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
        body = self._exchange.bodies.join_publisher(self._name)
        return self._exchange.message(self.handle, body, self._joined)

    def _joined(self, message: JanusMessage) -> None:
        self.id = janus_id(message.plugin.get("id"))
        if message.event != "joined" or self.id is None or self.handle is None:
            return self._refuse(message.reason)
        private_id = message.plugin.get("private_id")
        if isinstance(private_id, int):
            self._exchange.private_id = private_id
        body = self._exchange.bodies.publish(self._mid)
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
