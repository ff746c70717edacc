"""Decode the packets of one video track into pictures as they are shown: upright, progressive."""

from collections.abc import Iterator
from errno import EINVAL
from fractions import Fraction
from typing import Any, Final, TypeAlias

import av
import numpy as np
from av.buffer import Buffer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from config.errors import PictureError
from sidecar.media.container.codecs import (
    MAX_PIXELS,
    announced_excess,
    declared_size,
    excess,
    fits,
    open_decoder,
    restrict,
)
from sidecar.media.container.colour import PlainConverter, copy_tags
from sidecar.media.container.deinterlace import Deinterlacer
from sidecar.media.container.orientation import UPRIGHT, Orientation, parse_display_matrix
from sidecar.media.container.parameter_sets import CODECS, configured

AnyPacket: TypeAlias = "av.Packet[Any]"

_WITH_ALPHA: Final = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""FFmpeg's own decoders of these leave the alpha plane out, and show what it hides."""
_MOST_STRETCH: Final = 16
"""Times that a pixel may be wider than high, or the reverse; more is a damaged header."""


class FrameDecoder:
    """Decodes one track. Damaged pictures are left out and counted.

    ``where`` names the file or camera in errors; a ``patient`` decoder is for files (see
    `restrict`). Raises PictureError for a track that can't be decoded, or takes too much memory.
    """

    def __init__(self, stream: VideoStream, where: str, *, patient: bool) -> None:
        self._where = where
        self._stream = stream
        self._codec = _decoder(stream, where, patient)
        self._name = stream.codec_context.name
        self._length_size = 0
        if self._name in CODECS:
            self._length_size, sets = configured(self._name, self._codec.extradata or b"")
            self._refuse(next(filter(None, map(excess, sets)), None))
        elif not fits(stream.codec_context.width, stream.codec_context.height):
            self._refuse(f"{stream.width}x{stream.height} exceeds {MAX_PIXELS} pixels")
        self._deinterlacer = Deinterlacer()
        self._converter = PlainConverter()
        self.damaged = 0
        """Packets that could not be decoded."""

    def decode(self, packet: AnyPacket) -> Iterator[av.VideoFrame]:
        """The pictures that ``packet`` completes, stamped as the file has it, in showing order.

        The packet that PyAV gives at the end of the track (empty) gets out what is still inside.
        Raises PictureError for a picture that takes too much memory or has no quarter turn.
        """
        for frame in self._decoded(packet):
            if frame.time_base is None and self._stream.time_base is not None:
                # Those that come out at the end.
                frame.time_base = self._stream.time_base
            for whole in self._deinterlacer.push(frame):
                yield self._shown(whole)
        if not packet.size:
            for whole in self._deinterlacer.flush():
                yield self._shown(whole)

    def _decoded(self, packet: AnyPacket) -> list[av.VideoFrame]:
        if self._name in CODECS:
            self._refuse(announced_excess(self._name, bytes(packet), self._length_size))
        try:
            return self._codec.decode(packet if packet.size else None)
        except (av.FFmpegError, MemoryError) as error:
            self._check(error, bytes(packet))
            self.damaged += 1
            return []

    def _check(self, error: Exception, data: bytes) -> None:
        """Raise PictureError where the limit of pixels is why ``data`` was not decoded."""
        size = declared_size(self._name, data) if data else None
        if size is not None and not fits(*size):
            self._refuse(f"{size[0]}x{size[1]} exceeds {MAX_PIXELS} pixels")
        if getattr(error, "errno", None) == EINVAL or isinstance(error, MemoryError):
            self._refuse(f"holds pictures of more than {MAX_PIXELS} pixels, or of none")

    def _refuse(self, reason: str | None) -> None:
        if reason is not None:
            raise PictureError(reason, where=self._where, do="scale it down")

    def _shown(self, frame: av.VideoFrame) -> av.VideoFrame:
        size = square_size(frame.width, frame.height, self._stream.sample_aspect_ratio)
        plain = self._converter.convert(frame, *size)
        try:
            orientation = _orientation(frame)
        except ValueError as error:
            do = "turn it by a multiple of 90°"
            raise PictureError(str(error), where=self._where, do=do) from error
        return plain if orientation == UPRIGHT else rotate_frame(plain, orientation)


def square_size(width: int, height: int, ratio: Fraction | None) -> tuple[int, int]:
    """The size in square pixels of ``width`` x ``height`` pixels ``ratio`` times as wide as high.

    The smaller side grows, unless the picture would be too large to be decoded.
    """
    if not ratio or ratio == 1 or not 1 / _MOST_STRETCH <= ratio <= _MOST_STRETCH:
        return width, height
    wider, higher = max(2, 2 * round(width * ratio / 2)), max(2, 2 * round(height / ratio / 2))
    grown = (wider, height) if ratio > 1 else (width, higher)
    return grown if fits(*grown) else ((width, higher) if ratio > 1 else (wider, height))


def rotate_frame(frame: av.VideoFrame, orientation: Orientation) -> av.VideoFrame:
    """``frame`` (yuv420p) as ``orientation`` shows it, with its tags and stamps."""
    width, height = frame.width, frame.height
    size = (height, width) if orientation.transposed else (width, height)
    turned = av.VideoFrame(*size, "yuv420p")
    for old, new in zip(frame.planes, turned.planes, strict=True):
        pixels = np.frombuffer(memoryview(old), np.uint8).reshape(old.height, old.line_size)
        target = np.frombuffer(memoryview(new), np.uint8).reshape(new.height, new.line_size)
        target[:, : new.width] = orientation.apply(pixels[:, : old.width])
    copy_tags(frame, turned)
    turned.pts = frame.pts
    if frame.time_base is not None:
        turned.time_base = frame.time_base
    return turned


def _orientation(frame: av.VideoFrame) -> Orientation:
    try:
        data = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:
        # PyAV knows no name for some other kind of side data.
        data = None
    return parse_display_matrix(bytes(data)) if isinstance(data, Buffer) else UPRIGHT


def _decoder(stream: VideoStream, where: str, patient: bool) -> VideoCodecContext:
    codec = stream.codec_context
    if not isinstance(codec, VideoCodecContext):
        # PyAV gives a track without a decoder none.
        raise PictureError("holds video of a kind that can't be decoded", where=where)
    tags = {key.lower(): value for key, value in stream.metadata.items()}
    if tags.get("alpha_mode") == "1" and codec.name in _WITH_ALPHA:
        return open_decoder(_WITH_ALPHA[codec.name], patient=patient)
    restrict(codec, patient=patient)
    return codec
