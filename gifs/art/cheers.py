"""The stickers that cheer: a heart, a party popper, full marks."""

from collections.abc import Mapping
from math import cos, pi, sin
from types import MappingProxyType
from typing import Final

from gifs.art.keyframes import Keyframes, keys, swing
from gifs.art.shapes import burst, glint, heart
from gifs.art.style import (
    BLUE,
    CORAL,
    GOLD,
    LIME,
    ORANGE,
    PAPER,
    PINK,
    RED,
    TEAL,
    VIOLET,
    Shape,
    Tone,
    box,
    circle,
    line,
    solid,
)
from gifs.art.svg_layers import Sticker, SvgLayer

_PAPERS: Final = (RED, GOLD, TEAL, PINK, BLUE, LIME, ORANGE, VIOLET)


def _heart() -> Sticker:
    beat = keys(
        (0, 0.94, "drop"),
        (0.1, 1.1, "land"),
        (0.24, 0.95, "drop"),
        (0.34, 1.06, "land"),
        (0.6, 0.94),
    )
    shine = line("M56 100Q54 74 80 66", 11, "#ff9aa2")
    small = solid([heart(206, 48, 46)], PINK, outline=5, shift=(-3, -3))
    return Sticker(
        (
            SvgLayer(
                solid([heart(120, 122, 186)], RED, shift=(-10, -9), details=shine),
                Keyframes(scale=beat, pivot=(120, 130)),
            ),
            SvgLayer(
                small,
                Keyframes(
                    scale=burst(0.3, 0.55),
                    y=keys((0.3, 16, "land"), (0.85, -14, "hold")),
                    pivot=(206, 48),
                ),
            ),
        )
    )


def _party() -> Sticker:
    cone = Shape("M44 212L92 96L152 156Z")
    stripes = line("M66 152L102 188", 13, VIOLET.light) + line("M84 112L138 166", 13, VIOLET.light)
    mouth = solid(
        [Shape("M92 96Q100 88 130 118Q160 148 152 156Q140 160 114 134Q86 104 92 96Z")],
        Tone("#7a1f3d", "#5c1531"),
        outline=5,
    )
    ribbon = solid([Shape("M132 112Q150 92 140 76T156 44", 9)], CORAL, outline=5, shift=(-1, -1))
    ribbon_right = solid(
        [Shape("M138 118Q160 104 172 118T206 108", 9)], TEAL, outline=5, shift=(-1, -1)
    )
    pop = keys((0, 0.9), (0.06, 0.84, "spring"), (0.22, 1.04), (0.5, 0.97))
    open_ = keys((0.08, 0.3, "land"), (0.28, 1.0), (0.7, 0.96, "drop"), (0.86, 0.3, "hold"))
    return Sticker(
        (
            SvgLayer(ribbon, Keyframes(scale=open_, rotate=swing(0, 5, times=2), pivot=(130, 114))),
            SvgLayer(
                ribbon_right, Keyframes(scale=open_, rotate=swing(0, -5, times=2), pivot=(130, 118))
            ),
            SvgLayer(
                solid([cone], GOLD, details=stripes, shift=(-5, -8)) + mouth,
                Keyframes(
                    scale=pop,
                    rotate=keys((0, 4), (0.06, 7, "spring"), (0.22, -4), (0.5, 0)),
                    pivot=(44, 212),
                ),
            ),
            *(_flying(i) for i in range(11)),
        ),
        frames=28,
    )


def _flying(i: int) -> SvgLayer:
    """One of eleven pieces that fly out of the popper and sink."""
    angle = -pi / 4 + (i - 5) * 0.2
    reach = 62 + 38 * ((i * 3) % 5) / 4
    x, y = 126 + reach * cos(angle), 116 + reach * sin(angle)
    shape = (
        box(x - 10, y - 7, 20, 14, 3),
        circle(x, y, 9),
        Shape(f"M{x - 11:.1f} {y:.1f}q6-12 11 0t11 0", 8),
    )[i % 3]
    begin = 0.08 + 0.02 * (i % 4)
    motion = Keyframes(
        x=keys((begin, (126 - x) * 0.9, "land"), (0.5, 0), (0.92, 2, "hold")),
        y=keys((begin, (116 - y) * 0.9, "land"), (0.5, -6, "drop"), (0.92, 46, "hold")),
        rotate=keys((begin, -120.0 + 30 * i, "linear"), (0.92, 160.0, "hold")),
        opacity=keys((0, 0, "hold"), (begin, 1, "hold"), (0.9, 0, "hold")),
        scale=keys((begin, 0.5, "land"), (0.4, 1), (0.72, 1, "drop"), (0.9, 0.4, "hold")),
        pivot=(round(x, 1), round(y, 1)),
    )
    return SvgLayer(solid([shape], _PAPERS[i % len(_PAPERS)], outline=4, shift=(-2, -2)), motion)


def _hundred() -> Sticker:
    zero = "M{0} 76C{1} 64 {2} 104 {3} 134C{4} 162 {5} 164 {6} 140C{7} 112 {8} 84 {0} 76Z"
    digits = (
        Shape("M44 94L66 74L60 160", 24),
        Shape(zero.format(118, 140, 140, 132, 124, 94, 96, 98, 106), 22),
        Shape(zero.format(188, 210, 210, 202, 194, 164, 166, 168, 176), 22),
    )
    lines = (
        (Shape("M46 196Q110 172 206 180", 15), 0.1, (46.0, 190.0)),
        (Shape("M86 220Q130 204 186 206", 13), 0.18, (86.0, 212.0)),
    )
    layers = [
        SvgLayer(solid([digit], RED, shift=(-4, -4)), Keyframes(y=swing(0, 5, phase=-0.12 * place)))
        for place, digit in enumerate(digits)
    ]
    for underline, begin, pivot in lines:
        stretch = keys((begin, 0.4, "land"), (begin + 0.3, 1), (0.9, 1), (0.98, 0.4))
        layers.append(
            SvgLayer(solid([underline], RED, shift=(-3, -3)), Keyframes(wide=stretch, pivot=pivot))
        )
    pop = keys((0, 0.95), (0.12, 0.88, "spring"), (0.36, 1.03), (0.7, 0.98))
    motion = Keyframes(y=-14, scale=pop, rotate=swing(-4, 4), pivot=(120, 200))
    sparks = (glint(36, 46, 19, 0.35), glint(214, 44, 15, 0.55, PAPER))
    return Sticker((SvgLayer(motion=motion, layers=tuple(layers)), *sparks))


CHEERS: Final[Mapping[str, Sticker]] = MappingProxyType(
    {
        "heart": _heart(),
        "party": _party(),
        "hundred": _hundred(),
    }
)
