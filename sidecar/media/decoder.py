"""Decode one received stream, in the thread that aiortc has for it."""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Protocol, TypeAlias
from weakref import WeakKeyDictionary

import av
import structlog
from aiortc import RTCRtpCodecParameters
from aiortc.mediastreams import VIDEO_TIME_BASE
from av.frame import Frame

from sidecar.media.container.codecs import (
    MAX_PIXELS,
    announced_excess,
    declared_size,
    fits,
    kept_bytes,
    open_decoder,
)
from sidecar.media.container.picture_budget import ALL_CAMERAS, PictureBudget

log = structlog.get_logger(__name__)

DECODERS = {"video/vp8": "vp8", "video/h264": "h264"}
"""FFmpeg's decoder for each video codec, by lower-case media type. Its own for VP8 takes a quarter
less than libvpx, which aiortc uses, once a dozen streams compete for the caches."""
TIME_BASE: Fraction = VIDEO_TIME_BASE
"""The unit of time stamps on the wire, 1 / 90,000 s."""
REFUSED_INTERVAL = 5.0
"""Seconds between two requests for a key frame while the frames of a stream are too large."""


class Encoded(Protocol):
    """A frame as it was put together from packets."""

    @property
    def data(self) -> bytes: ...
    @property
    def timestamp(self) -> int:
        """In units of ``TIME_BASE``."""
        ...


class Decoder(Protocol):
    """What turns the encoded frames of one stream into pictures or sound."""

    def decode(self, encoded_frame: Encoded, /) -> Sequence[Frame]:
        """What ``encoded_frame`` completes: often one frame; av.FFmpegError if it is damaged."""
        ...


class FrameCipher(Protocol):
    """What makes a stream's frames readable that were encrypted from end to end."""

    def decrypt(self, codec: str, data: bytes, /) -> bytes | None:
        """The frame as its encoder made it; None where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class PlainFrame:
    """A frame that was decrypted."""

    data: bytes
    timestamp: int


class Frames(Protocol):
    """Where decoded frames go; None ends them."""

    def put_nowait(self, frame: Frame | None, /) -> None: ...


_PARTICIPANTS: Final[WeakKeyDictionary[Frames, str]] = WeakKeyDictionary()
_CIPHERS: Final[WeakKeyDictionary[Frames, FrameCipher]] = WeakKeyDictionary()
Work: TypeAlias = "queue.Queue[tuple[RTCRtpCodecParameters, Encoded] | None]"


class VideoDecoder:
    """Decodes one stream with the FFmpeg decoder ``name``, each frame as soon as it is there.

    Frames that would take too much memory are dropped, and so is what refers to them, until a
    frame comes that announces a permitted size.
    """

    def __init__(self, name: str, budget: PictureBudget = ALL_CAMERAS) -> None:
        self._name = name
        self._budget = budget
        self._codec = open_decoder(name)
        self.refused: str | None = None
        """Why frames are dropped at present; None while they are decoded."""

    def decode(self, encoded_frame: Encoded, /) -> Sequence[Frame]:
        data = encoded_frame.data
        if not data:
            # To FFmpeg an empty packet is the end of the stream.
            return []
        if reason := announced_excess(self._name, data):
            return self._refuse(reason)
        if self.refused and not self._permitted(data):
            return []
        nbytes = kept_bytes(self._name, data)
        if nbytes is not None and not self._budget.reserve(self, nbytes):
            together = f"all cameras together exceed {self._budget.most >> 20} MiB"
            return self._refuse(self._size_excess(data) or together)
        packet = av.Packet(data)
        packet.pts, packet.time_base = encoded_frame.timestamp, TIME_BASE
        try:
            frames = self._codec.decode(packet)
        except av.FFmpegError:
            if (excess := self._size_excess(data)) is None:
                raise
            return self._refuse(excess)
        self.refused = None
        return frames

    def _size_excess(self, data: bytes) -> str | None:
        """What is wrong with the size that ``data`` declares; None where it declares no such."""
        size = declared_size(self._name, data)
        if size is None or fits(*size):
            return None
        return f"{size[0]}x{size[1]} exceeds {MAX_PIXELS} pixels"

    def _permitted(self, data: bytes) -> bool:
        """Whether ``data`` begins a picture of a permitted size."""
        size = declared_size(self._name, data)
        return size is not None and fits(*size)

    def _refuse(self, reason: str) -> Sequence[Frame]:
        if self.refused is None:
            # The old decoder's tables are of the refused size.
            self._codec = open_decoder(self._name)
        self.refused = reason
        return []


class _KeyFrameRequests:
    """Sets ``failed``, at which aiortc asks for a key frame: seldom while frames are refused.

    A sender that was asked to send less may send its next key frame at once, and it may be lost.
    """

    def __init__(self, failed: threading.Event, clock: Callable[[], float]) -> None:
        self._failed = failed
        self._clock = clock
        self._asked = -REFUSED_INTERVAL
        self._refused: str | None = None

    def after_failure(self) -> None:
        self._failed.set()

    def after_frame(self, codec: str, refused: str | None, participant: str = "") -> None:
        """``refused`` is the reason why the decoder dropped the last frame, None if it did not."""
        if refused is not None and self._refused is None:
            log.warning("camera refused", participant=participant, codec=codec, reason=refused)
        elif refused is None and self._refused is not None:
            log.info("camera accepted again", participant=participant, codec=codec)
        self._refused = refused
        if refused is not None and self._clock() - self._asked >= REFUSED_INTERVAL:
            self._asked = self._clock()
            self._failed.set()


def name_frames(decoded: Frames, participant: str) -> None:
    """Let the log of the decoder that fills ``decoded`` name ``participant``."""
    _PARTICIPANTS[decoded] = participant


def decrypt_frames(decoded: Frames, cipher: FrameCipher | None) -> None:
    """Let the frames that the decoder that fills ``decoded`` gets be decrypted before; None: not
    any more."""
    if cipher is None:
        _CIPHERS.pop(decoded, None)
    else:
        _CIPHERS[decoded] = cipher


def _readable(codec: str, encoded: Encoded, decoded: Frames) -> Encoded | None:
    """``encoded`` for the decoder; None where it can't be decrypted: a key frame can't help."""
    cipher = _CIPHERS.get(decoded)
    if cipher is None:
        return encoded
    data = cipher.decrypt(codec, encoded.data)
    return None if data is None else PlainFrame(data, encoded.timestamp)


def decode_stream(
    loop: asyncio.AbstractEventLoop,
    work: Work,
    decoded: Frames,
    failed: threading.Event,
    *,
    other: Callable[[RTCRtpCodecParameters], Decoder],
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Decode what comes in ``work`` into ``decoded``, which belongs to ``loop``, until None comes.

    ``other`` makes the decoders of sound. What can't be decoded sets ``failed``, so that a key
    frame is asked for. A frame is handed over by one call on the loop, where aiortc's own worker
    makes a task and two futures for each.
    """
    name, decoder = None, None
    requests = _KeyFrameRequests(failed, clock)
    while (task := work.get()) is not None:
        codec, encoded = task
        if decoder is None or codec.name != name:
            ours = DECODERS.get(codec.mimeType.lower())
            name, decoder = codec.name, VideoDecoder(ours) if ours else other(codec)
        if (readable := _readable(codec.name, encoded, decoded)) is None:
            continue
        try:
            frames = decoder.decode(readable)
        except av.FFmpegError as error:
            # The decoder's state is kept: a new one would need a key frame in any case.
            log.debug("frame not decoded", codec=name, reason=str(error))
            requests.after_failure()
            continue
        if isinstance(decoder, VideoDecoder):
            requests.after_frame(name, decoder.refused, _PARTICIPANTS.get(decoded, ""))
        for frame in frames:
            _hand_over(loop, decoded, frame)
    _hand_over(loop, decoded, None)


def _hand_over(loop: asyncio.AbstractEventLoop, decoded: Frames, frame: Frame | None) -> None:
    try:
        loop.call_soon_threadsafe(decoded.put_nowait, frame)
    except RuntimeError:
        # The loop is closed: no reader waits for frames any more.
        return
