"""The cameras of a VideoRoom: one peer connection for each, answered, received and freed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from aiortc import RTCIceServer, RTCPeerConnection

from config.errors import NegotiationError
from sidecar.aio import TaskSet
from sidecar.media.peer import NO_MEDIA_PATH, PeerOptions
from sidecar.media.receive_peer import ReceivePeer
from sidecar.rooms.base import Consent, ConsentChanged, Joined, ReceiverConstraints
from sidecar.rooms.changes import RoomChanges
from sidecar.rooms.display_names import display_name
from sidecar.rooms.events import CandidateReceived, Closed, Offered, ParticipantsChanged
from sidecar.rooms.janus.exchange import JanusEvent, SubstreamChanged
from sidecar.rooms.janus.messages import JanusLayer, consent_in_data, sensitivity_in_data
from sidecar.rooms.janus.transport import JanusTimeouts, JanusTransport

log = structlog.get_logger(__name__)

DATA_CHANNEL: Final = "JanusDataChannel"
"""The label that Janus' own client (``janus.js``) uses, so that other clients listen on it."""
SETTLING: Final = 3
"""Ticks after a switch of substreams in which a frame may still be of the one before."""
LARGEST: Final = 2
"""The number of the largest substream, and of the temporal layer with all frames."""
CAMERA_FPS: Final = 30.0
"""Of a camera; Janus doesn't say the real rate."""
ENOUGH: Final = 0.75
"""A substream with this share of the wanted size is enough: scaling up so little isn't seen."""


def janus_layer(
    want: ReceiverConstraints, size: tuple[int, int] | None, substream: int
) -> JanusLayer:
    """The smallest layer that serves ``want``, where ``substream`` has frames of ``size``.

    Substreams are numbered from 0, the smallest; each has twice the width and height of the one
    before, as browsers encode them. Temporal layers halve the rate from 2 down to 0. Before the
    first frame (``size`` is None), ``substream`` is kept.
    """
    temporal = LARGEST
    while temporal and want.fps <= CAMERA_FPS / 2 ** (LARGEST - temporal + 1):
        temporal -= 1
    if size is None:
        return JanusLayer(substream, temporal, send=not want.paused)
    chosen = 0
    while chosen < LARGEST:
        scale = 2.0 ** (chosen - substream)
        if min(size[0] * scale / want.width, size[1] * scale / want.height) >= ENOUGH:
            break
        chosen += 1
    return JanusLayer(chosen, temporal, send=not want.paused)


@dataclass(slots=True, eq=False)
class _Camera:
    """One offered stream and its connection."""

    stream: str
    participant: str
    peer: ReceivePeer
    task: asyncio.Task[None] | None = None
    substream: int = 0
    settling: int = SETTLING
    joined: bool = False


class JanusSubscriber:
    """Answers the server's offers, and states in ``changes`` which cameras there are.

    A connection that fails is closed and reported to the protocol, which asks for another later.
    """

    def __init__(
        self,
        transport: JanusTransport,
        changes: RoomChanges,
        tasks: TaskSet,
        *,
        relay_only: bool,
        timeouts: JanusTimeouts,
    ) -> None:
        self.ice_servers: Sequence[RTCIceServer] = ()
        self._transport = transport
        self._changes = changes
        self._tasks = tasks
        self._relay_only = relay_only
        self._timeouts = timeouts
        self._cameras: dict[str, _Camera] = {}
        """By stream."""
        self._names: dict[str, str] = {}
        """By participant who publishes."""
        self._problems: dict[str, str] = {}
        """By participant: why their camera can't be watched, as stated in ``changes``."""
        self._wants: dict[str, ReceiverConstraints] = {}

    def connections(self) -> list[RTCPeerConnection]:
        """The peer connections of this moment."""
        return [camera.peer.connection for camera in self._cameras.values()]

    def handle(self, event: JanusEvent) -> None:
        """Take an event that may be about a camera."""
        match event:
            case ParticipantsChanged():
                self._update(event)
            case ConsentChanged():
                self._choose(event.participant, event.consent)
            case Offered():
                self._receive(event)
            case Closed():
                self._closed(event)
            case SubstreamChanged():
                if (camera := self._cameras.get(event.stream)) is not None:
                    camera.substream, camera.settling = event.substream, 0
            case CandidateReceived():
                if (camera := self._cameras.get(event.stream)) is not None:
                    self._tasks.create_task(camera.peer.add_candidate(event.candidate))

    def constrain(self, participant: str, want: ReceiverConstraints) -> None:
        """Ask for the smallest layer of a camera that serves ``want``."""
        if participant in self._names:
            self._wants[participant] = want
            self._adjust()

    async def run(self) -> None:
        """Without end: ask for another layer where one serves better, now that sizes are known."""
        while True:
            await asyncio.sleep(self._timeouts.tick)
            for camera in self._cameras.values():
                camera.settling += 1
            self._adjust()

    def close(self) -> None:
        """Close all connections, by cleanup tasks."""
        for participant in list(self._names):
            self._gone(participant, "the room was left")

    def _update(self, changed: ParticipantsChanged) -> None:
        """Bring what is stated in line with the protocol's participants."""
        for participant in changed.left:
            self._gone(participant, "left, or stopped publishing")
        for participant, presence in self._transport.protocol.participants.items():
            self._names[participant] = display_name(presence.name)
            if presence.problem:
                self._state_problem(participant, presence.problem)

    def _gone(self, participant: str, reason: str) -> None:
        for camera in [each for each in self._cameras.values() if each.participant == participant]:
            self._close(camera, reason)
        self._changes.forget(participant, reason)
        for known in (self._names, self._problems, self._wants):
            known.pop(participant, None)

    def _receive(self, offer: Offered) -> None:
        options = PeerOptions(
            offer.participant,
            self.ice_servers,
            relay_only=self._relay_only,
            timeouts=self._timeouts.peer,
            on_message=lambda message: self._message(offer.participant, message),
        )
        peer = ReceivePeer(options, data_channel=DATA_CHANNEL)
        camera = self._cameras[offer.stream] = _Camera(offer.stream, offer.participant, peer)
        work = self._watch(camera, offer)
        camera.task = self._tasks.create_task(work, name=f"camera of {offer.participant}")

    async def _watch(self, camera: _Camera, offer: Offered) -> None:
        """Answer the offer of ``camera``, and wait until its connection is over."""
        peer = camera.peer
        try:
            await peer.start()
            answer = await peer.answer(offer.sdp, offer.mid)
            with self._transport.send_context() as protocol:
                protocol.answer(camera.stream, answer)
            await peer.wait_connected()
            self._join(camera)
            reason = await peer.wait_over()
        except NegotiationError as error:
            reason = str(error)
        self._give_up(camera, reason)

    def _join(self, camera: _Camera) -> None:
        participant = camera.participant
        camera.joined = True
        self._problems.pop(participant, None)
        name = self._names.get(participant, participant)
        self._changes.join(Joined(participant, name, camera.peer.feed))
        self._adjust()

    def _give_up(self, camera: _Camera, reason: str) -> None:
        """The connection failed, as its own task found out: have the protocol try another."""
        if self._close(camera, reason):
            if not camera.joined:
                self._state_problem(camera.participant, reason)
            with self._transport.send_context() as protocol:
                protocol.give_up(camera.stream, reason)

    def _closed(self, event: Closed) -> None:
        """The server has closed the connection, or the protocol has given it up."""
        camera = self._cameras.get(event.stream)
        if camera is None:
            return
        self._close(camera, event.reason)
        if event.lost and not camera.joined:
            self._state_problem(camera.participant, f"{NO_MEDIA_PATH} ({event.reason})")

    def _close(self, camera: _Camera, reason: str) -> bool:
        """Free a camera's connection; False where that was done before."""
        if self._cameras.pop(camera.stream, None) is None:
            return False
        if camera.task is not None and camera.task is not asyncio.current_task():
            camera.task.cancel()
        if camera.joined:
            self._changes.leave(camera.participant, reason)
        self._tasks.create_cleanup(camera.peer.aclose(), name=f"close {camera.participant}")
        return True

    def _state_problem(self, participant: str, problem: str) -> None:
        """The camera can't be watched: the tile is to show the name alone."""
        if self._problems.get(participant) != problem:
            self._problems[participant] = problem
            name = self._names.get(participant, participant)
            self._changes.join(Joined(participant, name, None, problem))

    def _message(self, participant: str, message: str | bytes) -> None:
        if not isinstance(message, str):
            return
        if (consent := consent_in_data(message)) is not None:
            self._choose(participant, consent)
        elif (level := sensitivity_in_data(message)) is not None and participant in self._names:
            self._changes.choose_sensitivity(participant, level)

    def _choose(self, participant: str, consent: Consent) -> None:
        if participant in self._names:
            self._changes.choose(participant, consent)

    def _adjust(self) -> None:
        """Tell the protocol which layer each camera is to send."""
        with self._transport.send_context() as protocol:
            for camera in self._cameras.values():
                want = self._wants.get(camera.participant)
                if want is not None and camera.settling >= SETTLING:
                    size = camera.peer.feed.size
                    layer = janus_layer(want, size, camera.substream)
                    protocol.prefer(camera.participant, layer)
