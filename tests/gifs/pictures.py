"""Small animations to load, made with Pillow or byte by byte."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from struct import pack
from zlib import compress, crc32

from PIL import Image

RED = (255, 0, 0, 255)
GREEN = (0, 255, 0, 255)
BLUE = (0, 0, 255, 255)
CLEAR = (0, 0, 0, 0)


def plain(*colours: tuple[int, int, int, int], size: tuple[int, int] = (8, 8)) -> list[Image.Image]:
    """One frame of each colour."""
    return [Image.new("RGBA", size, colour) for colour in colours]


def encode(
    frames: Sequence[Image.Image],
    kind: str,
    *,
    delays: int | Sequence[int] = 100,
    **options: object,
) -> bytes:
    """``delays`` are in milliseconds."""
    target = BytesIO()
    frames[0].save(
        target, kind, save_all=True, append_images=list(frames[1:]), duration=delays, **options
    )
    return target.getvalue()


def save(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def interlaced_apng(*colours: tuple[int, int, int, int]) -> bytes:
    """An APNG of 8x8 pixels, interlaced by Adam7, with a frame of each colour for 0.1 s."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", crc32(kind + data))

    def pixels(colour: tuple[int, int, int, int]) -> bytes:
        # Widths and heights of the seven passes over 8x8 pixels (PNG, section 8.2).
        passes = ((1, 1), (1, 1), (2, 1), (2, 2), (4, 2), (4, 4), (8, 4))
        return compress(b"".join((b"\0" + bytes(colour) * w) * h for w, h in passes))

    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", pack(">IIBBBBB", 8, 8, 8, 6, 0, 0, 1))
    data += chunk(b"acTL", pack(">II", len(colours), 0))
    for number, colour in enumerate(colours):
        place = pack(">IIIIIHHBB", max(2 * number - 1, 0), 8, 8, 0, 0, 100, 1000, 0, 0)
        data += chunk(b"fcTL", place)
        if number:
            data += chunk(b"fdAT", pack(">I", 2 * number) + pixels(colour))
        else:
            data += chunk(b"IDAT", pixels(colour))
    return data + chunk(b"IEND", b"")


class GifWriter:
    """A GIF by hand, so that disposal, place and delay of each frame are what the test says."""

    def __init__(self, width: int, height: int, background: int = 0) -> None:
        palette = bytes((0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255))
        self._data = b"GIF89a" + pack("<HHBBB", width, height, 0x91, background, 0) + palette

    def frame(
        self,
        colour: int,
        box: tuple[int, int, int, int],
        *,
        disposal: int = 1,
        delay: int | None = 10,
        transparent: int | None = 0,
    ) -> "GifWriter":
        """Paint ``box`` (left, top, width, height) in palette entry ``colour``.

        Entries are 0 black or transparent, 1 red, 2 green, 3 blue; ``delay`` is in 1/100 s, None
        leaves out the block that would hold it.
        """
        if delay is not None:
            flags = disposal << 2 | (transparent is not None)
            self._data += b"\x21\xf9\x04" + pack("<BHBx", flags, delay, transparent or 0)
        self._data += b"\x2c" + pack("<HHHHB", *box, 0) + _lzw(colour, box[2] * box[3])
        return self

    def done(self) -> bytes:
        return self._data + b"\x3b"


def _lzw(colour: int, count: int) -> bytes:
    """``count`` pixels of one of four colours, as LZW that clears its table before every pixel."""
    codes = [code for _ in range(count) for code in (4, colour)] + [5]
    bits = sum(code << (3 * index) for index, code in enumerate(codes))
    body = bits.to_bytes((3 * len(codes) + 7) // 8, "little")
    blocks = (body[at : at + 255] for at in range(0, len(body), 255))
    return b"\x02" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\x00"
