"""Picture files of every kind that is read, stills and animations."""

import io
import struct
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random
from tempfile import gettempdir
from typing import Final

import numpy as np
from PIL import Image

from config.errors import PictureError
from sidecar.media.container.reader import TimedFrame
from sidecar.media.pictures import is_picture, read_picture
from sidecar.media.recordings import open_recording
from tests.fuzz.mutations import mutated
from tests.fuzz.target import FuzzTarget, refused
from tests.picture_cases import ODD_EXIF, animation_bytes, colours, cutout, jpeg_with_exif, ramp

KINDS: Final = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "JPEG2000", "AVIF")


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def corpus(kind: str) -> list[bytes]:
    """A few small files of ``kind``, in several modes."""
    files = [saved(colours(), kind)]
    if kind in ("GIF", "PNG", "WEBP", "AVIF"):
        files.append(animation_bytes(kind, [10, 100, 900]))
        files.append(saved(cutout(), kind))
    if kind == "JPEG":
        files += [jpeg_with_exif(data) for data in ODD_EXIF.values()]
        files += [saved(colours().convert("CMYK"), kind), saved(colours(), kind, progressive=True)]
        files.append(saved(colours(), "MPO", save_all=True, append_images=[colours()]))
    if kind in ("PNG", "TIFF", "PPM"):
        files.append(saved(Image.fromarray(ramp().astype(np.uint16) * 257), kind))
    if kind == "TIFF":
        files.append(saved(Image.fromarray(ramp().astype(np.float32) / 255), kind))
        files += [saved(colours(), kind, compression=name) for name in ("tiff_lzw", "jpeg")]
    return files


def heif_corpus() -> list[bytes]:
    import pillow_heif

    stream = io.BytesIO()
    pillow_heif.from_pillow(colours(64, 48)).save(stream)
    return [stream.getvalue()]


def inputs(kind: str, random: Random) -> Iterator[bytes]:
    return mutated(heif_corpus() if kind == "HEIF" else corpus(kind), random)


def read(data: bytes) -> bool:
    """Whether ``data`` is a picture, or an animation that can be read to its end."""
    path = Path(gettempdir()) / "fuzz-picture"
    path.write_bytes(data)
    try:
        if not is_picture(path):
            return False
        recording = open_recording(path)
        if recording is None:
            picture = read_picture(path, longest=64)
            assert max(picture.pixels.shape[:2]) <= 64
            return True
        with recording:
            times = [item.time for item in recording if isinstance(item, TimedFrame)]
        assert times == sorted(times)
    except PictureError as error:
        return refused(error)
    return True


def sizes(random: Random) -> Iterator[bytes]:
    """PNG, GIF, BMP, WebP and PPM headers of any size, with little behind them."""
    while True:
        width, height = (int(2 ** random.uniform(0, 32)) % 2**32 for _ in range(2))
        yield random.choice(_HEADERS)(width, height)


def _png(width: int, height: int) -> bytes:
    size = struct.pack(">II", width, height)
    return b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR" + size + b"\x08\x06" * 3


def _gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width % 65536, height % 65536) + b"\xf0" + bytes(11)


def _bmp(width: int, height: int) -> bytes:
    header = struct.pack("<Iii", 40, width // 2, height // 2)
    return b"BM" + bytes(12) + header + b"\x01\0\x18\0" + bytes(30)


def _webp(width: int, height: int) -> bytes:
    size = struct.pack("<I", width)[:3] + struct.pack("<I", height)[:3]
    return b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + size + bytes(12)


def _ppm(width: int, height: int) -> bytes:
    return b"P6 %d %d 255\n" % (width, height) + bytes(9)


_HEADERS: Final = (_png, _gif, _bmp, _webp, _ppm)

TARGETS: Final = (
    *(
        FuzzTarget(f"picture-{kind.lower()}", partial(inputs, kind), read, megabytes=400)
        for kind in (*KINDS, "HEIF")
    ),
    FuzzTarget("picture-sizes", sizes, read, megabytes=400),
)
