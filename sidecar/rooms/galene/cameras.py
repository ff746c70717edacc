"""Everybody's camera: a connection each, so that nobody's failure is anybody else's."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import structlog
from aiortc import RTCIceServer, RTCPeerConnection

from sidecar.media.feed import Feed
from sidecar.media.ice import choose_servers
from sidecar.rooms.base import ReceiverConstraints
from sidecar.rooms.galene.camera import Camera
from sidecar.rooms.galene.descriptions import UnfitError, read_offer, undecodable
from sidecar.rooms.galene.errands import Errands, Work
from sidecar.rooms.galene.events import Offered, Trickled
from sidecar.rooms.galene.layers import Layers
from sidecar.rooms.galene.protocol import GaleneProtocol

log = structlog.get_logger(__name__)

CONNECTING: Final = 15.0
"""Seconds that a connection may take after its answer."""
ASK_AGAIN: Final = (0.3, 0.7, 1.5, 3.0, 6.0, 12.0)
"""Seconds between requests for a stream without a picture."""
MAX_WITHHELD: Final = 10_000
OFFERING: Final = 5.0
"""Seconds that the server may take to offer a stream again; later it is gone."""
LONGEST_PAUSE: Final = 30.0
"""Seconds between attempts at a camera that can't be reached."""


Servers: TypeAlias = tuple[Sequence[RTCIceServer], Sequence[RTCIceServer]]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One tile's worth of somebody: a feed, or why there is none."""

    participant: str
    owner: str
    """Whose camera it is; somebody who shows two has two tiles."""
    name: str
    feed: Feed | None
    problem: str = ""


@dataclass(slots=True, eq=False)
class _Stream:
    """One stream and the connection that brings it, if any does."""

    id: str
    participant: str
    owner: str
    name: str
    camera: Camera | None = None
    layers: Layers = field(default_factory=Layers)
    answered_at: float | None = None
    due_at: float = 0.0
    """By when it has to be offered again, once it was asked for."""


class Cameras:
    """The streams of a group: told what the server says, tells the server what is wanted.

    ``on_news`` is called when ``seen`` changed, ``flush`` when ``protocol`` has something to send.
    """

    def __init__(
        self,
        protocol: GaleneProtocol,
        errands: Errands,
        *,
        on_news: Callable[[], None],
        flush: Callable[[], None],
    ) -> None:
        self.seen: dict[str, Seen] = {}
        """Every participant's tile."""
        self.relay_only = False
        self._protocol = protocol
        self._errands = errands
        self._on_news = on_news
        self._flush = flush
        self._servers: Servers = ((), ())
        self._streams: dict[str, _Stream] = {}
        self._attempts: dict[str, int] = {}
        self._wants: dict[str, ReceiverConstraints] = {}
        self._withheld: dict[str, int] = {}
        self._missing: dict[str, _Stream] = {}
        """Streams that were given back and asked for again."""

    def use(self, servers: Servers, *, relay_only: bool) -> None:
        """Connect by these servers from now on: our own, and those that the group names."""
        self._servers, self.relay_only = servers, relay_only

    def peers(self) -> list[RTCPeerConnection]:
        """Every connection there is."""
        return [stream.camera.peer for stream in self._streams.values() if stream.camera]

    def offered(self, offer: Offered) -> None:
        """Somebody shows a camera, or the server describes one anew."""
        if offer.replaces:
            self._forget(offer.replaces)
            self._missing.pop(offer.replaces, None)
            self._attempts.pop(offer.replaces, None)
        self._missing.pop(offer.stream, None)
        stream = self._streams.get(offer.stream)
        if stream is None:
            participant = _distinct(offer.participant, [s.participant for s in self._all()])
            stream = _Stream(offer.stream, participant, offer.participant, offer.name)
            self._streams[offer.stream] = stream
        problem = _problem(offer.sdp)
        if problem:
            # The offer is left unanswered: that costs nothing, and its end is told all the same.
            self._give_up(stream, problem)
            return
        if stream.camera is None:
            stream.camera = self._camera(stream)
        self._errands.start(self._negotiate(stream, stream.camera, offer.sdp))

    def closed(self, stream: str) -> None:
        """A camera is gone."""
        self._forget(stream)
        self._missing.pop(stream, None)
        self._attempts.pop(stream, None)
        present = {known.participant for known in (*self._all(), *self._missing.values())}
        for participant in [person for person in self.seen if person not in present]:
            del self.seen[participant]
            self._wants.pop(participant, None)
            self._on_news()

    def withheld(self, stream: str) -> None:
        """Ask again for a stream that there is, in case there is a picture in it later.

        A server that is asked while somebody's camera is starting says that there is nothing, and
        never comes back to it. Those who only speak are asked for a few times in vain.
        """
        times = self._withheld.get(stream, 0)
        if times < len(ASK_AGAIN) and (times or len(self._withheld) < MAX_WITHHELD):
            self._withheld[stream] = times + 1
            self._errands.start(self._ask_again(ASK_AGAIN[times]))

    def trickled(self, news: Trickled) -> None:
        """Another way to the server."""
        stream = self._streams.get(news.stream)
        if stream is not None and stream.camera is not None:
            self._errands.start(_try(stream.camera.trickle(news.candidate)))

    def constrain(self, participant: str, want: ReceiverConstraints) -> None:
        """What is needed of a camera; the layer follows within a second."""
        if participant in self.seen:
            self._wants[participant] = want

    def look(self) -> None:
        """Once a second: ask for the right layers, and connect anew what is stuck or broken."""
        now = asyncio.get_running_loop().time()
        for gone in [gone for gone in self._missing.values() if now > gone.due_at]:
            self.closed(gone.id)
        for stream in self._all():
            if stream.camera is None:
                continue
            stuck = stream.answered_at is not None and now - stream.answered_at > CONNECTING
            if stream.camera.failed or (stuck and not stream.camera.connected):
                self._renew(stream)
            elif stream.camera.connected:
                self._choose_layer(stream, stream.camera.feed)

    async def close(self) -> None:
        """Free every connection."""
        cameras = [stream.camera for stream in self._all() if stream.camera is not None]
        self._streams.clear()
        self.seen.clear()
        await asyncio.gather(*(camera.close() for camera in cameras))

    def _all(self) -> Sequence[_Stream]:
        return tuple(self._streams.values())

    def _camera(self, stream: _Stream) -> Camera:
        servers = choose_servers(*self._servers, attempt=self._attempts.get(stream.id, 0))
        camera = Camera(servers, lambda: self._look_at(stream, camera), relay_only=self.relay_only)
        stream.answered_at = None
        stream.layers = Layers()
        return camera

    async def _negotiate(self, stream: _Stream, camera: Camera, sdp: str) -> None:
        try:
            answer = await camera.answer(sdp)
        except UnfitError as unfit:
            if stream.camera is camera:
                self._not_answered(stream, str(unfit))
            return
        if stream.camera is camera and stream.id in self._streams:
            stream.answered_at = stream.answered_at or asyncio.get_running_loop().time()
            self._protocol.streams.answer(stream.id, answer)
            self._flush()

    def _not_answered(self, stream: _Stream, why: str) -> None:
        log.info("offer not answered", participant=stream.participant, reason=why)
        if stream.participant not in self.seen:
            self._see(stream, None, why)
        # It may be the way and not the offer: next time another TURN server is tried.
        self._renew(stream)

    def _look_at(self, stream: _Stream, camera: Camera) -> None:
        """React to a connection's new state; one that failed is for ``look``.

        A camera that is switched off ends its connection a moment before the server says why.
        """
        if stream.camera is not camera or self._streams.get(stream.id) is not stream:
            return
        if camera.connected:
            self._attempts.pop(stream.id, None)
            self._see(stream, camera.feed)

    def _see(self, stream: _Stream, feed: Feed | None, problem: str = "") -> None:
        old = self.seen.get(stream.participant)
        if old is None or old.feed is not feed or old.problem != problem:
            seen = Seen(stream.participant, stream.owner, stream.name, feed, problem)
            self.seen[stream.participant] = seen
            self._on_news()

    def _give_up(self, stream: _Stream, problem: str) -> None:
        self._drop(stream)
        self._see(stream, None, problem)

    def _renew(self, stream: _Stream) -> None:
        """Give the stream back and ask for it again: aiortc restarts no connection."""
        attempt = self._attempts[stream.id] = self._attempts.get(stream.id, 0) + 1
        if stream.answered_at is not None and stream.participant not in self.seen:
            problem = "no connection to their camera: is UDP blocked, and is there a TURN server?"
            self._see(stream, None, problem)
        self._forget(stream.id)
        self._protocol.streams.abort(stream.id)
        pause = min(LONGEST_PAUSE, 5.0 * (attempt - 1))
        stream.due_at = asyncio.get_running_loop().time() + pause + OFFERING
        self._missing[stream.id] = stream
        self._errands.start(self._ask_again(pause))

    async def _ask_again(self, pause: float) -> None:
        self._flush()
        await asyncio.sleep(pause)
        self._protocol.ask()
        self._flush()

    def _choose_layer(self, stream: _Stream, feed: Feed) -> None:
        want = self._wants.get(stream.participant)
        low = stream.layers.choose(want, feed.size, feed.frames)
        if low is not None:
            self._protocol.streams.ask_layer(stream.id, low=low)
            self._flush()

    def _forget(self, stream: str) -> None:
        known = self._streams.pop(stream, None)
        if known is not None:
            self._drop(known)

    def _drop(self, stream: _Stream) -> None:
        camera, stream.camera = stream.camera, None
        if camera is not None:
            self._errands.part(camera.close())


def _problem(sdp: str) -> str:
    try:
        return undecodable(read_offer(sdp))
    except UnfitError as unfit:
        return str(unfit)


def _distinct(participant: str, taken: Collection[str]) -> str:
    """``participant``, or with a number where they show another camera already."""
    name, number = participant, 2
    while name in taken:
        name, number = f"{participant} ({number})", number + 1
    return name


async def _try(trickling: Work) -> None:
    try:
        await trickling
    except Exception as error:
        # aiortc meets odd candidates with whatever happens to break; there may be better ones.
        log.info("candidate not taken", reason=repr(error))
