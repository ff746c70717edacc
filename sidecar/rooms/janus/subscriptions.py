"""Whose cameras we watch: one handle and one connection for each, since Janus reuses the media
lines of one that carries several under new SSRCs, which aiortc can't follow. Pure, no clock."""

from collections.abc import Iterable, Sequence
from typing import Final

from sidecar.rooms.janus.events import (
    Closed,
    Event,
    Gone,
    Named,
    Offered,
    Switched,
    Trickled,
    Unwatchable,
)
from sidecar.rooms.janus.messages import Description, Id, Message, Person, Stream
from sidecar.rooms.janus.requests import Requests, Then, ignore
from sidecar.rooms.janus.subscription import Layer, Stage, Subscription

PATIENCE: Final = 30
"""Rounds that any step of a subscription may take."""
LONGEST_REST: Final = 60
"""Rounds between two attempts, at most."""
DARK: Final = "their camera is off"
DARK_REST: Final = 8
"""The same, where somebody publishes but no camera, or one that is off: it may come on."""
COMPOSITE: Final = "reaction-sidecar composite"
"""How a sidecar describes its stream, so that none takes another's for a camera."""
DECODED: Final = ("vp8", "h264")
NO_SUCH_FEED, UNAUTHORIZED = 428, 433
NEEDS_PRIVATE_ID: Final = (
    "the room shows cameras to its publishers alone (require_pvtid): "
    "publish the composite in it, or set require_pvtid = false"
)


class Subscriptions:
    """Everybody who publishes, each at their own stage; nobody's failure touches anybody else."""

    def __init__(self, requests: Requests, pin: str) -> None:
        self._requests = requests
        self._pin = pin
        self._people: dict[str, Subscription] = {}
        self._round = 0
        self.room: Id = ""
        self.private_id: int | None = None

    def begin_round(self) -> Iterable[Event]:
        """Begin another round: whatever took too long is given up, whatever rested tries again."""
        self._round += 1
        for subscription in self._people.values():
            if subscription.stage in (Stage.WATCHING, Stage.IGNORED):
                continue
            if self._round < subscription.due:
                continue
            if subscription.stage is Stage.RESTING:
                self._attach(subscription)
            else:
                yield from self._fail(subscription, "the server doesn't answer")

    def see(self, people: Sequence[Person]) -> Iterable[Event]:
        """Take the list of those who publish now."""
        present = {str(person.id): person for person in people}
        for feed in [feed for feed in self._people if feed not in present]:
            yield from self._drop(feed, "publishes no longer")
        for feed, person in present.items():
            known = self._people.get(feed)
            if known is None:
                known = self._people[feed] = Subscription(person)
                self._attach(known)
                yield Named(feed, person.display)
            elif known.person.display != person.display:
                known.person = person
                yield Named(feed, person.display)

    def by_handle(self, handle: int | None) -> Subscription | None:
        """Whose handle that is."""
        if handle is None:
            return None
        return next((each for each in self._people.values() if each.handle == handle), None)

    def happened(self, subscription: Subscription, message: Message) -> Iterable[Event]:
        """An event came over a subscription's handle."""
        substream = message.plugin.get("substream")
        match message.kind, message.about:
            case (("hangup" | "detached"), _):
                yield from self._fail(subscription, message.reason or "the server hung up")
            case "trickle", _:
                yield Trickled(subscription.feed, message.candidate)
            case _, "updated" if not _video(message.streams, subscription.mid):
                yield from self._fail(subscription, DARK, DARK_REST)
            case "event", "event" if isinstance(substream, int):
                yield Switched(subscription.feed, substream)

    def answer(self, feed: str, sdp: str) -> None:
        """Answer what was ``Offered``; nothing happens where that is over already."""
        subscription = self._people.get(feed)
        if subscription is None or subscription.stage is not Stage.OFFERED:
            return
        self._advance(subscription, Stage.STARTING)
        self._say(
            subscription,
            {"request": "start"},
            lambda message: self._started(subscription, message),
            Description("answer", sdp),
        )

    def give_up(self, feed: str, problem: str) -> Iterable[Event]:
        """The shell can't make the connection that was offered, or lost it."""
        subscription = self._people.get(feed)
        if subscription is None or subscription.handle is None:
            return ()
        return tuple(self._fail(subscription, problem))

    def prefer(self, feed: str, layer: Layer) -> None:
        """Ask the server for this much of a camera."""
        subscription = self._people.get(feed)
        if subscription is not None:
            subscription.layer = layer
            self._configure(subscription)

    def retry(self) -> None:
        """Whoever rests is tried at once: something has changed."""
        for subscription in self._people.values():
            if subscription.stage is Stage.RESTING:
                subscription.due = self._round

    def reconnected(self) -> Iterable[Event]:
        """What was under way over the old connection to the server begins again."""
        for subscription in self._people.values():
            if subscription.stage is Stage.ATTACHING:
                self._attach(subscription)
            elif subscription.stage in (Stage.JOINING, Stage.STARTING):
                yield from self._fail(subscription, "the connection to the server was lost")
            subscription.asked = None
            self._configure(subscription)

    def _drop(self, feed: str, reason: str) -> Iterable[Event]:
        subscription = self._people.pop(feed)
        self._requests.detach(subscription.handle)
        subscription.handle = None
        self._advance(subscription, Stage.IGNORED)
        yield Gone(feed, reason)

    def _fail(
        self, subscription: Subscription, problem: str, longest: int = LONGEST_REST
    ) -> Iterable[Event]:
        """Back to the beginning, after a rest that grows with the failures in a row."""
        was_offered = subscription.stage in (Stage.OFFERED, Stage.STARTING, Stage.WATCHING)
        if subscription.stage is Stage.WATCHING:
            subscription.failures = 0
        self._requests.detach(subscription.handle)
        subscription.handle = subscription.asked = None
        subscription.failures += 1
        rest = min(longest, 2 ** min(subscription.failures, 10))
        self._advance(subscription, Stage.RESTING, rest)
        if was_offered:
            yield Closed(subscription.feed, problem, lost=problem != DARK)

    def _report(self, subscription: Subscription, problem: str) -> Iterable[Event]:
        if subscription.problem != problem:
            subscription.problem = problem
            yield Unwatchable(subscription.feed, subscription.person.display, problem)

    def _advance(self, subscription: Subscription, stage: Stage, rounds: int = PATIENCE) -> None:
        subscription.stage = stage
        subscription.due = self._round + rounds

    def _attach(self, subscription: Subscription) -> None:
        self._advance(subscription, Stage.ATTACHING)
        self._requests.attach(lambda message: self._attached(subscription, message))

    def _attached(self, subscription: Subscription, message: Message) -> Iterable[Event]:
        if subscription.stage is not Stage.ATTACHING or message.id is None:
            # Nobody waits for the handle any more; an error leaves the step to its patience.
            self._requests.detach(message.id)
            return ()
        subscription.handle = message.id
        self._advance(subscription, Stage.JOINING)
        # The smallest for everybody at first; what is wanted is asked for once it flows.
        wanted = {"feed": subscription.person.id, "substream": 0}
        body: dict[str, object] = {"request": "join", "ptype": "subscriber", "room": self.room}
        body["streams"] = [wanted]
        if self._pin:
            body["pin"] = self._pin
        if self.private_id is not None:
            body["private_id"] = self.private_id
        self._say(subscription, body, lambda reply: self._joined(subscription, reply))
        return ()

    def _joined(self, subscription: Subscription, message: Message) -> Iterable[Event]:
        if subscription.stage is not Stage.JOINING:
            return
        offer = message.description
        if message.code is not None or offer is None or offer.kind != "offer":
            yield from self._fail(subscription, message.reason)
            if message.code == UNAUTHORIZED and "private_id" in message.reason:
                yield from self._report(subscription, NEEDS_PRIVATE_ID)
            elif message.code != NO_SUCH_FEED:
                reason = message.reason or "the server's offer makes no sense"
                yield from self._report(subscription, reason)
            return
        if any(stream.description == COMPOSITE for stream in message.streams):
            self._ignore(subscription)
            return
        video = _video(message.streams)
        if not video:
            yield from self._fail(subscription, DARK, DARK_REST)
            return
        subscription.mid = video[0].mid
        if video[0].codec and video[0].codec.lower() not in DECODED:
            self._ignore(subscription)
            yield from self._report(subscription, _undecodable(video[0].codec))
            return
        subscription.asked = Layer()
        subscription.problem = ""
        self._advance(subscription, Stage.OFFERED)
        yield Offered(subscription.feed, subscription.person.display, subscription.mid, offer.sdp)

    def _ignore(self, subscription: Subscription) -> None:
        self._requests.detach(subscription.handle)
        subscription.handle = None
        self._advance(subscription, Stage.IGNORED)

    def _started(self, subscription: Subscription, message: Message) -> Iterable[Event]:
        if subscription.stage is not Stage.STARTING:
            return
        if message.code is not None:
            yield from self._fail(subscription, message.reason)
            yield from self._report(subscription, message.reason)
            return
        self._advance(subscription, Stage.WATCHING)
        self._configure(subscription)

    def _configure(self, subscription: Subscription) -> None:
        layer = subscription.layer
        if subscription.stage is not Stage.WATCHING or subscription.asked == layer:
            return
        subscription.asked = layer
        stream = {
            "mid": subscription.mid,
            "send": layer.send,
            "substream": layer.substream,
            "temporal": layer.temporal,
        }
        self._say(subscription, {"request": "configure", "streams": [stream]})

    def _say(
        self,
        subscription: Subscription,
        body: dict[str, object],
        then: Then = ignore,
        description: Description | None = None,
    ) -> None:
        assert subscription.handle is not None
        self._requests.message(subscription.handle, body, then, description)


def _video(streams: Sequence[Stream], mid: str = "") -> list[Stream]:
    return [
        stream
        for stream in streams
        if stream.kind == "video" and stream.active and mid in ("", stream.mid)
    ]


def _undecodable(codec: str) -> str:
    name = codec.upper()
    return (
        f"their camera is sent as {name}, which can't be decoded here: "
        'set videocodec = "vp8" or "h264" for the room'
    )
