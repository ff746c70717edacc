"""Load a GIF, animated WebP, APNG or still PNG and WebP within limits."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from math import ceil, floor
from pathlib import Path

import numpy as np
from PIL import Image

from config.errors import StickerError
from gifs.animation import Animation, YuvaFrame
from gifs.delays import shown_seconds
from gifs.frames import seek_frame
from gifs.probe import DamagedFileError, ImageInfo, probe
from gifs.yuva import to_yuva

_UNREADABLE = (
    Image.DecompressionBombError,
    EOFError,
    IndexError,
    KeyError,
    OSError,
    OverflowError,
    struct.error,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What Pillow's decoders are known to raise on files that lie."""


@dataclass(frozen=True, slots=True)
class StickerLimits:
    """What one file may cost; all of it is checked before a pixel is decoded."""

    file_bytes: int = 8 << 20
    pixels: int = 4 << 20
    """Width times height."""
    frames: int = 300
    total_pixels: int = 64 << 20
    """Width times height times frames: about a second of decoding."""


def load_sticker(
    path: Path,
    width: int,
    height: int,
    limits: StickerLimits | None = None,
    *,
    cover: bool = False,
    max_bytes: int | None = None,
) -> Animation:
    """Decode ``path`` to an animation of ``width`` x ``height`` pixels, both even.

    The picture keeps its shape: it is centred on a transparent ground, or with ``cover`` fills the
    whole frame and loses what sticks out. One that would take more than ``max_bytes`` keeps every
    n-th frame, each shown for longer. Raises `StickerError` that names the file.
    """
    if width < 2 or height < 2 or width % 2 or height % 2:
        raise ValueError(f"sticker size {width}x{height} is not even and positive")
    limits = limits or StickerLimits()
    try:
        data = _read(path, limits)
        outline = probe(data, max_frames=limits.frames)
        _check(outline, limits, path)
        step = _step(outline.frames, width * height, max_bytes)
        pictures = _decode(data, outline, width, height, cover)
        frames, delays = zip(*_thin(pictures, step), strict=True)
    except DamagedFileError as error:
        raise StickerError(str(error), where=str(path), do="save it again or remove it") from error
    except _UNREADABLE as error:
        raise StickerError(
            f"can't be decoded: {error}", where=str(path), do="save it again or remove it"
        ) from error
    return Animation(frames, delays)


def _read(path: Path, limits: StickerLimits) -> bytes:
    try:
        if not path.is_file():
            raise StickerError("there is no such file", where=str(path), do="check the name")
        with path.open("rb") as file:
            data = file.read(limits.file_bytes + 1)
    except OSError as error:
        raise StickerError(
            f"can't be read: {error.strerror or error}", where=str(path), do="check its permissions"
        ) from error
    if len(data) > limits.file_bytes:
        raise StickerError(
            f"is larger than {limits.file_bytes} bytes", where=str(path), do="make it smaller"
        )
    return data


def _check(outline: ImageInfo, limits: StickerLimits, path: Path) -> None:
    # Pillow warns of a bomb above this; ours is an error and comes first.
    pixels = min(limits.pixels, Image.MAX_IMAGE_PIXELS or limits.pixels)
    size = "x".join(map(str, outline.canvas))
    if outline.pixels > pixels:
        reason = f"is {size} pixels, more than {pixels} in all"
    elif outline.frames > limits.frames:
        reason = f"has more than {limits.frames} frames"
    elif outline.pixels * outline.frames > limits.total_pixels:
        reason = f"has {outline.frames} frames of {size}, more than {limits.total_pixels} pixels"
    else:
        return
    raise StickerError(reason, where=str(path), do="make it smaller or shorter")


def _decode(
    data: bytes, outline: ImageInfo, width: int, height: int, cover: bool
) -> Iterator[tuple[Image.Image, float]]:
    """Premultiplied pictures of the asked size, and their delays in seconds.

    Only one frame at full size exists at a time.
    """
    with Image.open(BytesIO(data), formats=[outline.kind]) as image:
        for frame in range(outline.skip, outline.skip + outline.frames):
            seek_frame(image, frame)
            image.load()
            # Only now: WebP knows no delay before it has decoded.
            delay = shown_seconds(image.info.get("duration", 0))
            # What lies beyond the screen is cut off, as in browsers.
            shown = image.convert("RGBA").crop((0, 0, outline.width, outline.height))
            yield _fit(shown, width, height, cover), delay


def _step(frames: int, pixels: int, max_bytes: int | None) -> int:
    """Every how manieth frame to keep; 4:2:0 planes with alpha take 2.75 bytes a pixel."""
    if max_bytes is None:
        return 1
    return ceil(frames / max(floor(max_bytes / (2.75 * pixels)), 1))


def _thin(
    pictures: Iterable[tuple[Image.Image, float]], step: int
) -> Iterator[tuple[YuvaFrame, float]]:
    """Keep every ``step``-th picture and let it stay for the delays of those left out."""
    kept: YuvaFrame | None = None
    stays = 0.0
    for index, (picture, delay) in enumerate(pictures):
        if index % step == 0:
            if kept is not None:
                yield kept, stays
            kept, stays = to_yuva(np.asarray(picture)), 0.0
        stays += delay
    if kept is not None:
        yield kept, stays


def _fit(image: Image.Image, width: int, height: int, cover: bool) -> Image.Image:
    """Scale premultiplied: straight alpha would draw the hidden colours into soft edges."""
    ratios = width / image.width, height / image.height
    scale = max(ratios) if cover else min(ratios)
    size = max(round(image.width * scale), 1), max(round(image.height * scale), 1)
    premultiplied = image.convert("RGBa")
    if size != image.size:
        # Two taps each way: as sharp as bicubic, at half the cost, and without its overshoot.
        kernel = Image.Resampling.HAMMING if scale < 1 else Image.Resampling.BILINEAR
        premultiplied = premultiplied.resize(size, kernel)
    if size == (width, height):
        return premultiplied
    ground = Image.new("RGBa", (width, height))
    ground.paste(premultiplied, ((width - size[0]) // 2, (height - size[1]) // 2))
    return ground
