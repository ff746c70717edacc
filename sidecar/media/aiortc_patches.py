"""The one file that touches private parts of aiortc; each is tested against the installed one.

Written against aiortc 1.16. Where the version or the part is another, everything still works
through the public interface: a frame interval later a hop, frozen for longer after an outage, with
key frames every few seconds instead of at once when a viewer lost the picture, and for a tenth more
of a core with a dozen cameras.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, cast

import aioice.ice
import aiortc
import aiortc.rtcicetransport
import aiortc.rtcpeerconnection
import aiortc.rtcrtpreceiver
import structlog
from aioice import stun
from aioice.stun import TransactionError
from aiortc import (
    RTCCertificate,
    RTCDtlsTransport,
    RTCPeerConnection,
    RTCRtpCodecParameters,
    RTCRtpSender,
    RTCRtpTransceiver,
)
from aiortc.codecs import get_decoder
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.mediastreams import VIDEO_CLOCK_RATE
from aiortc.rtcdtlstransport import SRTP_PROFILES, SRTPProtectionProfile
from aiortc.rtcrtpreceiver import NackGenerator, TimestampMapper
from aiortc.rtp import RtpPacket
from aiortc.utils import uint16_add
from OpenSSL import SSL

from sidecar.media.decoder import (
    Decoder,
    FrameCipher,
    decode_stream,
    decrypt_frames,
    name_frames,
)

log = structlog.get_logger(__name__)

KNOWN = "1.16"

MAX_WAIT = 1.0
"""Seconds of video that may come while a lost packet is waited for; resending takes 0.1–0.3."""
ASK_AGAIN = 1.0
"""Seconds after which a request for a key frame is repeated."""
PATIENCE = 4.0
"""Seconds without a key frame after which damaged pictures are better than none."""
H264_IDR, H264_SPS = 5, 7
ROUND_TRIP = 2.0
"""Seconds that the other side gets to answer one consent check."""

_RECEIVER_STATE = (
    "active_ssrc",
    "codecs",
    "jitter_buffer",
    "nack_generator",
    "remote_streams",
    "rtx_ssrc",
    "timestamp_mapper",
)
"""What a receiver knows of the stream that it receives."""


def known_version() -> bool:
    """Whether the installed aiortc is one that this file was written against.

    Another version is logged once a process.
    """
    return _is_known(aiortc.__version__)


@cache
def _is_known(version: str) -> bool:
    known = version.split(".")[:2] == KNOWN.split(".")
    if not known:
        log.warning("aiortc version unknown", version=version, known=KNOWN, reason="no patches")
    return known


class VideoJitterBuffer(JitterBuffer):
    """A jitter buffer that hands a video frame over at once, and no damaged one after a loss.

    aiortc's own waits for the first packet of the next frame: 33 ms at 30 frames a second, 66 ms at
    15. The marker bit says the same at once (RFC 7741 §4.1, RFC 6184 §5.1). And it waits for lost
    packets until 512 have come (8 s at 600 kb/s, half a minute for a small picture), to release
    dozens of frames that lack their references. This one gives up after a second and then holds
    back what comes before the next key frame.
    """

    _origin: int | None
    _packets: list[RtpPacket | None]
    _lost_at: int | None = None
    """The timestamp at which frames were lost, until a key frame restores the picture."""
    _asked_at = 0

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """Take a packet in; whether to ask for a key frame, and the frame that is ready now."""
        lost, frame = super().add(packet)
        if not self._is_video:
            return lost, frame
        if frame is None and self._starves(packet):
            self.remove(uint16_add(packet.sequence_number, -(self._origin or 0)))
            lost, frame = True, self._remove_frame(packet.sequence_number)
        if lost:
            self._lost_at = self._asked_at = packet.timestamp
        if self._lost_at is None:
            return lost, frame
        if frame is not None and (
            is_key_frame(frame.data) or _elapsed(frame.timestamp, self._lost_at) > PATIENCE
        ):
            self._lost_at = None
            return lost, frame
        if _elapsed(packet.timestamp, self._asked_at) > ASK_AGAIN:
            self._asked_at = packet.timestamp
            lost = True
        return lost, None

    def _starves(self, packet: RtpPacket) -> bool:
        """Whether ``packet`` begins a frame and too much has come since packets went missing."""
        before = self._packets[uint16_add(packet.sequence_number, -1) % self.capacity]
        if before is None or before.timestamp == packet.timestamp or self._origin is None:
            return False
        waiting = (self._packets[(self._origin + n) % self.capacity] for n in range(self.capacity))
        oldest = next(filter(None, waiting))
        return _elapsed(packet.timestamp, oldest.timestamp) > MAX_WAIT

    def _remove_frame(self, sequence_number: int) -> JitterFrame | None:
        if not self._is_video:
            return super()._remove_frame(sequence_number)
        self._skip_padding()
        assert self._origin is not None
        parts: list[bytes] = []
        timestamp: int | None = None
        for count in range(self.capacity):
            packet = self._packets[(self._origin + count) % self.capacity]
            if packet is None:
                return None
            if timestamp is not None and packet.timestamp != timestamp:
                # A sender that sets no marker: the next frame's first packet ends this one.
                return self._take(count, parts, timestamp)
            timestamp = packet.timestamp
            parts.append(_content(packet))
            if packet.marker:
                return self._take(count + 1, parts, timestamp)
        return None

    def _take(self, count: int, parts: list[bytes], timestamp: int) -> JitterFrame:
        self.remove(count)
        return JitterFrame(b"".join(parts), timestamp)

    def _skip_padding(self) -> None:
        """Drop packets without payload (bandwidth probes) that follow a frame's last packet.

        They bear the frame's timestamp, and an empty frame would end the decoder's stream.
        """
        for _ in range(self.capacity):
            assert self._origin is not None
            packet = self._packets[self._origin % self.capacity]
            if packet is None or _content(packet):
                return
            self.remove(1)


def _content(packet: RtpPacket) -> bytes:
    """What aiortc's receiver found in the packet's payload, and leaves there for its buffer."""
    return cast("bytes", vars(packet)["_data"])


def is_key_frame(data: bytes) -> bool:
    """Whether a frame of VP8 (RFC 6386 §9.1) or H.264 (Annex B) needs none that came before."""
    if data[3:6] == b"\x9d\x01\x2a":
        return data[0] & 1 == 0
    units = data[:256].split(b"\x00\x00\x01")[1:]
    return any(unit[:1] and unit[0] & 0x1F in (H264_IDR, H264_SPS) for unit in units)


def _elapsed(later: int, earlier: int) -> float:
    """Seconds between two RTP timestamps of video; negative if ``later`` is the earlier one."""
    ticks = (later - earlier) & 0xFFFFFFFF
    return (ticks - (1 << 32) if ticks >> 31 else ticks) / VIDEO_CLOCK_RATE


def use_video_buffer() -> bool:
    """Give ``VideoJitterBuffer`` to receivers made from now on; False if aiortc is unknown."""
    fits = known_version() and hasattr(JitterBuffer, "_remove_frame")
    if fits:
        vars(aiortc.rtcrtpreceiver)["JitterBuffer"] = VideoJitterBuffer
    return fits


def use_own_decoding() -> bool:
    """Let ``decode_stream`` decode for receivers made from now on; False if aiortc is unknown."""
    fits = known_version() and hasattr(aiortc.rtcrtpreceiver, "decoder_worker")
    if fits:
        vars(aiortc.rtcrtpreceiver)["decoder_worker"] = partial(decode_stream, other=_stock_decoder)
    return fits


def name_track(track: object, participant: str) -> None:
    """Let the log lines about the decoder of ``track`` name ``participant``; nothing for tracks
    that aiortc does not decode."""
    if (frames := getattr(track, "_queue", None)) is not None:
        name_frames(frames, participant)


def decrypt_track(track: object, cipher: FrameCipher | None) -> bool:
    """Let ``cipher`` decrypt the frames of ``track`` before they are decoded; None: not any more.

    False for tracks that are not decoded by ``decode_stream``: their frames stay unreadable.
    """
    frames = getattr(track, "_queue", None)
    if frames is None:
        return cipher is None
    decrypt_frames(frames, cipher)
    return True


def _stock_decoder(codec: RTCRtpCodecParameters) -> Decoder:
    # It asks for aiortc's own class of frames, and that is all it is ever given.
    return cast("Decoder", get_decoder(codec))


DTLS_CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-SHA"
    ":ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305"
    ":ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA"
)
"""aiortc's ciphers for ECDSA certificates, and the same for RSA ones, which GStreamer's webrtcbin
makes by default. RFC 8827 §6.5 asks for the first of them alone."""


class _HandshakeRecorder:
    """Stands in for a DTLS connection during its handshake, to keep the error that ends it."""

    def __init__(self, inner: SSL.Connection, on_failure: Callable[[str], None]) -> None:
        self._inner = inner
        self._on_failure = on_failure
        self._reason = ""

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def do_handshake(self) -> None:
        """Go on with the handshake; the reason of a failure is reported before it is raised."""
        try:
            self._inner.do_handshake()
        except SSL.WantReadError:
            raise
        except SSL.Error as error:
            self._on_failure(_openssl_reason(error) or self._reason or "the connection broke")
            raise

    def recv(self, length: int) -> bytes:
        """Read; aiortc does so for each datagram of the handshake, and drops what is raised."""
        try:
            return self._inner.recv(length)
        except SSL.Error as error:
            self._reason = _openssl_reason(error) or self._reason
            raise


def _openssl_reason(error: SSL.Error) -> str:
    """The words of OpenSSL's error queue: the last of each entry says what is wrong.

    Empty where the queue is, as for an error that was taken from it before.
    """
    queue = error.args[0] if error.args and isinstance(error.args[0], list) else []
    reasons = [str(entry[-1]) for entry in queue if isinstance(entry, tuple) and entry]
    return ", ".join(reasons)


class _Certificate(RTCCertificate):
    """A certificate whose connections take RSA peers too."""

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        context = super()._create_ssl_context(srtp_profiles)
        context.set_cipher_list(DTLS_CIPHERS.encode())
        return context


class _DtlsTransport(RTCDtlsTransport):
    """A transport that remembers why its handshake failed."""

    handshake_failure = ""

    async def _do_handshake(self) -> None:
        connection = self._ssl
        assert connection is not None, "aiortc makes it before the handshake"
        recorder = _HandshakeRecorder(connection, self._note_failure)
        self._ssl = cast("SSL.Connection", recorder)
        try:
            await super()._do_handshake()
        finally:
            self._ssl = connection

    def _note_failure(self, reason: str) -> None:
        self.handshake_failure = reason


def use_rsa_ciphers() -> bool:
    """Let connections made from now on meet peers with RSA certificates, and keep DTLS errors.

    False if aiortc is unknown: such peers fail then with "no shared cipher", as aiortc has it.
    """
    fits = known_version() and hasattr(RTCCertificate, "_create_ssl_context")
    fits = fits and hasattr(RTCDtlsTransport, "_do_handshake")
    if fits:
        names = vars(aiortc.rtcpeerconnection)
        names["RTCCertificate"] = _Certificate
        names["RTCDtlsTransport"] = _DtlsTransport
    return fits


def dtls_suites() -> tuple[str, ...]:
    """The cipher suites of DTLS 1.2 that our connections offer and take, by OpenSSL's names."""
    kind = _Certificate if use_rsa_ciphers() else RTCCertificate
    context = kind.generateCertificate()._create_ssl_context(SRTP_PROFILES)
    names = SSL.Connection(context, None).get_cipher_list()
    # The suites of TLS 1.3, which DTLS 1.2 does not use, stand in the same list.
    return tuple(name for name in names if not name.startswith("TLS_"))


def handshake_failure(transport: RTCDtlsTransport) -> str:
    """What ended the DTLS handshake of ``transport``, in OpenSSL's words; empty if not known."""
    return str(getattr(transport, "handshake_failure", ""))


MAX_REMOTE_ADDRESSES = 64
"""Addresses of one connection that checks come from or go to; real peers have a dozen."""
CLOSED_WHILE_GATHERING = "the connection was closed while it gathered candidates"


class _IceConnection(aioice.ice.Connection):
    """An ICE connection that can bound its checks to addresses that never answered.

    A client can name the address of a third party as its candidate, and aioice sends seven checks
    to each. The limit is the amplification limit of QUIC (RFC 9000 §8.1) with a factor of one.

    It also closes every socket that its gathering opened. aioice closes those of a gathering that
    came to its end before ``close``, and leaks those of one that is cancelled or still runs.
    """

    allowance: int | None = None
    """Bytes that may still be sent to such addresses; None without a limit."""

    def __init__(self, ice_controlling: bool, **options: Any) -> None:
        super().__init__(ice_controlling, **options)
        self._open: set[_StunProtocol] = set()
        self._lookups: set[asyncio.Task[Any]] = set()

    def opened(self, protocol: "_StunProtocol") -> None:
        """A socket of ours is open; it is closed at once where the connection is."""
        self._open.add(protocol)
        if self._closing:
            protocol.transport.close()

    def lost(self, protocol: "_StunProtocol") -> None:
        """A socket of ours is closed."""
        self._open.discard(protocol)

    @contextmanager
    def lookup(self) -> Iterator[None]:
        """The current task asks a STUN or TURN server for a candidate; ``close`` ends it.

        What ends so has failed, for the gathering: a cancelled lookup would cancel that.
        """
        task = asyncio.current_task()
        assert task is not None, "aioice makes a task of each lookup"
        self._lookups.add(task)
        task.add_done_callback(self._lookup_done)
        if self._closing:
            raise ConnectionError(CLOSED_WHILE_GATHERING)
        try:
            yield
        except asyncio.CancelledError:
            if not self._closing:
                raise
            raise ConnectionError(CLOSED_WHILE_GATHERING) from None

    def _lookup_done(self, task: asyncio.Task[Any]) -> None:
        self._lookups.discard(task)
        if not task.cancelled():
            # A gathering that was cancelled does not look, and asyncio would log the error.
            task.exception()

    async def close(self) -> None:
        """Close the connection, and all that a gathering has opened or still opens."""
        try:
            self._closing = True
            if lookups := tuple(self._lookups):
                # They would send on closed sockets, which asyncio logs.
                for lookup in lookups:
                    lookup.cancel()
                await asyncio.wait(lookups)
            await super().close()
        finally:
            self.free()

    def free(self) -> None:
        """Close all sockets, now and from now on, and end what asks servers for candidates."""
        self._closing = True
        for protocol in tuple(self._open):
            protocol.transport.close()
        for lookup in tuple(self._lookups):
            lookup.cancel()

    def check_incoming(
        self, message: stun.Message, addr: tuple[str, int], protocol: aioice.ice.StunProtocol
    ) -> None:
        """Take an authenticated check; its bytes count as sent by the client."""
        if self.allowance is not None:
            self.allowance += len(bytes(message))
        known = {(one._network_host, one.port) for one in self._remote_candidates}
        if addr in known or len(known) < MAX_REMOTE_ADDRESSES:
            super().check_incoming(message, addr, protocol)

    def may_send(self, message: stun.Message, addr: tuple[str, int]) -> bool:
        """Whether a request may be sent to ``addr``; if so, its bytes are counted."""
        if self.allowance is None or message.message_class is not stun.Class.REQUEST:
            return True
        pairs = [pair for pair in self._check_list if pair.remote_addr == addr]
        answered = any(pair.state is pair.State.SUCCEEDED for pair in pairs)
        if not pairs or answered or message.message_method is not stun.Method.BINDING:
            # Our own STUN or TURN server, or an address that has answered.
            return True
        size = len(bytes(message))
        if size > self.allowance:
            return False
        self.allowance -= size
        return True


class _StunProtocol(aioice.ice.StunProtocol):
    """Sends the requests of one socket, but those that the connection doesn't allow.

    The connection learns when the socket opens and when it closes.
    """

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        super().connection_made(transport)
        if isinstance(self.receiver, _IceConnection):
            self.receiver.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        super().connection_lost(exc)
        if isinstance(self.receiver, _IceConnection):
            self.receiver.lost(self)

    def send_stun(self, message: stun.Message, addr: tuple[str, int]) -> None:
        """Send ``message``, or drop it as the network might: it is repeated later."""
        connection = self.receiver
        if not isinstance(connection, _IceConnection) or connection.may_send(message, addr):
            super().send_stun(message, addr)


async def _reflexive_candidate(protocol: _StunProtocol, server: tuple[str, int]) -> object:
    """As aioice's ``server_reflexive_candidate``; the connection can end it."""
    connection = protocol.receiver
    with connection.lookup() if isinstance(connection, _IceConnection) else nullcontext():
        return await STOCK_REFLEXIVE(protocol, server)


async def _relayed_candidate(
    *, protocol_factory: Callable[[], aioice.ice.StunProtocol], **options: Any
) -> object:
    """As aioice's ``relayed_candidate``; the connection can end it."""
    connection = protocol_factory().receiver
    with connection.lookup() if isinstance(connection, _IceConnection) else nullcontext():
        return await STOCK_RELAYED(protocol_factory=protocol_factory, **options)


STOCK_REFLEXIVE = aioice.ice.server_reflexive_candidate
STOCK_RELAYED = aioice.ice.relayed_candidate


def use_own_ice() -> bool:
    """Let ``allow_checks`` bound connections made from now on, and ``free_sockets`` free them.

    False if aiortc is unknown.
    """
    fits = known_version() and hasattr(aioice.ice.StunProtocol, "send_stun")
    fits = fits and hasattr(aioice.ice.Connection, "check_incoming")
    fits = fits and hasattr(aiortc.rtcicetransport, "Connection")
    if fits:
        vars(aiortc.rtcicetransport)["Connection"] = _IceConnection
        names = vars(aioice.ice)
        names["StunProtocol"] = _StunProtocol
        names["server_reflexive_candidate"] = _reflexive_candidate
        names["relayed_candidate"] = _relayed_candidate
    return fits


def free_sockets(connection: RTCPeerConnection) -> bool:
    """Close the sockets of ``connection``, whose ``close`` did not come to its end.

    False if aiortc is unknown: they are leaked then. A connection that is closed has none.
    """
    transports = vars(connection).get("_RTCPeerConnection__iceTransports")
    if not known_version() or transports is None:
        return False
    for transport in transports:
        if isinstance(ice := transport._connection, _IceConnection):
            ice.free()
    return True


def allow_checks(connection: RTCPeerConnection, size: int) -> bool:
    """Let ICE checks of ``size`` bytes more go to addresses that never answered.

    Before the first call there is no limit. False if aiortc is unknown: there is none then.
    """
    ice = _ice(connection)
    if not isinstance(ice, _IceConnection):
        return False
    ice.allowance = (ice.allowance or 0) + size
    return True


def on_picture_loss(sender: RTCRtpSender, act: Callable[[], None]) -> bool:
    """Call ``act`` whenever the viewer at ``sender`` asks for a key frame (PLI or FIR).

    False where this aiortc is unknown: nothing is called then, and the key frame that the encoder
    makes every few seconds has to do.
    """
    if not known_version() or not hasattr(sender, "_send_keyframe"):
        return False
    vars(sender)["_send_keyframe"] = act
    return True


@dataclass(frozen=True, slots=True)
class IcePair:
    """The way that media takes: both ends, and how long it is."""

    local: str
    """Type and transport of our candidate, such as ``host udp``."""
    remote: str
    round_trip: float | None
    """Seconds; None where the other side did not answer in time."""


async def ice_pair(connection: RTCPeerConnection) -> IcePair | None:
    """The pair of candidates that ICE chose for ``connection``; None before that, or if unknown.

    The round trip is one consent check (RFC 7675), as ICE makes them all the time.
    """
    ice = _ice(connection)
    pair = None if ice is None else next(iter(ice._nominated.values()), None)
    if ice is None or pair is None or ice.remote_password is None:
        return None
    loop = asyncio.get_running_loop()
    began, round_trip = loop.time(), None
    try:
        async with asyncio.timeout(ROUND_TRIP):
            await pair.protocol.request(
                ice.build_request(pair, nominate=False),
                pair.remote_addr,
                integrity_key=ice.remote_password.encode(),
            )
        round_trip = loop.time() - began
    except (TransactionError, TimeoutError, OSError):
        pass
    ends = (pair.local_candidate, pair.remote_candidate)
    local, remote = (f"{end.type} {end.transport}" for end in ends)
    return IcePair(local, remote, round_trip)


def _ice(connection: RTCPeerConnection) -> aioice.ice.Connection | None:
    """The ICE connection of the first transport in use."""
    transports = [
        *(one.receiver.transport for one in connection.getTransceivers()),
        *([connection.sctp.transport] if connection.sctp else []),
    ]
    if not known_version() or not transports:
        return None
    ice = getattr(transports[0].transport, "_connection", None)
    return ice if hasattr(ice, "_nominated") else None


def take_over(transceiver: RTCRtpTransceiver, ssrcs: Sequence[int]) -> bool:
    """Make a receiver take the stream of ``ssrcs``, for which its media section is recycled.

    ``ssrcs`` are the stream's and, if there is a second, that of its resent packets. A server gives
    the section of a participant who left to the next who joins; aiortc learns SSRCs and codecs when
    it begins to receive and never again, so that nothing of the new stream would arrive. Call it
    between the offer that says so and the answer.

    False where this aiortc is unknown: the section stays dark, and only a new connection helps.
    """
    receiver = transceiver.receiver
    private = "_RTCRtpReceiver__"
    router = getattr(receiver.transport, "_rtp_router", None)
    known = {f"{private}{name}" for name in _RECEIVER_STATE} <= vars(receiver).keys()
    if not (known_version() and known and router is not None and ssrcs):
        return False
    for ssrc in [old for old, owner in router.ssrc_table.items() if owner is receiver]:
        del router.ssrc_table[ssrc]
    codecs = {codec.payloadType: codec for codec in transceiver._codecs}
    router.register_receiver(receiver, list(ssrcs), list(codecs), transceiver.mid)
    # Packets of the old stream in the buffers would delay the new one's: sequence numbers begin
    # anywhere, so that they count as lost, or as late.
    fresh = {
        "active_ssrc": {},
        "codecs": codecs,
        "jitter_buffer": VideoJitterBuffer(capacity=512, is_video=True),
        "nack_generator": NackGenerator(),
        "remote_streams": {},
        "rtx_ssrc": {ssrcs[1]: ssrcs[0]} if len(ssrcs) > 1 else {},
        "timestamp_mapper": TimestampMapper(),
    }
    for name, value in fresh.items():
        setattr(receiver, f"{private}{name}", value)
    return True
