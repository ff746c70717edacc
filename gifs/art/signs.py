"""Stickers of signs that take two hands, or a hand at the face."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gifs.art.hand import THUMB_ACROSS, palm_hand, spread, thumb_fist
from gifs.art.keyframes import Keyframes, Keys, keys, swing
from gifs.art.shapes import burst, glint, heart, strokes
from gifs.art.style import (
    BLUE,
    CORAL,
    GOLD,
    INK,
    LIME,
    PAPER,
    PINK,
    RED,
    SKIN,
    TEAL,
    VIOLET,
    Shape,
    circle,
    line,
    solid,
)
from gifs.art.svg_layers import Sticker, SvgLayer

_LIT_FROM_RIGHT: Final = (6.0, -5.0)
"""The light on a drawing that is mirrored afterwards."""


def _placed(svg: str, x: float, y: float, size: float) -> str:
    return f'<g transform="matrix({size:g} 0 0 {size:g} {x:g} {y:g})">{svg}</g>'


def _mirrored(svg: str, x: float, y: float, size: float) -> str:
    return f'<g transform="matrix({-size:g} 0 0 {size:g} {x:g} {y:g})">{svg}</g>'


def _pair(left: str, right: str, beat: Keys, turn: float, *extras: SvgLayer) -> Sticker:
    """Two hands side by side, the left one mirrored, that move against each other."""
    return Sticker(
        (
            SvgLayer(
                _mirrored(left, 140, 58, 0.62),
                Keyframes(y=beat, rotate=swing(0, turn), pivot=(66, 200)),
            ),
            SvgLayer(
                _placed(right, 100, 58, 0.62),
                Keyframes(y=beat, rotate=swing(0, -turn), pivot=(174, 200)),
            ),
            *extras,
        )
    )


_BOUNCE: Final = keys((0, 6), (0.18, 10, "spring"), (0.5, -8), (0.8, -2))


def _double_thumbs_up() -> Sticker:
    return _pair(
        thumb_fist(BLUE, _LIT_FROM_RIGHT),
        thumb_fist(BLUE),
        _BOUNCE,
        7,
        glint(120, 46, 20, 0.42),
        glint(40, 58, 13, 0.52, PAPER),
        glint(200, 58, 13, 0.6, PAPER),
    )


def _double_thumbs_down() -> Sticker:
    flip = '<g transform="matrix(1 0 0 -1 0 240)">{}</g>'
    drop = keys((0, -6), (0.2, -12, "drop"), (0.42, 8, "land"), (0.55, 0), (0.8, -2))
    rain = strokes("M104 28L98 50", "M136 34L130 56", "M120 10L115 26", tone=BLUE)
    return _pair(
        flip.format(thumb_fist(CORAL, (6.0, 5.0))),
        flip.format(thumb_fist(CORAL, (-6.0, 5.0))),
        drop,
        6,
        SvgLayer(
            rain, Keyframes(y=keys((0.1, -6, "drop"), (0.6, 12, "hold")), tall=burst(0.1, 0.6))
        ),
    )


def _double_victory() -> Sticker:
    _, _, middle, index = spread(0, 0, -13, 15)
    left, right = (
        palm_hand((middle, index), fold=(86, 109), thumb=None, sleeve=PINK, light=light)
        for light in (_LIT_FROM_RIGHT, (-6.0, -5.0))
    )
    return _pair(
        left,
        right,
        swing(-3, 4, times=2),
        9,
        glint(120, 38, 18, 0.3),
        glint(26, 60, 12, 0.6, PAPER),
        glint(214, 60, 12, 0.8, PAPER),
    )


def _double_rock() -> Sticker:
    little, _, _, index = spread(-12, -5, 1, 8)
    left, right = (
        palm_hand((little, index), fold=(108, 132), thumb=None, sleeve=VIOLET, light=light)
        for light in (_LIT_FROM_RIGHT, (-6.0, -5.0))
    )
    bolt = solid([Shape("M128 14l-26 42h17l-11 40 36-52h-19l16-30z")], GOLD, outline=5)
    nod = keys((0, -10, "drop"), (0.25, 0, "land"), (0.5, -10, "drop"), (0.75, 0, "land"))
    spark = Keyframes(scale=swing(0.9, 0.14, times=2, phase=0.2), pivot=(120, 55))
    return _pair(left, right, nod, 8, SvgLayer(bolt, spark))


def _heart_hands() -> Sticker:
    half = Shape(
        "M118 196Q92 176 74 150Q40 108 60 78Q84 48 118 92L118 124Q102 92 86 98Q74 112 96 138"
        "Q110 154 118 160Z"
    )
    cuff = Shape("M94 174L76 196", 38)
    left = solid([cuff], PINK) + solid([half], SKIN) + line("M78 84Q92 74 104 86", 4, INK)
    right = solid([cuff], PINK, shift=_LIT_FROM_RIGHT)
    right += solid([half], SKIN, shift=_LIT_FROM_RIGHT) + line("M78 84Q92 74 104 86", 4, INK)
    beat = keys((0, 0.97, "drop"), (0.1, 1.04, "land"), (0.3, 0.97, "drop"), (0.4, 1.03, "land"))
    hands = SvgLayer(left + _mirrored(right, 240, 0, 1), Keyframes(scale=beat, pivot=(120, 150)))
    rising = tuple(
        SvgLayer(
            solid([heart(x, 66, size)], tone, outline=5, shift=(-2, -2)),
            Keyframes(
                y=keys((begin, 22, "linear"), ((begin + 0.62) % 1, -34, "hold")),
                scale=burst(begin, 0.62),
                pivot=(x, 66),
            ),
        )
        for x, size, begin, tone in ((76, 30, 0.1, PINK), (120, 40, 0.4, RED), (166, 30, 0.7, PINK))
    )
    return Sticker((*rising, hands), frames=28)


def _namaste() -> Sticker:
    fingers = Shape("M102 196L106 96Q108 44 116 44Q120 44 119 60L120 200Z")
    sleeve = Shape("M102 186L74 202", 38)
    thumb = line("M100 150Q112 148 112 126", 4, INK)
    left = solid([sleeve], VIOLET) + solid([fingers], SKIN, details=thumb)
    right = solid([sleeve], VIOLET, shift=_LIT_FROM_RIGHT)
    right += solid([fingers], SKIN, shift=_LIT_FROM_RIGHT, details=thumb)
    bow = Keyframes(
        y=keys((0, 0), (0.3, 8), (0.6, 0)),
        tall=keys((0, 1), (0.3, 0.96), (0.6, 1)),
        pivot=(120, 220),
    )
    rays = strokes("M62 84L46 74", "M76 48L64 34", "M178 84L194 74", "M164 48L176 34", tone=GOLD)
    shine = Keyframes(
        scale=keys((0.2, 0.7, "land"), (0.45, 1), (0.8, 0.7)),
        opacity=keys((0, 0, "hold"), (0.22, 1, "hold"), (0.8, 0, "hold")),
        pivot=(120, 100),
    )
    return Sticker((SvgLayer(rays, shine), SvgLayer(left + _mirrored(right, 240, 0, 1), bow)))


def _timeout() -> Sticker:
    upright = palm_hand(spread(-3, -1, 1, 3), sleeve=TEAL, thumb=THUMB_ACROSS)
    flat = Shape("M56 66L178 66", 36)
    lying = solid([Shape("M40 66L58 66", 44)], LIME) + solid([flat], SKIN)
    lying += line("M120 76L186 76", 4, INK)
    tap = keys((0, 0), (0.2, -10, "drop"), (0.34, 0, "land"), (0.5, -6, "drop"), (0.62, 0, "land"))
    knock = strokes("M54 34L44 20", "M120 28L120 14", "M186 34L196 20", width=9, tone=GOLD)
    flash = Keyframes(
        scale=keys((0.3, 0.6, "land"), (0.42, 1), (0.6, 0.9)),
        opacity=keys((0, 0, "hold"), (0.32, 1, "hold"), (0.7, 0, "hold")),
        pivot=(120, 60),
    )
    return Sticker(
        (
            SvgLayer(knock, flash),
            SvgLayer(_placed(upright, 26, 50, 0.78)),
            SvgLayer(lying, Keyframes(y=tap)),
        )
    )


def _shush() -> Sticker:
    head = solid([circle(120, 112, 84)], SKIN, shift=(-11.0, -10.0))
    eyes = (
        "".join(f'<ellipse cx="{x}" cy="92" rx="11" ry="15" fill="{INK}"/>' for x in (86, 154))
        + line("M70 66Q86 56 100 64", 7)
        + line("M140 64Q154 56 170 66", 7)
    )
    mouth = line("M92 146Q120 138 148 146", 8)
    finger = palm_hand((spread(0, 0, 0, -2)[3],), fold=(85, 108, 131), thumb=None, sleeve=CORAL)
    lift = Keyframes(y=keys((0, 6), (0.2, 10, "spring"), (0.45, 0), (0.8, 2)), pivot=(120, 200))
    waves = strokes("M34 52Q22 40 30 24", "M206 52Q218 40 210 24", width=8)
    blink = Keyframes(opacity=keys((0, 0, "hold"), (0.25, 1, "hold"), (0.75, 0, "hold")))
    return Sticker(
        (
            SvgLayer(waves, blink),
            SvgLayer(head + eyes + mouth, Keyframes(rotate=swing(0, 3), pivot=(120, 200))),
            SvgLayer(_placed(finger, 24, 90, 0.6), lift),
        )
    )


SIGNS: Final[Mapping[str, Sticker]] = MappingProxyType(
    {
        "shush": _shush(),
        "double_thumbs_up": _double_thumbs_up(),
        "double_thumbs_down": _double_thumbs_down(),
        "double_victory": _double_victory(),
        "double_rock": _double_rock(),
        "heart_hands": _heart_hands(),
        "namaste": _namaste(),
        "timeout": _timeout(),
    }
)
