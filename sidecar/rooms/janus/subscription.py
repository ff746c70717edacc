"""One subscription to a publisher of the VideoRoom, over all its attempts. Pure."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from sidecar.aio import Backoff
from sidecar.rooms.events import Closed, Offered, ParticipantsChanged
from sidecar.rooms.janus.exchange import JanusExchange, Resolve, SubstreamChanged
from sidecar.rooms.janus.messages import (
    COMPOSITE,
    JanusErrorCode,
    JanusLayer,
    JanusMessage,
    JanusParticipant,
    Jsep,
    split_display,
)

STEP_TICKS: Final = 30
"""Ticks that any one request may take until it counts as lost."""
RETRY: Final = Backoff(first=2, factor=2, longest=60, jitter=0)
"""Ticks between two attempts at a camera."""
CAMERA_OFF: Final = "their camera is off"
CAMERA_OFF_RETRY: Final = Backoff(first=2, factor=2, longest=8, jitter=0)
"""Ticks between two attempts at a publisher without active video: it may be switched on."""
NEEDS_PRIVATE_ID: Final = (
    "the room shows cameras to its publishers alone (require_pvtid): "
    "publish the composite in it, or set require_pvtid = false"
)


class SubscriptionStage(Enum):
    """The step that a subscription is at."""

    ATTACHING = auto()
    JOINING = auto()
    OFFERED = auto()
    STARTING = auto()
    RECEIVING = auto()
    RESTING = auto()
    IGNORED = auto()


_CONNECTED: Final = (
    SubscriptionStage.OFFERED,
    SubscriptionStage.STARTING,
    SubscriptionStage.RECEIVING,
)
"""The stages in which there is a peer connection."""


@dataclass(frozen=True, slots=True)
class JanusPresence:
    """A participant who publishes."""

    name: str
    problem: str
    """Why their camera can't be received; empty where it is, or may be yet."""


class JanusSubscription:
    """Our subscription to one publisher, over all its attempts."""

    def __init__(self, exchange: JanusExchange) -> None:
        self._exchange = exchange
        self._person = JanusParticipant("", "", publishes=True)
        self._stage = SubscriptionStage.RESTING
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
        """How the participant is listed."""
        return JanusPresence(split_display(self._person.display)[0], self._problem)

    def name(self, person: JanusParticipant) -> bool:
        """Take a row of the list; False where it says nothing new."""
        known, self._person = self._person, person
        if known.id != person.id:
            self._attach()
        return (known.id, known.display) != (person.id, person.display)

    def tick(self) -> None:
        if self._stage in (SubscriptionStage.RECEIVING, SubscriptionStage.IGNORED):
            return
        if self._exchange.ticks < self._due:
            return
        if self._stage is SubscriptionStage.RESTING:
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
        if self._stage is SubscriptionStage.OFFERED:
            self._advance(SubscriptionStage.STARTING)
            self._request(self._exchange.bodies.start(), self._started, Jsep("answer", sdp))

    def prefer(self, layer: JanusLayer) -> None:
        self._wanted = layer
        self._configure()

    def retry(self) -> None:
        if self._stage is SubscriptionStage.RESTING:
            self._due = self._exchange.ticks

    def resume(self) -> None:
        """The session has a new connection: repeat what was asked for over the old one."""
        if self._stage is SubscriptionStage.ATTACHING:
            self._attach()
        elif self._stage in (SubscriptionStage.JOINING, SubscriptionStage.STARTING):
            self.fail("the connection to the server was lost")
        self._asked = None
        self._configure()

    def drop(self) -> None:
        """The participant publishes no longer, or can't be received: free the handle."""
        self._exchange.detach(self._handle)
        self._handle = None
        self._advance(SubscriptionStage.IGNORED)

    def fail(self, reason: str) -> None:
        """Back to the beginning, after a rest that grows with the failures in a row."""
        stream, stage = self.stream, self._stage
        self._exchange.detach(self._handle)
        self._handle = self._asked = None
        failures = 0 if stage is SubscriptionStage.RECEIVING else self._failures
        retry = CAMERA_OFF_RETRY if reason == CAMERA_OFF else RETRY
        self._failures = failures + 1
        self._advance(SubscriptionStage.RESTING, int(retry.delay(failures)))
        if stage in _CONNECTED:
            self._exchange.emit(Closed(stream, reason, lost=reason != CAMERA_OFF))

    def _report(self, problem: str) -> None:
        if self._problem != problem:
            self._problem = problem
            self._exchange.emit(ParticipantsChanged())

    def _advance(self, stage: SubscriptionStage, ticks: int = STEP_TICKS) -> None:
        self._stage = stage
        self._due = self._exchange.ticks + ticks

    def _attach(self) -> None:
        self._advance(SubscriptionStage.ATTACHING)
        self._exchange.attach(self._attached)

    def _attached(self, message: JanusMessage) -> None:
        if self._stage is not SubscriptionStage.ATTACHING or message.id is None:
            # The handle comes too late; an error leaves the step to its time limit.
            self._exchange.detach(message.id)
            return
        self._handle = message.id
        self._advance(SubscriptionStage.JOINING)
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
        self._advance(SubscriptionStage.OFFERED)
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
        self._advance(SubscriptionStage.RECEIVING)
        self._configure()

    def _configure(self) -> None:
        if self._stage is SubscriptionStage.RECEIVING and self._asked != self._wanted:
            self._asked = self._wanted
            self._request(self._exchange.bodies.configure(self._mid, self._wanted))

    def _request(
        self, body: dict[str, object], resolve: Resolve | None = None, jsep: Jsep | None = None
    ) -> None:
        """Make a request over our handle; an answer that comes in a later stage is dropped."""
        assert self._handle is not None
        handle, stage = self._handle, self._stage

        def guarded(message: JanusMessage) -> None:
            if resolve is not None and (self._handle, self._stage) == (handle, stage):
                resolve(message)

        self._exchange.message(handle, body, guarded if resolve else None, jsep)
