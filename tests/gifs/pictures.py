"""Small animations to load, made with Pillow or byte by byte."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from struct import pack

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
