"""The stickers for what whole hands say."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gifs.art.hand import PALM_LINES, palm_hand, spread
from gifs.art.keyframes import Keyframes, Keys, keys, swing
from gifs.art.shapes import star, strokes
from gifs.art.style import (
    BLUE,
    CORAL,
    GOLD,
    INK,
    ORANGE,
    PINK,
    TEAL,
    Shape,
    line,
    solid,
)
from gifs.art.svg_layers import Sticker, SvgLayer

_WRIST: Final = (120.0, 205.0)


def _open_palm() -> Sticker:
    hand = palm_hand(spread(-26, -9, 4, 18), sleeve=TEAL, details=PALM_LINES)
    rays = strokes(
        "M30 92L18 84", "M46 46L36 34", "M206 62L218 50", "M216 104L226 100", width=10, tone=GOLD
    )
    return Sticker(
        (
            SvgLayer(
                rays,
                Keyframes(
                    scale=keys((0.25, 0.7, "land"), (0.6, 1.0, "hold")),
                    opacity=keys((0, 0, "hold"), (0.27, 1, "hold"), (0.62, 0, "hold")),
                ),
            ),
            SvgLayer(
                hand,
                Keyframes(
                    scale=keys((0, 0.84), (0.12, 0.8, "drop"), (0.3, 1.0, "land"), (0.55, 0.94)),
                    rotate=keys((0, 8), (0.12, 10, "drop"), (0.3, -3), (0.6, -2)),
                    pivot=(120, 150),
                ),
            ),
        )
    )


def _fist() -> Sticker:
    hand = palm_hand((), fold=(86, 109, 132, 155), thumb=None, sleeve=ORANGE)
    flash = solid([Shape(star(120, 122, 116, 80, 11))], GOLD, outline=6)
    hit = keys((0, 0.5, "hold"), (0.28, 0.6, "land"), (0.42, 0.94), (0.62, 0.8, "hold"))
    return Sticker(
        (
            SvgLayer(
                flash,
                Keyframes(
                    scale=hit,
                    opacity=keys((0, 0, "hold"), (0.28, 1, "hold"), (0.64, 0, "hold")),
                    rotate=8,
                    pivot=(120, 122),
                ),
            ),
            SvgLayer(
                hand,
                Keyframes(
                    y=-22,
                    scale=keys((0, 1.1), (0.16, 1.0, "drop"), (0.34, 1.36, "land"), (0.6, 1.2)),
                    pivot=(120, 160),
                ),
            ),
        )
    )


def _raised_hand() -> Sticker:
    between = "".join(
        line(d, 5, INK) for d in ("M96 64L98 128", "M121 54L121 124", "M145 60L143 126")
    )
    hand = palm_hand(spread(-3, -1, 1, 3), sleeve=BLUE, details=PALM_LINES + between)
    return Sticker(
        (
            SvgLayer(
                hand,
                Keyframes(
                    y=keys((0, -1), (0.16, 5, "spring"), (0.5, -11), (0.8, -6)),
                    rotate=swing(0, 5, times=2),
                    scale=0.95,
                    pivot=_WRIST,
                ),
            ),
        )
    )


def _wave() -> Sticker:
    hand = palm_hand(spread(-22, -8, 4, 16), sleeve=PINK, details=PALM_LINES)
    turn = swing(0, 15, times=2)
    left = strokes("M36 132Q22 112 30 90", "M56 120Q46 106 52 92", width=8)
    right = strokes("M212 168Q226 148 220 128", "M230 0", width=8)
    fade = keys((0, 1, "hold"), (0.25, 0, "hold"), (0.5, 1, "hold"), (0.75, 0, "hold"))
    return Sticker(
        (
            SvgLayer(
                left,
                Keyframes(
                    opacity=keys(
                        (0, 0, "hold"),
                        (0.27, 1, "hold"),
                        (0.48, 0, "hold"),
                        (0.77, 1, "hold"),
                        (0.98, 0, "hold"),
                    )
                ),
            ),
            SvgLayer(right, Keyframes(opacity=fade)),
            SvgLayer(hand, Keyframes(rotate=turn, scale=0.86, pivot=(120, 200))),
        )
    )


def _clap() -> Sticker:
    between = "".join(
        line(d, 5, INK) for d in ("M96 64L98 128", "M121 54L121 124", "M145 60L143 126")
    )
    fingers = spread(-2, 0, 1, 2)
    thumb = Shape("M146 178Q166 166 182 138", 28)
    back = palm_hand(fingers, sleeve=TEAL, thumb=thumb, details=between, light=(6, -5))
    front = palm_hand(fingers, sleeve=CORAL, thumb=thumb, details=between)
    beat = ((0, 0.0), (0.25, 1.0), (0.5, 0.0), (0.75, 1.0))

    def move(out: float, near: float) -> Keys:
        return keys(*((m, near + (out - near) * v, "land" if v else "drop") for m, v in beat))

    rays = strokes("M120 40L120 20", "M86 48L72 32", "M154 48L168 32", width=10, tone=GOLD)
    return Sticker(
        (
            SvgLayer(
                f'<g transform="matrix(-0.74 0 0 0.74 209 40)">{back}</g>',
                Keyframes(rotate=move(-34, -16), x=move(-10, 6), pivot=(110, 216)),
            ),
            SvgLayer(
                f'<g transform="matrix(0.74 0 0 0.74 31 44)">{front}</g>',
                Keyframes(rotate=move(34, 10), x=move(12, 6), pivot=(130, 216)),
            ),
            SvgLayer(
                rays,
                Keyframes(
                    scale=keys(
                        (0.0, 0.6, "land"), (0.22, 1, "hold"), (0.5, 0.6, "land"), (0.72, 1, "hold")
                    ),
                    opacity=keys(
                        (0, 1, "hold"), (0.23, 0, "hold"), (0.5, 1, "hold"), (0.73, 0, "hold")
                    ),
                    pivot=(120, 60),
                ),
            ),
        )
    )


PALMS: Final[Mapping[str, Sticker]] = MappingProxyType(
    {
        "open_palm": _open_palm(),
        "fist": _fist(),
        "raised_hand": _raised_hand(),
        "wave": _wave(),
        "clap": _clap(),
    }
)
