"""Decoding one received stream, in the thread that aiortc keeps for it."""

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Protocol, TypeAlias

import av
import structlog
from aiortc import RTCRtpCodecParameters
from aiortc.mediastreams import VIDEO_TIME_BASE
from av.frame import Frame
from av.video.codeccontext import VideoCodecContext

log = structlog.get_logger(__name__)

DECODERS = {"video/vp8": "vp8", "video/h264": "h264"}
"""FFmpeg's decoder for each video codec, by lower-case media type. Its own for VP8 takes a quarter
less than libvpx, which aiortc uses, once a dozen streams compete for the caches."""
TIME_BASE: Fraction = VIDEO_TIME_BASE
"""The unit of time stamps on the wire, 1 / 90,000 s."""


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


class Frames(Protocol):
    """Where decoded frames go; None ends them."""

    def put_nowait(self, frame: Frame | None, /) -> None: ...


Work: TypeAlias = "queue.Queue[tuple[RTCRtpCodecParameters, Encoded] | None]"


class VideoDecoder:
    """Decodes one stream with the FFmpeg decoder ``name``, each frame as soon as it is there.

    One thread: with one a core, as FFmpeg would have it, a dozen cameras on a large server come to
    hundreds of threads, and small pictures gain nothing.
    """

    def __init__(self, name: str) -> None:
        codec = av.CodecContext.create(name, "r")
        if not isinstance(codec, VideoCodecContext):
            raise TypeError(f"{name} is not a video codec")
        codec.thread_count = 1
        self._codec = codec

    def decode(self, encoded_frame: Encoded, /) -> Sequence[Frame]:
        if not encoded_frame.data:
            # To FFmpeg an empty packet is the end of the stream.
            return []
        packet = av.Packet(encoded_frame.data)
        packet.pts, packet.time_base = encoded_frame.timestamp, TIME_BASE
        return self._codec.decode(packet)


def decode_stream(
    loop: asyncio.AbstractEventLoop,
    work: Work,
    decoded: Frames,
    failed: threading.Event,
    *,
    other: Callable[[RTCRtpCodecParameters], Decoder],
) -> None:
    """Decode what comes in ``work`` into ``decoded``, which belongs to ``loop``, until None comes.

    ``other`` makes the decoders of sound. What can't be decoded sets ``failed``, so that a key
    frame is asked for. A frame is handed over by one call on the loop, where aiortc's own worker
    makes a task and two futures for each.
    """
    name, decoder = None, None
    while (task := work.get()) is not None:
        codec, encoded = task
        if decoder is None or codec.name != name:
            ours = DECODERS.get(codec.mimeType.lower())
            name, decoder = codec.name, VideoDecoder(ours) if ours else other(codec)
        try:
            frames = decoder.decode(encoded)
        except av.FFmpegError as error:
            # The decoder's state is kept: a new one would need a key frame in any case.
            log.debug("a frame can't be decoded", codec=name, reason=str(error))
            failed.set()
            continue
        for frame in frames:
            _hand_over(loop, decoded, frame)
    _hand_over(loop, decoded, None)


def _hand_over(loop: asyncio.AbstractEventLoop, decoded: Frames, frame: Frame | None) -> None:
    try:
        loop.call_soon_threadsafe(decoded.put_nowait, frame)
    except RuntimeError:
        # The loop is closed: nobody waits for frames any more.
        return
