"""Stickers: GIF, PNG and WebP, damaged in every way."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random
from tempfile import gettempdir
from typing import Final

from config.errors import StickerError
from gifs.loader import load_sticker
from tests.fuzz.mutations import mutated
from tests.fuzz.target import FuzzTarget, refused
from tests.gifs.pictures import BLUE, CLEAR, GREEN, RED, GifWriter, encode, plain

SIDE: Final = 16


def corpus(kind: str) -> list[bytes]:
    """A few small files of ``kind``."""
    frames, still = plain(RED, CLEAR, GREEN, BLUE, size=(9, 7)), plain(GREEN, size=(9, 7))
    files = [encode(frames, kind), encode(still, kind)]
    files.append(encode(frames, kind, delays=[0, 10, 20, 900]))
    if kind == "GIF":
        files.append(
            GifWriter(8, 8)
            .frame(1, (0, 0, 8, 8), disposal=2)
            .frame(2, (2, 2, 4, 4), disposal=3, delay=None)
            .frame(3, (4, 4, 8, 8), transparent=None)
            .done()
        )
        files.append(encode(frames, kind, interlace=True, disposal=2))
    if kind == "WEBP":
        files += [encode(frames, kind, lossless=True), encode(still, kind, lossless=True)]
    if kind == "PNG":
        files.append(encode(frames, kind, default_image=True, disposal=1, blend=1))
    return files


def inputs(kind: str, random: Random) -> Iterator[bytes]:
    return mutated(corpus(kind), random)


def load(data: bytes) -> bool:
    """Whether ``data`` is a sticker of 16x16 pixels in every frame."""
    path = Path(gettempdir()) / "fuzz-sticker"
    path.write_bytes(data)
    try:
        animation = load_sticker(path, SIDE, SIDE)
    except StickerError as error:
        return refused(error)
    assert len(animation.frames) == len(animation.delays) <= 300
    assert all((frame.width, frame.height) == (SIDE, SIDE) for frame in animation.frames)
    # APNG has the longest: 16 bits of seconds.
    assert all(0.01 < delay <= 65_535 for delay in animation.delays)
    return True


TARGETS: Final = tuple(
    FuzzTarget(f"sticker-{kind.lower()}", partial(inputs, kind), load, megabytes=96)
    for kind in ("GIF", "PNG", "WEBP")
)
