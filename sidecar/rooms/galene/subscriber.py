"""The cameras of a group: one peer connection each, so that a failure affects one participant."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from aiortc import RTCPeerConnection

from config.errors import NegotiationError
from sidecar.aio import Backoff, TaskSet, close_all
from sidecar.media.ice import choose_servers
from sidecar.media.peer import PeerOptions
from sidecar.media.receive_peer import ReceivePeer
from sidecar.media.sdp import DECODABLE, parse_description, sent_video, video_codecs
from sidecar.rooms.base import Joined, JoinOptions, ReceiverConstraints
from sidecar.rooms.changes import RoomChanges
from sidecar.rooms.events import CandidateReceived, Closed, Entered, Offered
from sidecar.rooms.galene.protocol import StreamWithheld
from sidecar.rooms.galene.transport import GaleneTimeouts, GaleneTransport

WITHHELD_RETRY: Final = Backoff(first=0.3, factor=2.1, longest=12.0)
"""Delays between requests for a stream without a picture, in seconds."""
MAX_WITHHELD_RETRIES: Final = 6
"""Requests for one such stream: participants who only speak never have a picture."""
MAX_WITHHELD: Final = 10_000
"""Such streams."""
RECONNECT: Final = Backoff(first=0.5, factor=3.0, longest=30.0)
"""Delays before a camera whose connection failed is requested again, in seconds."""
SETTLED_FRAMES: Final = 5
"""Frames after a change of layer that may still be of the layer before."""


@dataclass(slots=True)
class LayerChoice:
    """Which of a camera's layers to request: the low one, or the high one if they differ."""

    low: bool = True
    """The layer that was requested last."""
    low_size: tuple[int, int] | None = None
    """Width and height of the low layer in pixels; None before it was seen."""
    changed_at: int = 0
    """The number of frames that had come when the layer was requested."""

    def update(
        self, want: ReceiverConstraints | None, size: tuple[int, int] | None, frames: int
    ) -> bool | None:
        """Whether to request the low layer now; None where the present one is right.

        ``size`` is the newest frame's in pixels, ``frames`` how many have come.
        """
        if self.low and size is not None and frames > self.changed_at + SETTLED_FRAMES:
            self.low_size = size
        if want is None or self.low_size is None:
            return None
        enough = want.paused or self.low_size[0] >= want.width or self.low_size[1] >= want.height
        if enough is self.low:
            return None
        self.low, self.changed_at = enough, frames
        return enough


@dataclass(slots=True, eq=False)
class _Camera:
    """One stream of the group, and the connection that brings it."""

    stream: str
    participant: str
    name: str
    peer: ReceivePeer | None = None
    layer: LayerChoice = field(default_factory=LayerChoice)
    failures: int = 0
    """Connections that failed in a row."""


class GaleneSubscriber:
    """Receives every camera of a group, and states in ``changes`` who is present."""

    def __init__(
        self,
        transport: GaleneTransport,
        tasks: TaskSet,
        changes: RoomChanges,
        options: JoinOptions,
        timeouts: GaleneTimeouts,
    ) -> None:
        self._transport = transport
        self._tasks = tasks
        self._changes = changes
        self._options = options
        self._timeouts = timeouts
        self._entered = Entered()
        self._cameras: dict[str, _Camera] = {}
        """By stream: those that the server offers."""
        self._requested: dict[str, _Camera] = {}
        """By stream: those that we gave back and requested again."""
        self._withheld: dict[str, int] = {}
        """By stream: how often a stream without a picture was requested."""
        self._present: dict[str, Joined] = {}
        """By participant."""
        self._constraints: dict[str, ReceiverConstraints] = {}
        """By participant."""

    def configure(self, entered: Entered) -> None:
        """Use the group's ICE servers for new connections."""
        self._entered = entered

    def connections(self) -> Sequence[RTCPeerConnection]:
        """The peer connections of this moment."""
        return [camera.peer.connection for camera in self._cameras.values() if camera.peer]

    def constrain(self, participant: str, want: ReceiverConstraints) -> None:
        """Receive no more of a camera than ``want``, from the next ``update_layers`` on."""
        if participant in self._present:
            self._constraints[participant] = want

    def handle(self, event: Offered | Closed | StreamWithheld | CandidateReceived) -> None:
        """React to what the server says about cameras; returns at once."""
        match event:
            case Offered():
                self._on_offered(event)
            case Closed():
                self._remove(event.stream)
            case StreamWithheld():
                self._on_withheld(event.stream)
            case CandidateReceived():
                camera = self._cameras.get(event.stream)
                if camera is not None and camera.peer is not None:
                    self._tasks.create_task(camera.peer.add_candidate(event.candidate))

    def update_layers(self) -> None:
        """Request the layers that the constraints need."""
        for camera in self._cameras.values():
            if camera.peer is not None and camera.peer.connected:
                feed, want = camera.peer.feed, self._constraints.get(camera.participant)
                low = camera.layer.update(want, feed.size, feed.frames)
                if low is not None:
                    with self._transport.send_context() as protocol:
                        protocol.request_layer(camera.stream, low=low)

    async def aclose(self) -> None:
        """Free every connection."""
        peers = [camera.peer for camera in self._cameras.values() if camera.peer is not None]
        self._cameras.clear()
        self._requested.clear()
        await close_all(peers)

    def _on_offered(self, offer: Offered) -> None:
        if offer.replaces:
            self._requested.pop(offer.replaces, None)
            if (replaced := self._cameras.pop(offer.replaces, None)) is not None:
                self._disconnect(replaced)
        camera = self._requested.pop(offer.stream, None) or self._cameras.get(offer.stream)
        if camera is None:
            camera = _Camera(offer.stream, offer.participant, offer.name)
        camera.participant = offer.participant
        self._cameras[offer.stream] = camera
        if problem := camera_problem(offer.sdp):
            # The offer is not answered: that costs nothing, and the server reports its end.
            self._disconnect(camera)
            self._state(camera, problem=problem)
        elif camera.peer is None:
            camera.peer = self._new_peer(camera)
            self._tasks.create_task(self._receive(camera, camera.peer, offer.sdp))
        else:
            self._tasks.create_task(self._negotiate(camera, camera.peer, offer.sdp))

    def _on_withheld(self, stream: str) -> None:
        """Request a stream again, since there may be a picture in it later.

        A server that is asked while a camera is starting says that the stream has nothing for us,
        and never comes back to it.
        """
        retries = self._withheld.get(stream, 0)
        known = stream in self._withheld or len(self._withheld) < MAX_WITHHELD
        if known and retries < MAX_WITHHELD_RETRIES:
            self._withheld[stream] = retries + 1
            self._tasks.create_task(self._request_after(WITHHELD_RETRY.delay(retries)))

    def _new_peer(self, camera: _Camera) -> ReceivePeer:
        named = self._entered.ice_servers
        camera.layer = LayerChoice()
        options = PeerOptions(
            camera.participant,
            choose_servers(self._options.ice_servers, named, attempt=camera.failures),
            relay_only=self._options.relay_only or self._entered.relay_only,
            timeouts=self._timeouts.peer,
        )
        return ReceivePeer(options)

    async def _receive(self, camera: _Camera, peer: ReceivePeer, sdp: str) -> None:
        """Connect ``peer`` and state the camera as present; reconnect when the connection fails."""
        await peer.start()
        if not await self._negotiate(camera, peer, sdp):
            return
        try:
            await peer.wait_connected()
        except NegotiationError as error:
            self._reconnect(camera, peer, str(error))
            return
        if camera.peer is peer:
            camera.failures = 0
            self._state(camera, peer)
        reason = await peer.wait_over()
        # A camera that is switched off ends its connection a moment before the server says so.
        await asyncio.sleep(self._timeouts.settle)
        self._reconnect(camera, peer, reason)

    async def _negotiate(self, camera: _Camera, peer: ReceivePeer, sdp: str) -> bool:
        """Answer an offer, the first of ``peer`` or a later one; whether that succeeded."""
        try:
            answer = await peer.answer(sdp)
        except NegotiationError as error:
            self._reconnect(camera, peer, str(error))
            return False
        with self._transport.send_context() as protocol:
            protocol.answer(camera.stream, answer)
        return True

    def _reconnect(self, camera: _Camera, peer: ReceivePeer, reason: str) -> None:
        """Give the stream back and request it again: aiortc restarts no connection."""
        if camera.peer is not peer or self._cameras.get(camera.stream) is not camera:
            return
        if camera.participant not in self._present:
            self._state(camera, problem=reason)
        del self._cameras[camera.stream]
        self._requested[camera.stream] = camera
        self._disconnect(camera)
        with self._transport.send_context() as protocol:
            protocol.abort(camera.stream)
        self._tasks.create_task(self._request_again(camera, RECONNECT.delay(camera.failures)))
        camera.failures += 1

    async def _request_again(self, camera: _Camera, delay: float) -> None:
        """Request a stream that was given back; it has ended if the server does not offer it."""
        await self._request_after(delay)
        await asyncio.sleep(self._timeouts.offer)
        if self._requested.get(camera.stream) is camera:
            self._remove(camera.stream)

    async def _request_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        with self._transport.send_context() as protocol:
            protocol.request_cameras()

    def _state(self, camera: _Camera, peer: ReceivePeer | None = None, problem: str = "") -> None:
        """State that the camera's participant is present, with a feed or with a problem."""
        feed = None if peer is None else peer.feed
        before = self._present.get(camera.participant)
        if before is None or before.feed is not feed or before.problem != problem:
            joined = Joined(camera.participant, camera.name, feed, problem)
            self._present[camera.participant] = joined
            self._changes.join(joined)

    def _remove(self, stream: str) -> None:
        """A stream ended; its participant left if no other stream shows them."""
        camera = self._cameras.pop(stream, None) or self._requested.pop(stream, None)
        if camera is None:
            return
        self._disconnect(camera)
        others: Iterable[_Camera] = (*self._cameras.values(), *self._requested.values())
        if all(other.participant != camera.participant for other in others):
            self._present.pop(camera.participant, None)
            self._constraints.pop(camera.participant, None)
            self._changes.leave(camera.participant, "their camera is off")

    def _disconnect(self, camera: _Camera) -> None:
        peer, camera.peer = camera.peer, None
        if peer is not None:
            self._tasks.create_cleanup(peer.aclose())


def camera_problem(sdp: str) -> str:
    """Why the camera in an offer can't be decoded, for people; empty where it can."""
    try:
        offer = parse_description(sdp)
    except ValueError as error:
        return f"their offer can't be read: {error}"
    sections = sent_video(offer)
    if not sections:
        return "they send no video"
    # A change of layer adds a section and closes the one before.
    codecs = video_codecs(sections[-1])
    if codecs & DECODABLE:
        return ""
    return (
        f"they send {' and '.join(sorted(codecs)) or 'an unknown codec'}, which can't be decoded"
        ' here: set "codecs": ["vp8", "opus"] in the group\'s file'
    )
