"""FFmpeg's video decoders with limits on what a few bytes can make them allocate.

A 32-byte H.264 frame can announce 16000x16000 pixels, or 16 reference pictures of 8192x8192.
"""

import ctypes
from functools import cache
from typing import Final

import av
import structlog
from av.video.codeccontext import VideoCodecContext

from sidecar.media.container.parameter_sets import CODECS, DecodedPictures, announced

log = structlog.get_logger(__name__)

MAX_PIXELS: Final = 4096 * 2304
"""Width times height of a decoded picture at most: DCI 4K, also upright."""
MAX_PICTURE_BYTES: Final = 192 << 20
"""Memory of the pictures that one decoder keeps. At 3840x2160 level 5.1 of H.264 has 75 MB, and
main 10 of H.265 174 MB; 17 pictures of 1920x1088 take 53 MB (ITU-T H.264, A.3, H.265, A.4)."""
MAX_BLOCK: Final = 96 << 20
"""Bytes of one allocation inside FFmpeg; a 4K picture of 64-bit pixels takes 76 MB."""


def open_decoder(name: str, *, patient: bool = False) -> VideoCodecContext:
    """FFmpeg's decoder ``name``, with the limits of `restrict`."""
    codec = av.CodecContext.create(name, "r")
    if not isinstance(codec, VideoCodecContext):
        raise TypeError(f"{name} is not a video codec")
    restrict(codec, patient=patient)
    return codec


def restrict(codec: VideoCodecContext, *, patient: bool = False) -> None:
    """Give ``codec``, a decoder that is not open yet, one thread and the limit of pixels.

    With one thread a core, as is FFmpeg's default, a dozen cameras on a large server come to
    hundreds of threads, each with pictures of its own. A ``patient`` decoder waits for pictures
    that are shown earlier and come later, also where a stream doesn't say that there are any; an
    impatient one loses the first of them.
    """
    limit_blocks()
    codec.thread_count = 1
    codec.options = {"max_pixels": str(MAX_PIXELS)}
    if patient and codec.name == "h264":
        codec.options["strict"] = "1"


@cache
def limit_blocks() -> None:
    """Let FFmpeg's allocations above ``MAX_BLOCK`` fail, in the whole process.

    ``max_pixels`` is compared with the size after cropping alone. PyAV has no name for
    ``av_max_alloc``; the libraries that it is linked with have.
    """
    try:
        ctypes.CDLL(av.error.__file__).av_max_alloc(ctypes.c_size_t(MAX_BLOCK))
    except (OSError, AttributeError) as error:
        log.warning("FFmpeg allocations not limited", reason=str(error))


def declared_size(name: str, data: bytes) -> tuple[int, int] | None:
    """Width and height that ``data``, a frame of the codec ``name``, announces in its headers.

    None where it has none, as with a codec of sound. Nothing is decoded; takes 0.04 ms for VP8
    and 0.6 ms for H.264.
    """
    parser = av.CodecContext.create(name, "r")
    if not isinstance(parser, VideoCodecContext):
        # A file may say of its sound that it is video.
        return None
    parser.parse(data)
    parser.parse(None)
    return (parser.width, parser.height) if parser.width and parser.height else None


def fits(width: int, height: int) -> bool:
    """Whether a picture of ``width`` x ``height`` is within ``MAX_PIXELS``."""
    return width * height <= MAX_PIXELS


def excess(pictures: DecodedPictures) -> str | None:
    """Why ``pictures`` are too much to decode; None where they are not."""
    size = f"{pictures.width}x{pictures.height}"
    if not fits(pictures.width, pictures.height):
        return f"{size} exceeds {MAX_PIXELS} pixels"
    if pictures.nbytes > MAX_PICTURE_BYTES:
        return f"{pictures.count} pictures of {size} exceed {MAX_PICTURE_BYTES >> 20} MiB"
    return None


def kept_bytes(name: str, data: bytes) -> int | None:
    """Bytes of the pictures that a decoder keeps from ``data`` on, where that announces a size.

    For VP8 from its key frames (RFC 6386, 9.1): the frame and its three references.
    """
    if name in CODECS:
        return max((pictures.nbytes for pictures in announced(name, data)), default=None)
    if name != "vp8" or len(data) < 10 or data[0] & 1 or data[3:6] != b"\x9d\x01\x2a":
        return None
    width, height = (int.from_bytes(data[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    return width * height * 3 // 2 * 4


def announced_excess(name: str, data: bytes, length_size: int = 0) -> str | None:
    """Why ``data``, a packet of the codec ``name``, must not be decoded; None where it may.

    ``length_size`` as for `announced`. The codecs of ``CODECS`` alone announce more than
    ``max_pixels`` prevents.
    """
    if name not in CODECS:
        return None
    return next(filter(None, map(excess, announced(name, data, length_size))), None)
