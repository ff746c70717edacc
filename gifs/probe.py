"""The outline of a GIF, PNG, APNG or WebP file, read from its blocks without decoding a pixel.

The limits of untrusted files must be checked before a decoder reads them, and Pillow can
only count frames by walking through them. The same walk finds out whether the file is complete:
a decoder takes a GIF that was cut between two frames for a shorter one.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from struct import unpack_from


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What a picture file announces: size in pixels, and how many pictures it holds."""

    kind: str
    """``GIF``, ``PNG`` or ``WEBP``, as Pillow names its formats."""
    width: int
    height: int
    frames: int
    skip: int = 0
    """Pictures before the first frame: an APNG's stand-in for programs that show it still."""
    reach: tuple[int, int] = (0, 0)
    """How far frames of a GIF extend from the top left, also beyond its screen."""

    @property
    def canvas(self) -> tuple[int, int]:
        """The size that a decoder keeps: Pillow's grows with what lies beyond the screen."""
        return max(self.width, self.reach[0]), max(self.height, self.reach[1])

    @property
    def pixels(self) -> int:
        """Width times height of the canvas."""
        return self.canvas[0] * self.canvas[1]


class DamagedFileError(ValueError):
    """The file isn't one of the formats, contradicts itself or ends early."""


def probe(data: bytes, *, max_frames: int) -> ImageInfo:
    """Walk through the blocks of ``data``; give up counting beyond ``max_frames``.

    Raises `DamagedFileError` with a reason that fits after the name of the file.
    """
    walk = next((walk for magic, walk in _WALKS.items() if data.startswith(magic)), None)
    if walk is None:
        raise DamagedFileError("is not a GIF, WebP or PNG file")
    try:
        outline = walk(data, max_frames)
    except (IndexError, struct.error) as error:
        raise DamagedFileError("is truncated") from error
    if outline.width * outline.height == 0:
        raise DamagedFileError("has no pixels")
    if outline.frames == 0:
        raise DamagedFileError("has no frames")
    return outline


def _gif(data: bytes, max_frames: int) -> ImageInfo:
    """GIF89a: a screen, then extensions (0x21) and images (0x2C) up to a trailer (0x3B).

    As in browsers, stray bytes between blocks are passed over, and the trailer may be missing.
    """
    width, height, flags = unpack_from("<HHB", data, 6)
    position = 13 + _colour_table(flags)
    if position > len(data):
        raise DamagedFileError("is truncated")
    frames, reach = 0, (width, height)
    while position < len(data) and data[position] != 0x3B:
        if data[position] == 0x21:
            position = _after_blocks(data, position + 2)
        elif data[position] == 0x2C:
            left, top, across, down, flags = unpack_from("<HHHHB", data, position + 1)
            reach = max(reach[0], left + across), max(reach[1], top + down)
            frames += 1
            if frames > max_frames:
                break
            position = _after_blocks(data, position + 11 + _colour_table(flags))
        else:
            position += 1
    return ImageInfo("GIF", width, height, frames, reach=reach)


def _after_blocks(data: bytes, position: int) -> int:
    """Where the blocks of data that begin at ``position`` end."""
    while data[position]:
        position += data[position] + 1
    return position + 1


def _colour_table(flags: int) -> int:
    """Bytes of the colour table that a screen or image descriptor announces."""
    return 3 << (flags % 8 + 1) if flags & 0x80 else 0


def _png(data: bytes, max_frames: int) -> ImageInfo:
    """PNG and APNG 1.0: the number of frames is how many ``fcTL`` chunks there are."""
    width, height = unpack_from(">II", data, 16)
    position, frames, stand_in, animated = 8, 0, False, False
    while True:
        length, chunk = unpack_from(">I4s", data, position)
        if chunk == b"acTL":
            animated = True
        elif chunk == b"fcTL" and animated:
            frames += 1
        elif chunk == b"IDAT" and animated and not frames:
            stand_in = True
        position += 12 + length
        if position > len(data):
            raise DamagedFileError("is truncated")
        if chunk == b"IEND" or frames > max_frames:
            break
    return ImageInfo("PNG", width, height, frames if animated else 1, skip=int(stand_in))


def _webp(data: bytes, max_frames: int) -> ImageInfo:
    """WebP (RFC 9649): a ``VP8 `` or ``VP8L`` picture, or a ``VP8X`` canvas of ``ANMF`` frames."""
    size, form = unpack_from("<I4s", data, 4)
    if form != b"WEBP":
        raise DamagedFileError("is not a GIF, WebP or PNG file")
    if size + 8 > len(data):
        raise DamagedFileError("is truncated")
    width, height = _webp_size(data)
    animated = data[12:16] == b"VP8X" and bool(data[20] & 0x02)
    position, frames = 12, 0
    while animated and position < size + 8 and frames <= max_frames:
        chunk, length = unpack_from("<4sI", data, position)
        frames += chunk == b"ANMF"
        position += 8 + length + length % 2
    return ImageInfo("WEBP", width, height, frames if animated else 1)


def _webp_size(data: bytes) -> tuple[int, int]:
    chunk = data[12:16]
    if chunk == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + bits % 0x4000, 1 + (bits >> 14) % 0x4000
    if chunk == b"VP8 ":
        width, height = unpack_from("<HH", data, 26)
        return width % 0x4000, height % 0x4000
    raise DamagedFileError("is a WebP file without a picture")


_WALKS: dict[bytes, Callable[[bytes, int], ImageInfo]] = {
    b"GIF87a": _gif,
    b"GIF89a": _gif,
    b"\x89PNG\r\n\x1a\n": _png,
    b"RIFF": _webp,
}
