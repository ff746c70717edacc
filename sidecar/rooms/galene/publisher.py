"""Publish the composite into a group, and offer it again when it is lost."""

import asyncio
import math
import secrets
from collections.abc import Sequence
from typing import Final

import structlog
from aiortc import RTCPeerConnection

from config.errors import NegotiationError, RefusedError, RoomError
from sidecar.aio import Backoff, Broadcast, TaskSet
from sidecar.media.ice import choose_servers
from sidecar.media.peer import PeerOptions
from sidecar.media.send_peer import SendPeer
from sidecar.rooms.base import JoinOptions, TrackSource
from sidecar.rooms.events import (
    Answered,
    CandidateReceived,
    Entered,
    ParticipantsChanged,
    Unpublished,
)
from sidecar.rooms.galene.protocol import ServerWarning
from sidecar.rooms.galene.transport import GaleneTimeouts, GaleneTransport

log = structlog.get_logger(__name__)

REPUBLISH: Final = Backoff(first=0.5, factor=2.0, longest=30.0)
"""Delays before the composite is offered again, in seconds."""
MAX_RENEWALS: Final = 5
"""How often the composite is offered again for participants who joined as it started: in a group
that many join all the time, the others must not lose the picture for ever."""


class _Publication:
    """One stream of ours: an offer, the server's answer, and the connection."""

    def __init__(self, peer: SendPeer) -> None:
        loop = asyncio.get_running_loop()
        self.stream = secrets.token_hex(16)
        self.peer = peer
        self.offered_at = math.inf
        """When the offer was made, on the loop's clock."""
        self.connected_at = math.inf
        """When media could flow, on the loop's clock."""
        self.answer: asyncio.Future[str] = loop.create_future()
        """The server's answer to the offer, or the reason why there is none."""

    def fail(self, reason: str) -> None:
        """The server does not answer the offer."""
        if not self.answer.done():
            self.answer.set_exception(NegotiationError(f"the composite is refused: {reason}"))
            # The exception is retrieved here, since not every publication's answer is awaited.
            self.answer.exception()


class GalenePublisher:
    """Publishes the composite: one stream at a time, renewed as long as the room is entered."""

    def __init__(
        self,
        transport: GaleneTransport,
        tasks: TaskSet,
        options: JoinOptions,
        timeouts: GaleneTimeouts,
    ) -> None:
        self._transport = transport
        self._tasks = tasks
        self._options = options
        self._timeouts = timeouts
        self._entered = Entered(may_publish=False)
        self._permitted = Broadcast()
        self._publication: _Publication | None = None
        self._arrived_at = -math.inf
        """When a participant joined last, on the loop's clock."""
        self._failures = 0
        """Publications that failed in a row."""
        self._renewals = 0

    def configure(self, entered: Entered) -> None:
        """Use the group's ICE servers for new connections, and our permission to present."""
        self._entered = entered
        self._permitted.notify()

    def connections(self) -> Sequence[RTCPeerConnection]:
        """The peer connections of this moment."""
        return [] if self._publication is None else [self._publication.peer.connection]

    async def publish(self, composite: TrackSource) -> None:
        """Publish ``composite`` until the room is left; call it once.

        Raises RefusedError without the permission, RoomError where the server does not take it.
        """
        if not self._entered.may_publish:
            raise RefusedError(
                "the sidecar may not present in this group",
                do="give the sidecar's user the permission “present”, or use --publish",
            )
        publication = await self._offer(composite)
        self._tasks.create_task(
            self._keep_published(composite, publication), name="galene publisher"
        )

    def handle(
        self,
        event: Answered | CandidateReceived | Unpublished | ParticipantsChanged | ServerWarning,
    ) -> None:
        """React to what the server says about our stream; returns at once."""
        publication = self._publication
        match event:
            case ParticipantsChanged():
                self._arrived_at = asyncio.get_running_loop().time()
            case ServerWarning() if publication is not None:
                # It may be about our offer, if that is not answered yet.
                publication.fail(event.text)
            case Answered() | CandidateReceived() | Unpublished():
                if publication is not None and publication.stream == event.stream:
                    self._handle(event, publication)

    async def aclose(self) -> None:
        """Free the connection."""
        publication, self._publication = self._publication, None
        if publication is not None:
            await publication.peer.aclose()

    def _handle(
        self, event: Answered | CandidateReceived | Unpublished, publication: _Publication
    ) -> None:
        match event:
            case Answered() if not publication.answer.done():
                publication.answer.set_result(event.sdp)
            case CandidateReceived():
                self._tasks.create_task(publication.peer.add_candidate(event.candidate))
            case Unpublished():
                reason = event.reason or "the server ended the stream"
                publication.fail(reason)
                publication.peer.reason = publication.peer.reason or reason
                self._tasks.create_cleanup(publication.peer.aclose())

    async def _offer(self, composite: TrackSource, replaces: str = "") -> _Publication:
        """Offer ``composite`` as a new stream, and take the server's answer.

        Raises NegotiationError where that fails; then there is no stream.
        """
        options = PeerOptions(
            "composite",
            choose_servers(
                self._options.ice_servers, self._entered.ice_servers, attempt=self._failures
            ),
            relay_only=self._options.relay_only or self._entered.relay_only,
            timeouts=self._timeouts.peer,
        )
        peer = SendPeer(composite.subscribe(), options)
        publication = self._publication = _Publication(peer)
        try:
            await peer.start()
            publication.offered_at = asyncio.get_running_loop().time()
            offer = await peer.offer()
            with self._transport.send_context() as protocol:
                protocol.offer(publication.stream, offer, replaces=replaces)
            async with asyncio.timeout(self._timeouts.answer):
                answer = await publication.answer
            await peer.accept(answer)
        except TimeoutError as error:
            self._discard(publication)
            what = "the server did not answer the offer of the composite in time"
            raise NegotiationError(what, timed_out=True) from error
        except RoomError:
            self._discard(publication)
            raise
        return publication

    async def _keep_published(
        self, composite: TrackSource, publication: _Publication | None
    ) -> None:
        """Offer ``composite`` again after each loss."""
        while True:
            try:
                if publication is None:
                    publication = await self._offer(composite)
                publication = await self._attend(composite, publication)
                reason = await publication.peer.wait_over()
            except NegotiationError as error:
                reason = str(error)
            log.info("composite offered again", reason=reason)
            if publication is not None:
                self._discard(publication)
                publication = None
            await asyncio.sleep(REPUBLISH.delay(self._failures))
            self._failures += 1
            await self._permitted.wait_for(lambda: self._entered.may_publish)

    async def _attend(self, composite: TrackSource, publication: _Publication) -> _Publication:
        """Wait for the connection, and renew the publication while participants missed it.

        A client that requests streams while one is starting is sent a ``close`` for it, and no
        offer later.
        """
        loop = asyncio.get_running_loop()
        while True:
            await publication.peer.wait_connected()
            publication.connected_at = loop.time()
            self._failures = 0
            await asyncio.sleep(self._timeouts.settle)
            if not self._missed(publication) or self._renewals >= MAX_RENEWALS:
                return publication
            self._renewals += 1
            self._arrived_at = -math.inf
            replaced = publication
            try:
                publication = await self._offer(composite, replaces=replaced.stream)
            finally:
                self._tasks.create_cleanup(replaced.peer.aclose())

    def _missed(self, publication: _Publication) -> bool:
        """Whether a participant who joined last requested streams while this one was starting."""
        begin = publication.offered_at - self._timeouts.settle
        return begin < self._arrived_at < publication.connected_at + self._timeouts.settle

    def _discard(self, publication: _Publication) -> None:
        """Close a stream of ours, and free its connection in the background."""
        if self._publication is publication:
            self._publication = None
        with self._transport.send_context() as protocol:
            protocol.withdraw(publication.stream)
        publication.fail("it was withdrawn")
        self._tasks.create_cleanup(publication.peer.aclose())
