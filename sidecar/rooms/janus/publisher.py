"""Publish the composite into a VideoRoom, with a data channel for events."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from aiortc import RTCIceServer, RTCPeerConnection

from config.errors import LostError, RoomError
from sidecar.aio import TaskSet
from sidecar.media.peer import OPEN_UDP, PeerOptions
from sidecar.media.send_peer import SendPeer
from sidecar.rooms.base import TrackSource
from sidecar.rooms.events import Answered, CandidateReceived, PublishRefused
from sidecar.rooms.janus.exchange import JanusEvent
from sidecar.rooms.janus.publication import PUBLISHER
from sidecar.rooms.janus.subscriber import DATA_CHANNEL
from sidecar.rooms.janus.transport import JanusTimeouts, JanusTransport


class JanusPublisher:
    """Publishes one composite, under ``name``."""

    def __init__(
        self,
        transport: JanusTransport,
        tasks: TaskSet,
        name: str,
        *,
        relay_only: bool,
        timeouts: JanusTimeouts,
    ) -> None:
        self.ice_servers: Sequence[RTCIceServer] = ()
        self._transport = transport
        self._tasks = tasks
        self._name = name
        self._relay_only = relay_only
        self._timeouts = timeouts
        self._peer: SendPeer | None = None
        self._answer: asyncio.Future[str] | None = None

    def connections(self) -> list[RTCPeerConnection]:
        """The peer connection of the composite, if there is one."""
        return [] if self._peer is None else [self._peer.connection]

    async def publish(self, composite: TrackSource, *, data_channel: bool) -> None:
        """Offer ``composite`` to the server, and watch its connection from then on.

        Raises RoomError where the server does not take it, and RefusedError where it never will.
        """
        self.close()
        options = PeerOptions(
            self._name,
            self.ice_servers,
            relay_only=self._relay_only,
            timeouts=self._timeouts.peer,
        )
        channel = DATA_CHANNEL if data_channel else ""
        peer = self._peer = SendPeer(composite.subscribe(), options, data_channel=channel)
        with ExitStack() as stack:
            stack.callback(self.close)
            await self._negotiate(peer)
            stack.pop_all()
        self._tasks.create_task(self._watch(peer), name="composite")

    def handle(self, event: JanusEvent) -> None:
        """Take an event that may be about the composite."""
        match event:
            case Answered():
                if self._answer is not None and not self._answer.done():
                    self._answer.set_result(event.sdp)
            case PublishRefused():
                self.fail(event.error(""))
            case CandidateReceived(stream=stream) if stream == PUBLISHER:
                if self._peer is not None:
                    self._tasks.create_task(self._peer.add_candidate(event.candidate))

    def fail(self, error: RoomError) -> None:
        """Have ``publish`` raise ``error`` if it waits for the server."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def announce(self, event: Mapping[str, object]) -> None:
        """Send ``event`` over the data channel; it is dropped where the channel is congested."""
        if self._peer is not None:
            self._peer.send_message(json.dumps(event))

    def close(self) -> None:
        """Free the connection, by a cleanup task."""
        peer, self._peer = self._peer, None
        if peer is not None:
            self._tasks.create_cleanup(peer.aclose(), name="close composite")

    async def _negotiate(self, peer: SendPeer) -> None:
        offer = await peer.offer()
        self._answer = asyncio.get_running_loop().create_future()
        with self._transport.send_context() as protocol:
            protocol.publish(self._name, offer, peer.mid)
        try:
            async with asyncio.timeout(self._timeouts.publish):
                answer = await self._answer
        except TimeoutError as error:
            raise RoomError("the server does not answer the composite's offer") from error
        await peer.accept(answer)

    async def _watch(self, peer: SendPeer) -> None:
        """Fail when the connection of the composite is over, unless it was closed here."""
        reason = await peer.wait_over()
        if peer is self._peer:
            raise composite_lost(reason)


def composite_lost(reason: str) -> LostError:
    """The error that ends a room whose composite is not received any more."""
    return LostError(
        f"the composite's connection was lost: {reason}",
        do=f"if it never connects, {OPEN_UDP}",
    )
