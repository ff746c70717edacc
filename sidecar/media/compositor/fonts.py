"""Fonts for any name: Pillow's own, or a system font for characters that it lacks."""

import unicodedata
from functools import lru_cache
from typing import TypeAlias

from PIL import ImageFont

Font: TypeAlias = ImageFont.FreeTypeFont

SYSTEM = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "NotoSansCJK-Regular.ttc",
    "Arial Unicode.ttf",
    "arial.ttf",
    "msyh.ttc",
)
"""Fonts with many scripts on Linux, macOS and Windows; tried in this order if they are there."""

UNASSIGNED = "\U0010fffe"
"""A character that no font has: drawn, it is the font's sign for "missing"."""


@lru_cache(maxsize=512)
def lettering(text: str, size: int) -> tuple[str, Font]:
    """What can be written of ``text`` in letters of ``size`` pixels, and the font to do it.

    The font with most of the characters is taken, Pillow's own first. Of what it lacks, accents go
    and letters stay where that helps; the rest is left out, and the result may be empty.
    """
    best, most = _own(size), _covered(_own(size), text)
    if most < len(text):
        for name in SYSTEM:
            font = _system(name, size)
            if font is not None and (covered := _covered(font, text)) > most:
                best, most = font, covered
    if most == len(text):
        return text, best
    bare = (c if _covered(best, c) else unicodedata.normalize("NFKD", c) for c in text)
    return " ".join("".join(c for c in "".join(bare) if _covered(best, c)).split()), best


def _covered(font: Font, text: str) -> int:
    """How many characters of ``text`` the font has; spaces count as had."""
    missing = bytes(font.getmask(UNASSIGNED))
    return sum(c == " " or bytes(font.getmask(c)) != missing for c in text)


@lru_cache(maxsize=64)
def _own(size: int) -> Font:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType: names can't be drawn")
    return font


@lru_cache(maxsize=256)
def _system(name: str, size: int) -> Font | None:
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None
