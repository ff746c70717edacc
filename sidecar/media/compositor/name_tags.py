"""Name tags of tiles, and initials for participants without a picture."""

from functools import lru_cache
from zlib import crc32

import numpy as np
from PIL import Image, ImageDraw

from gifs.animation import YuvaFrame
from gifs.yuva import Rgb, straight_to_yuva
from sidecar.media.compositor.fonts import Font, lettering
from sidecar.media.compositor.layout import even
from sidecar.plain_text import clean_text

MAX_CHARACTERS = 64
"""Of a name; the rest is cut, and would not fit a tile."""
INK: Rgb = (244, 247, 251)
PILL = (9, 14, 22, 176)
AVATARS: tuple[Rgb, ...] = (
    (56, 104, 178),
    (122, 84, 178),
    (178, 84, 128),
    (184, 98, 62),
    (146, 122, 46),
    (66, 132, 84),
    (44, 128, 138),
    (96, 106, 126),
)


def clean(name: str) -> str:
    """``name`` on one line, without what can't be drawn, at most 64 characters."""
    # Fonts have no picture for a joiner.
    return clean_text(name.replace("\u200d", ""), MAX_CHARACTERS)


def initials(name: str) -> str:
    """One or two letters that stand for ``name``; a question mark stands for none."""
    words = [word for word in clean(name).split() if word[0].isalnum()]
    if not words:
        return "?"
    letters = words[0][0] + (words[-1][0] if len(words) > 1 else "")
    return letters.upper()[:2]


@lru_cache(maxsize=256)
def name_label(name: str, size: int, room: int) -> YuvaFrame | None:
    """``name`` in light letters of ``size`` pixels on a dark pill, at most ``room`` pixels wide.

    A name that doesn't fit ends in an ellipsis. None where there is nothing to write or no room.
    """
    across, height = round(size * 0.65), even(size * 1.8)
    text, font = lettering(clean(name), size)
    text = _elided(text, font, room - 2 * across)
    if not text:
        return None
    width = even(font.getlength(text) + 2 * across + 1)
    pill = _drawn_pill(width, height)
    # The height of a capital, not of this text, so that all names stand on one line.
    _, top, _, bottom = font.getbbox("H", anchor="ls")
    baseline = round((height - top - bottom) / 2)
    ImageDraw.Draw(pill).text((across, baseline), text, fill=(*INK, 255), font=font, anchor="ls")
    return straight_to_yuva(np.asarray(pill))


@lru_cache(maxsize=128)
def avatar(name: str, diameter: int) -> YuvaFrame:
    """The initials of ``name`` on a disc of even ``diameter`` pixels, coloured by the name."""
    colour = AVATARS[crc32(name.encode("utf-8", "replace")) % len(AVATARS)]
    picture = Image.new("RGBA", (diameter, diameter), (*colour, 0))
    picture.putalpha(_smooth_pill(diameter, diameter))
    text, font = lettering(initials(name), max(8, round(diameter * 0.4)))
    middle = diameter / 2
    ImageDraw.Draw(picture).text(
        (middle, middle), text or "?", fill=(*INK, 255), font=font, anchor="mm"
    )
    return straight_to_yuva(np.asarray(picture))


def _elided(text: str, font: Font, room: float) -> str:
    if not text or font.getlength(text) <= room:
        return text
    for end in range(len(text) - 1, 0, -1):
        short = text[:end].rstrip() + "…"
        if font.getlength(short) <= room:
            return short
    return ""


def _drawn_pill(width: int, height: int) -> Image.Image:
    red, green, blue, alpha = PILL
    pill = Image.new("RGBA", (width, height), (red, green, blue, 0))
    pill.putalpha(_smooth_pill(width, height).point(lambda value: value * alpha // 255))
    return pill


def _smooth_pill(width: int, height: int) -> Image.Image:
    """The coverage of a shape with fully round ends, smoothed by drawing it four times as large."""
    large = Image.new("L", (4 * width, 4 * height), 0)
    ImageDraw.Draw(large).rounded_rectangle(
        (0, 0, 4 * width - 1, 4 * height - 1), radius=2 * min(width, height), fill=255
    )
    return large.resize((width, height), Image.Resampling.BOX)
