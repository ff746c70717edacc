"""Picture files with the oddities of real ones, made by code."""

import io
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

Pixels = npt.NDArray[np.uint8]


def ramp(width: int = 40, height: int = 30) -> Pixels:
    """Grey levels from 0 on the left to 255 on the right."""
    levels = np.linspace(0, 255, width).round().astype(np.uint8)
    return np.broadcast_to(levels, (height, width)).copy()


def colours(width: int = 40, height: int = 30) -> Image.Image:
    """A red, a green and a blue third."""
    pixels = np.zeros((height, width, 3), np.uint8)
    for index in range(3):
        pixels[:, index * width // 3 : (index + 1) * width // 3, index] = 200
    return Image.fromarray(pixels)


def cutout(width: int = 40, height: int = 30) -> Image.Image:
    """Green on the left; on the right, noise below alpha 0, as background removers leave it."""
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[...] = (0, 200, 0, 255)
    chance = np.random.default_rng(1)
    pixels[:, width // 2 :, :3] = chance.integers(0, 255, (height, width - width // 2, 3))
    pixels[:, width // 2 :, 3] = 0
    return Image.fromarray(pixels)


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width: int, height: int) -> bytes:
    """A PNG of that size without any pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b"")


def tiff_entry(tag: int, kind: int, count: int, value: bytes) -> bytes:
    """One entry of a directory in Exif, little endian."""
    return struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")


def exif(entries: Sequence[bytes], *, header: bytes = b"Exif\0\0") -> bytes:
    """Exif data of raw ``entries``, however wrong they are."""
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + struct.pack("<I", 0)
    return header + b"II*\0" + struct.pack("<I", 8) + directory


ODD_EXIF = {
    "a make that is a number": exif([tiff_entry(0x010F, 3, 1, b"\x07\0")]),
    "an orientation that is text": exif([tiff_entry(0x0112, 2, 4, b"six\0")]),
    "an orientation of 77": exif([tiff_entry(0x0112, 3, 1, b"\x4d\0")]),
    "a value beyond the end": exif([tiff_entry(0x010F, 2, 900, struct.pack("<I", 60_000))]),
    "a rational by 0": exif([tiff_entry(0x011A, 5, 1, struct.pack("<I", 26))]) + bytes(8),
    "a place with a wrong type": exif(
        [tiff_entry(0x8825, 4, 1, struct.pack("<I", 26)), tiff_entry(0x0001, 5, 1, b"\0")]
    ),
    "a directory that is its own": exif([tiff_entry(0x8769, 4, 1, struct.pack("<I", 8))]),
    "no header": exif([tiff_entry(0x0112, 3, 1, b"\x01\0")], header=b""),
    "nothing": b"Exif\0\0",
    "garbage": b"Exif\0\0" + bytes(range(200)),
}


def jpeg_with_exif(data: bytes, image: Image.Image | None = None) -> bytes:
    """A JPEG whose APP1 segment holds ``data`` as it is."""
    stream = io.BytesIO()
    (image or colours()).save(stream, "JPEG", quality=95)
    whole = stream.getvalue()
    return whole[:2] + b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data + whole[2:]


def sideways(orientation: int) -> bytes:
    """A JPEG that is stored as ``orientation`` (1-8) says; upright it begins with red."""
    undone = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = colours() if undone is None else colours().transpose(undone)
    return jpeg_with_exif(exif([tiff_entry(0x0112, 3, 1, struct.pack("<H", orientation))]), stored)


def lab(path: Path) -> None:
    """A TIFF in CIE L*a*b* of ``colours``."""
    transform = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    converted = ImageCms.applyTransform(colours(), transform)
    assert converted is not None
    converted.save(path, "TIFF")


def animation(path: Path, kind: str, delays: Sequence[int], **options: object) -> Path:
    """A file of ``animation_bytes``."""
    path.write_bytes(animation_bytes(kind, delays, **options))
    return path


def animation_bytes(kind: str, delays: Sequence[int], **options: object) -> bytes:
    """Frames that get lighter, shown for ``delays`` in milliseconds."""
    frames = [Image.new("RGB", (40, 30), (20 + 30 * index,) * 3) for index in range(len(delays))]
    stream = io.BytesIO()
    frames[0].save(
        stream,
        kind,
        save_all=True,
        append_images=frames[1:],
        duration=list(delays),
        **options,
    )
    return stream.getvalue()
