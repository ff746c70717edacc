"""``Peer``: one peer connection from its negotiation to its end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog
from aiortc import RTCDataChannel, RTCIceCandidate, RTCIceServer, RTCSessionDescription

from config.errors import NegotiationError
from sidecar.aio import Broadcast, Component
from sidecar.captured import Captured
from sidecar.media.aiortc_patches import allow_checks, handshake_failure, ice_pair
from sidecar.media.h264 import OfferedFormats, replace_h264_formats, restore_h264_formats
from sidecar.media.ice import CandidateBudget, CandidateBuffer, drop_unusable_candidates
from sidecar.media.peer_connection import CLOSE_TIMEOUT, close, peer_connection
from sidecar.media.sdp import complete_directions, parse_description
from sidecar.media.transports import check_transports

log = structlog.get_logger(__name__)

NO_MEDIA_PATH: Final = "ICE failed: no media path to the other side"
DTLS_UNKNOWN: Final = "the certificate is not the announced one, or no SRTP profile is shared"
OPEN_UDP: Final = "let UDP through, or name a TURN server"


@dataclass(frozen=True, slots=True)
class PeerTimeouts:
    """How long each step of a peer connection may take, in seconds."""

    negotiation: float = 10.0
    """One description: gathering from a STUN or TURN server that is down takes 5 s."""
    connection: float = 15.0
    """From the second description until media can flow."""
    close: float = CLOSE_TIMEOUT


@dataclass(frozen=True, slots=True)
class PeerOptions:
    """What every kind of peer connection is made from."""

    participant: str
    """Names it in the log."""
    ice_servers: Iterable[RTCIceServer] = ()
    relay_only: bool = False
    """Send media through a TURN server only."""
    timeouts: PeerTimeouts = PeerTimeouts()
    on_change: Callable[[], None] | None = None
    """Called after each change of its state."""
    on_message: Callable[[str | bytes], None] | None = None
    """Called with each message that comes over a data channel."""


class Peer(Component):
    """One peer connection from ``start`` to ``aclose``: negotiated, watched and freed.

    Every method that negotiates raises NegotiationError and nothing else; the connection is of no
    use after that.
    """

    def __init__(self, options: PeerOptions) -> None:
        self.participant = options.participant
        self.timeouts = options.timeouts
        self.connection = peer_connection(options.ice_servers, relay_only=options.relay_only)
        """aiortc's: to look at, and for subclasses."""
        self.reason = ""
        """Why the connection is over, if it is."""
        self._on_change = options.on_change
        self._on_message = options.on_message
        self._changed = Broadcast()
        self._negotiating = asyncio.Lock()
        self._candidates = CandidateBuffer()
        self._described = False
        self._budget = CandidateBudget()
        self._allowance: int | None = None
        self._formats: OfferedFormats = {}
        self._closed = False
        self.connection.on("connectionstatechange", self._state_changed)
        self.connection.on("datachannel", self.listen)

    async def start(self) -> None:
        """Start what belongs to the connection; it is negotiated by the other methods."""

    async def aclose(self) -> None:
        """Free the connection, its tasks and sockets; more than once is harmless."""
        self._closed = True
        self.reason = self.reason or "closed here"
        await close(self.connection, self.timeouts.close)
        self._changed.notify()

    @property
    def connected(self) -> bool:
        """Whether media can flow."""
        return self.connection.connectionState == "connected"

    @property
    def over(self) -> bool:
        """Whether the connection failed or was closed (ICE alone takes aiortc 30 s to notice)."""
        return self._closed or self.connection.connectionState in ("closed", "failed")

    async def wait_connected(self) -> None:
        """Wait until media can flow; raises NegotiationError if it can't in time."""
        try:
            async with asyncio.timeout(self.timeouts.connection):
                await self._changed.wait_for(lambda: self.connected or self.over)
        except TimeoutError as error:
            reason = f"no media path after {self.timeouts.connection:g} s"
            log.warning("peer connection failed", participant=self.participant, reason=reason)
            raise NegotiationError(NO_MEDIA_PATH, do=OPEN_UDP, timed_out=True) from error
        if self.over:
            raise NegotiationError(self.reason or NO_MEDIA_PATH, do=OPEN_UDP)

    async def wait_over(self) -> str:
        """Wait until the connection is over, and return the reason."""
        await self._changed.wait_for(lambda: self.over)
        return self.reason

    def distrust(self, budget: CandidateBudget, received: int) -> None:
        """Take candidates within ``budget``, and send them no more bytes than the other side sent.

        ``received`` are the bytes of its offer. Call it before the negotiation; ``add_allowance``
        counts what comes later. An address that answers has no such limit.
        """
        self._budget = budget
        self._allowance = received

    def add_allowance(self, received: int) -> None:
        """The other side sent ``received`` bytes of signalling more."""
        if self._allowance is not None:
            allow_checks(self.connection, received)

    async def add_candidate(self, candidate: RTCIceCandidate) -> None:
        """Add a remote candidate; it is kept until the remote description is set.

        A candidate that aiortc refuses is logged and left out: there may be better ones. One beyond
        the budget is left out.
        """
        if not self._budget.admits(candidate):
            return
        if not self._described:
            self._candidates.add(candidate)
            return
        # aiortc and aioice meet odd candidates with any exception: ValueError, OSError, …
        with Captured() as attempt:
            await self.connection.addIceCandidate(candidate)
        if attempt.error is not None:
            reason = repr(attempt.error)
            log.info("candidate ignored", participant=self.participant, reason=reason)

    async def bytes_received(self) -> int:
        """Bytes that came over the transport, receiver reports included."""
        report = await self.connection.getStats()
        return sum(stats.bytesReceived for stats in report.values() if stats.type == "transport")

    async def responds(self, seconds: float) -> bool:
        """Whether the other side answers a consent check (RFC 7675) within ``seconds``.

        True where it can't be asked.
        """
        try:
            async with asyncio.timeout(seconds):
                pair = await ice_pair(self.connection)
        except TimeoutError:
            return False
        return pair is None or pair.round_trip is not None

    def listen(self, channel: RTCDataChannel) -> None:
        """Pass the messages of ``channel`` to ``on_message``."""
        if self._on_message is not None:
            channel.on("message", self._on_message)

    async def answer_offer(self, offer: str, prepare: Callable[[], Awaitable[None]]) -> str:
        """Set the remote ``offer``, ``prepare`` the transceivers, and return the answer.

        The answer has all our candidates. Offers are answered one at a time, and not during the
        DTLS handshake: aiortc never starts a receiver that is negotiated then.
        """
        async with self._negotiating, self._step("the offer can't be answered"):
            await self._changed.wait_for(lambda: self.connection.connectionState != "connecting")
            self._check_open()
            await self._set_remote(offer, "offer")
            await prepare()
            await self.connection.setLocalDescription()
            self._check_open()
            return restore_h264_formats(self.connection.localDescription.sdp, self._formats)

    async def make_offer(self) -> str:
        """Return our offer, with all our candidates."""
        async with self._negotiating, self._step("no offer can be made"):
            self._check_open()
            await self.connection.setLocalDescription(await self.connection.createOffer())
            self._check_open()
        return self.connection.localDescription.sdp

    async def accept(self, answer: str) -> None:
        """Set the other side's answer to our offer."""
        async with self._negotiating, self._step("the answer can't be used"):
            self._check_open()
            await self._set_remote(answer, "answer")

    async def _set_remote(self, sdp: str, kind: str) -> None:
        kept = complete_directions(drop_unusable_candidates(sdp, self._budget))
        kept, self._formats = replace_h264_formats(kept)
        check_transports(parse_description(kept), kind)
        await self.connection.setRemoteDescription(RTCSessionDescription(kept, kind))
        if self._allowance is not None:
            allow_checks(self.connection, self._allowance)
        self._described = True
        for candidate in self._candidates.take():
            await self.add_candidate(candidate)

    def _check_open(self) -> None:
        if self.over:
            raise NegotiationError(self.reason or "the connection is closed")

    @asynccontextmanager
    async def _step(self, failure: str) -> AsyncIterator[None]:
        """Bound a step of the negotiation, and turn every failure into a NegotiationError."""
        try:
            async with asyncio.timeout(self.timeouts.negotiation):
                yield
        except NegotiationError as error:
            self._log_failure(error.what)
            raise
        except TimeoutError as error:
            reason = f"{failure}: not done after {self.timeouts.negotiation:g} s"
            self._log_failure(reason)
            raise NegotiationError(reason, do=OPEN_UDP, timed_out=True) from error
        except Exception as error:
            # aiortc meets a description that it can't take with any exception: ValueError,
            # KeyError, AttributeError, …
            reason = f"{failure}: {error!r}"[:300]
            self._log_failure(reason)
            raise NegotiationError(reason) from error

    def _log_failure(self, reason: str) -> None:
        if not self._closed:
            log.info("negotiation failed", participant=self.participant, reason=reason)

    def _state_changed(self) -> None:
        if self.over and not self._closed and not self.reason:
            self.reason = self._failure()
            fields = {"participant": self.participant, "reason": self.reason}
            if self.connection.connectionState == "failed":
                log.warning("peer connection failed", **fields)
            else:
                log.info("peer connection closed", **fields)
        self._changed.notify()
        if self._on_change is not None:
            self._on_change()

    def _failure(self) -> str:
        """Which layer failed, by the states of the transports."""
        transports = [one.receiver.transport for one in self.connection.getTransceivers()]
        if self.connection.sctp is not None:
            transports.append(self.connection.sctp.transport)
        if "failed" in {transport.transport.state for transport in transports}:
            return NO_MEDIA_PATH
        broken = [transport for transport in transports if transport.state == "failed"]
        if broken:
            why = next(filter(None, map(handshake_failure, broken)), DTLS_UNKNOWN)
            return f"DTLS failed: {why}"
        return "the other side closed the connection"
