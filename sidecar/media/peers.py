"""Peer connections: ``ReceivePeer`` for a camera, ``SendPeer`` for the composite."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog
from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceCandidate,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)

from config.errors import NegotiationError
from sidecar.aio import Broadcast, Component, Contained, finish
from sidecar.captured import Captured
from sidecar.media.aiortc_patches import (
    allow_checks,
    free_sockets,
    handshake_failure,
    ice_pair,
    on_picture_loss,
    use_own_decoding,
    use_own_ice,
    use_rsa_ciphers,
    use_video_buffer,
)
from sidecar.media.feed import Feed
from sidecar.media.h264 import OfferedFormats, replace_h264_formats, restore_h264_formats
from sidecar.media.ice import CandidateBudget, CandidateBuffer, drop_unusable_candidates
from sidecar.media.packet_track import PacketTrack
from sidecar.media.sdp import (
    ParsedDescription,
    complete_directions,
    continues,
    parse_description,
    sent_video,
)
from sidecar.media.transports import check_transports

log = structlog.get_logger(__name__)

CLOSE_TIMEOUT: Final = 5.0
"""Seconds that closing a peer connection may take."""
MAX_RECEIVED_SECTIONS: Final = 12
"""Galène adds a section for each change of layer, and each costs aiortc a receiver: after so many,
a new connection is due."""
MAX_BACKLOG: Final = 64 * 1024
"""Bytes that may wait in a data channel; beyond that, messages are dropped."""
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


def peer_connection(
    ice_servers: Iterable[RTCIceServer] = (), *, relay_only: bool = False
) -> RTCPeerConnection:
    """Make a connection that uses ``ice_servers`` and no others; close it with ``close``.

    ``relay_only`` sends media through a TURN server and in no other way.

    Without a list, aiortc asks a public STUN server, and waits up to 5 s where that can't be
    reached. Without the bundle policy, an offer that adds video sections to a connection whose
    first section is data delivers nothing.
    """
    use_video_buffer()
    use_own_decoding()
    use_rsa_ciphers()
    use_own_ice()
    return RTCPeerConnection(
        RTCConfiguration(
            iceServers=list(ice_servers),
            bundlePolicy=RTCBundlePolicy.MAX_BUNDLE,
            iceTransportPolicy=(
                RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL
            ),
        )
    )


async def close(connection: RTCPeerConnection, seconds: float = CLOSE_TIMEOUT) -> None:
    """Close ``connection`` and free what it holds; gives up after ``seconds``.

    A failure is logged and not raised: no caller could act on it. Cancellation is raised when the
    connection is closed: aiortc leaks what it has not closed when it is cancelled.
    """
    await finish(_close(connection, seconds))


async def _close(connection: RTCPeerConnection, seconds: float) -> None:
    with Contained("peer connection not closed"):
        try:
            async with asyncio.timeout(seconds):
                await connection.close()
        except TimeoutError:
            log.warning("peer connection not closed", reason=f"no end after {seconds} s")
        finally:
            free_sockets(connection)


@asynccontextmanager
async def closing(connection: RTCPeerConnection) -> AsyncIterator[RTCPeerConnection]:
    """Close ``connection`` on the way out: one that only made an offer leaks descriptors else."""
    try:
        yield connection
    finally:
        await close(connection)


def send_composite(connection: RTCPeerConnection, track: MediaStreamTrack) -> RTCRtpTransceiver:
    """Send ``track``, from an encoder's ``subscribe``, over ``connection``: VP8 and nothing else.

    Call it before any description is made or set, because aiortc ignores a codec preference that
    comes later; not for an offer whose first section is audio, of which aiortc closes the transport
    then. A viewer that lost the picture gets a key frame at once.
    """
    transceiver = connection.addTransceiver(track, direction="sendonly")
    capabilities = RTCRtpSender.getCapabilities("video")
    transceiver.setCodecPreferences(
        [
            codec
            for codec in capabilities.codecs
            if codec.mimeType.lower() in {"video/vp8", "video/rtx"}
        ]
    )
    _give_key_frames(transceiver, track)
    return transceiver


def _give_key_frames(transceiver: RTCRtpTransceiver, track: MediaStreamTrack) -> None:
    if isinstance(track, PacketTrack):
        on_picture_loss(transceiver.sender, track.request_key_frame)


class Peer(Component):
    """One peer connection from ``start`` to ``aclose``: negotiated, watched and freed.

    ``participant`` names it in the log. ``on_change`` is called after each change of its state, and
    ``on_message`` with each message that comes over a data channel. Every method that negotiates
    raises NegotiationError and nothing else; the connection is of no use after that.
    """

    def __init__(
        self,
        ice_servers: Iterable[RTCIceServer] = (),
        *,
        participant: str,
        relay_only: bool = False,
        timeouts: PeerTimeouts | None = None,
        on_change: Callable[[], None] | None = None,
        on_message: Callable[[str | bytes], None] | None = None,
    ) -> None:
        self.participant = participant
        self.timeouts = timeouts or PeerTimeouts()
        self.connection = peer_connection(ice_servers, relay_only=relay_only)
        """aiortc's: to look at, and for subclasses."""
        self.reason = ""
        """Why the connection is over, if it is."""
        self._on_change = on_change
        self._on_message = on_message
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


class ReceivePeer(Peer):
    """A connection that brings one camera; ``feed`` has its frames, and outlives changes of track.

    Either side may offer: ``answer`` the other's offers, or send ``offer`` and ``accept``. Sound
    and other sections are answered inactive, so that they are neither sent nor decoded.
    ``data_channel`` is the label of a channel to open if the offer has data (Janus sends none
    before its subscriber has opened one). A ``feed`` that is given belongs to the caller, who uses
    it for one connection after another.
    """

    def __init__(
        self,
        ice_servers: Iterable[RTCIceServer] = (),
        *,
        participant: str,
        relay_only: bool = False,
        timeouts: PeerTimeouts | None = None,
        on_change: Callable[[], None] | None = None,
        on_message: Callable[[str | bytes], None] | None = None,
        data_channel: str = "",
        feed: Feed | None = None,
    ) -> None:
        super().__init__(
            ice_servers,
            participant=participant,
            relay_only=relay_only,
            timeouts=timeouts,
            on_change=on_change,
            on_message=on_message,
        )
        self.feed = feed or Feed()
        self._owns_feed = feed is None
        self._track_ended = False
        self._label = data_channel
        self._channel: RTCDataChannel | None = None
        self._offer: ParsedDescription | None = None
        self._track: MediaStreamTrack | None = None
        self._attached: MediaStreamTrack | None = None

    async def start(self) -> None:
        if self._owns_feed:
            await self.feed.start()

    async def aclose(self) -> None:
        try:
            if self._owns_feed:
                await self.feed.aclose()
        finally:
            await super().aclose()

    async def wait_over(self) -> str:
        """Wait until the connection or its track is over, and return the reason."""
        await self._changed.wait_for(lambda: self.over or self._track_ended)
        return self.reason or "the other side ended the stream"

    def media_count(self) -> int:
        """A number that grows while the camera sends: all frames, late ones included."""
        return self.feed.frames + self.feed.late

    async def answer(self, offer: str, mid: str = "") -> str:
        """Return the answer to ``offer``, the first or a later one.

        The camera is in the section ``mid``; by default, in the last video section that is sent.
        """
        try:
            description = self._read(offer)
        except NegotiationError as error:
            self._log_failure(error.what)
            raise
        if not mid and (sections := sent_video(description)):
            mid = sections[-1].rtp.muxId

        async def prepare() -> None:
            self._receive(mid)

        answer = await self.answer_offer(offer, prepare)
        self._offer = description
        self._attach()
        return answer

    async def offer(self) -> str:
        """Return an offer to receive one video track."""
        self.connection.addTransceiver("video", direction="recvonly")
        return await self.make_offer()

    async def accept(self, answer: str) -> None:
        await super().accept(answer)
        # aiortc makes the track of a receiver with the remote description.
        (transceiver,) = self.connection.getTransceivers()
        self._track = transceiver.receiver.track
        self._attach()

    def _read(self, offer: str) -> ParsedDescription:
        try:
            description = parse_description(offer)
        except ValueError as error:
            raise NegotiationError(f"the offer can't be read: {error}") from error
        if len(description.media) > MAX_RECEIVED_SECTIONS:
            raise NegotiationError("the offer has too many sections")
        if self._offer is not None and not continues(description, self._offer):
            raise NegotiationError("the offer restarts ICE or replaces a stream")
        return description

    def _receive(self, mid: str) -> None:
        """Receive the section ``mid`` and no other."""
        camera = None
        for transceiver in self.connection.getTransceivers():
            if transceiver.kind == "video" and transceiver.mid == mid:
                transceiver.direction, camera = "recvonly", transceiver
            else:
                transceiver.direction = "inactive"
        if camera is None:
            raise NegotiationError("the offer has no video that can be decoded")
        self._track = camera.receiver.track
        if self._label and self.connection.sctp is not None and self._channel is None:
            self._channel = self.connection.createDataChannel(self._label)
            self.listen(self._channel)

    def _attach(self) -> None:
        """Read the track once media can flow: the feed's age begins then."""
        track = self._track
        if track is not None and self.connected and track is not self._attached:
            self._attached = track
            self.feed.attach(track)
            track.on("ended", partial(self._end_of, track))

    def _end_of(self, track: MediaStreamTrack) -> None:
        if track is self._track:
            self._track_ended = True
            self._changed.notify()

    def _state_changed(self) -> None:
        if self.over and self._owns_feed:
            self.feed.end()
        self._attach()
        super()._state_changed()


class SendPeer(Peer):
    """A connection that sends ``track``, from an encoder's ``subscribe``: VP8 and nothing else.

    Either ``offer`` and ``accept``, or ``answer`` a viewer's offer. The track is stopped by
    ``aclose``. ``data_channel`` is the label of a channel to send messages over; empty for none.
    """

    def __init__(
        self,
        track: MediaStreamTrack,
        ice_servers: Iterable[RTCIceServer] = (),
        *,
        participant: str,
        relay_only: bool = False,
        timeouts: PeerTimeouts | None = None,
        on_change: Callable[[], None] | None = None,
        on_message: Callable[[str | bytes], None] | None = None,
        data_channel: str = "",
    ) -> None:
        super().__init__(
            ice_servers,
            participant=participant,
            relay_only=relay_only,
            timeouts=timeouts,
            on_change=on_change,
            on_message=on_message,
        )
        self.track = track
        self._label = data_channel
        self._channel: RTCDataChannel | None = None
        self._transceiver: RTCRtpTransceiver | None = None

    @property
    def mid(self) -> str:
        """The section of the track in our offer; empty before there is one."""
        return "" if self._transceiver is None else self._transceiver.mid or ""

    async def aclose(self) -> None:
        self.track.stop()
        await super().aclose()

    async def offer(self) -> str:
        """Return an offer to send the track, and the data channel if there is one."""
        self._transceiver = send_composite(self.connection, self.track)
        if self._label:
            self._channel = self.connection.createDataChannel(self._label)
            self.listen(self._channel)
        return await self.make_offer()

    async def answer(self, offer: str) -> str:
        """Return the answer to a viewer's ``offer``, which asks for video and may list sound."""

        async def prepare() -> None:
            for transceiver in self.connection.getTransceivers():
                if transceiver.kind == "video" and self._transceiver in (None, transceiver):
                    self._send(transceiver)
                else:
                    transceiver.direction = "inactive"

        return await self.answer_offer(offer, prepare)

    def send_message(self, message: str | bytes, max_backlog: int = MAX_BACKLOG) -> bool:
        """Send ``message`` over the data channel; False where it is dropped.

        It is dropped where the channel is not open, or ``max_backlog`` bytes wait in it already.
        """
        channel = self._channel
        if channel is None or channel.readyState != "open" or channel.bufferedAmount > max_backlog:
            return False
        channel.send(message)
        return True

    def _send(self, transceiver: RTCRtpTransceiver) -> None:
        # Only now, after the offer: aiortc closes the transport of a transceiver that was there
        # before an offer whose first section is audio.
        self._transceiver = transceiver
        transceiver.sender.replaceTrack(self.track)
        transceiver.direction = "sendonly"
        _give_key_frames(transceiver, self.track)
