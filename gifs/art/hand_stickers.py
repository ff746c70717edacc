"""Stickers that are hands."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gifs.art.hand import PALM_LINES, palm_hand, ring_hand, snap_hand, spread, thumb_fist
from gifs.art.keyframes import Keyframes, Keys, keys, swing
from gifs.art.shapes import burst, glint, heart, star, strokes
from gifs.art.style import (
    BLUE,
    CORAL,
    GOLD,
    INK,
    LIME,
    LINE,
    ORANGE,
    PAPER,
    PINK,
    RED,
    SKIN,
    TEAL,
    VIOLET,
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


_LITTLE, _RING, _MIDDLE, _INDEX = spread(-12, -5, 1, 8)


def _thumbs_up() -> Sticker:
    motion = Keyframes(
        y=keys((0, 6), (0.18, 10, "spring"), (0.5, -6), (0.8, -2)),
        rotate=keys((0, 0), (0.18, 9, "spring"), (0.5, -9), (0.8, -5)),
        pivot=(70.0, 170.0),
    )
    return Sticker(
        (
            SvgLayer(thumb_fist(BLUE), motion),
            glint(176, 66, 21, 0.42),
            glint(206, 98, 13, 0.52, PAPER),
            glint(60, 74, 15, 0.48, PAPER),
        )
    )


def _thumbs_down() -> Sticker:
    motion = Keyframes(
        y=keys((0, -6), (0.2, -12, "drop"), (0.42, 8, "land"), (0.55, 0), (0.8, -2)),
        rotate=keys((0, 0), (0.2, -8, "drop"), (0.42, 9), (0.58, 4), (0.8, 2)),
        pivot=(70.0, 80.0),
    )
    flipped = f'<g transform="matrix(1 0 0 -1 0 240)">{thumb_fist(CORAL, (-6, 5))}</g>'
    drop = strokes("M172 168L172 190", "M60 150L60 176", "M194 150L194 168")
    return Sticker(
        (
            SvgLayer(
                drop,
                Keyframes(
                    y=keys((0.2, -24, "land"), (0.6, 14, "hold")),
                    tall=burst(0.22, 0.45),
                    pivot=(120, 170),
                ),
            ),
            SvgLayer(flipped, motion),
        )
    )


def _ok_hand() -> Sticker:
    return Sticker(
        (
            SvgLayer(
                ring_hand(VIOLET),
                Keyframes(
                    x=-8,
                    rotate=swing(0, 6),
                    scale=keys((0, 0.95), (0.5, 1.0)),
                    pivot=_WRIST,
                ),
            ),
            glint(206, 62, 20, 0.15),
            glint(40, 60, 14, 0.6, PAPER),
        ),
    )


def _victory() -> Sticker:
    _, _, middle, index = spread(0, 0, -13, 15)
    hand = palm_hand((middle, index), fold=(86, 109), thumb=None, sleeve=PINK)
    return Sticker(
        (
            SvgLayer(
                hand,
                Keyframes(rotate=keys((0, -11), (0.5, 9)), y=swing(-3, 4, times=2), pivot=_WRIST),
            ),
            glint(58, 76, 18, 0.3),
            glint(204, 118, 14, 0.7, PAPER),
        )
    )


def _rock() -> Sticker:
    hand = palm_hand((_LITTLE, _INDEX), fold=(108, 132), thumb=None, sleeve=VIOLET)
    bolt = "M{0} 54l-26 42h17l-11 40 36-52h-19l16-30z"
    nod = keys((0, -16, "drop"), (0.25, 0, "land"), (0.5, -16, "drop"), (0.75, 0, "land"))
    left = solid([Shape(bolt.format(42))], GOLD, outline=5, shift=(-2, -2))
    right = solid([Shape(bolt.format(212))], GOLD, outline=5, shift=(-2, -2))
    return Sticker(
        (
            SvgLayer(left, Keyframes(scale=swing(0.9, 0.14, times=2, phase=0.2), pivot=(38, 94))),
            SvgLayer(right, Keyframes(scale=swing(0.9, 0.14, times=2, phase=0.7), pivot=(208, 94))),
            SvgLayer(hand, Keyframes(y=nod, rotate=swing(0, 9), pivot=_WRIST)),
        )
    )


def _ily() -> Sticker:
    hand = palm_hand((_LITTLE, _INDEX), fold=(108, 132), sleeve=CORAL)
    hearts = tuple(
        SvgLayer(
            solid([heart(x, 92, size)], tone, outline=5, shift=(-2, -2)),
            Keyframes(
                y=keys((begin, 18, "linear"), ((begin + 0.62) % 1, -44, "hold")),
                x=swing(0, 4, times=2, phase=begin),
                scale=burst(begin, 0.62),
                pivot=(x, 92),
            ),
        )
        for x, size, begin, tone in (
            (38, 30, 0.1, PINK),
            (120, 40, 0.45, RED),
            (208, 32, 0.75, PINK),
        )
    )
    return Sticker(
        (
            SvgLayer(hand, Keyframes(rotate=swing(0, 8), scale=0.94, pivot=_WRIST)),
            *hearts,
        ),
        frames=28,
    )


def _pointing_up() -> Sticker:
    hand = palm_hand((spread(0, 0, 0, 2)[3],), fold=(85, 108, 131), thumb=None, sleeve=TEAL)
    rays = strokes("M156 40L156 20", "M128 50L116 34", "M186 50L198 34", tone=GOLD)
    jab = keys((0, 0), (0.14, 6, "spring"), (0.36, -8), (0.5, 0), (0.64, 6, "spring"), (0.86, -8))
    return Sticker(
        (
            SvgLayer(
                rays,
                Keyframes(
                    scale=keys(
                        (0.14, 0, "land"), (0.34, 1), (0.5, 0, "hold"), (0.64, 0, "land"), (0.84, 1)
                    ),
                    x=-16,
                    pivot=(156, 60),
                ),
            ),
            SvgLayer(hand, Keyframes(x=-16, y=jab, rotate=swing(0, 3), pivot=_WRIST)),
        )
    )


def _call_me() -> Sticker:
    hand = palm_hand((spread(-50, 0, 0, 0)[0],), fold=(108, 131, 154), sleeve=LIME)
    shake = keys(
        *((0.1 + 0.06 * i, 7.0 * (-1) ** i) for i in range(9)),
        (0.04, 0),
        (0.64, 0),
    )
    ring = strokes("M24 92Q8 66 24 40", "M46 84Q36 66 46 50", width=8, tone=GOLD)
    ring_right = strokes("M216 92Q232 66 216 40", "M194 84Q204 66 194 50", width=8, tone=GOLD)
    blink = keys((0, 0, "hold"), (0.1, 1, "hold"), (0.6, 0, "hold"))
    return Sticker(
        (
            SvgLayer(ring, Keyframes(opacity=blink, scale=swing(1, 0.06, times=3), pivot=(50, 66))),
            SvgLayer(
                ring_right, Keyframes(opacity=blink, scale=swing(1, 0.06, times=3), pivot=(190, 66))
            ),
            SvgLayer(hand, Keyframes(rotate=shake, x=4, pivot=(120, 180))),
        )
    )


def _crossed_fingers() -> Sticker:
    _, _, middle, index = spread(0, 0, 15, -13)
    back = solid([middle.stretched()], SKIN, outline=LINE - 1)
    hand = palm_hand((index,), fold=(86, 109), thumb=None, sleeve=LIME)
    squeeze = keys((0, 0), (0.2, 5, "spring"), (0.45, -7), (0.7, 3), (0.9, 0))
    return Sticker(
        (
            SvgLayer(
                back + hand,
                Keyframes(rotate=squeeze, y=swing(-2, 4, times=2), pivot=_WRIST),
            ),
            glint(64, 74, 18, 0.2),
            glint(208, 62, 20, 0.5),
            glint(212, 130, 13, 0.75, PAPER),
        )
    )


def _finger_heart() -> Sticker:
    motion = Keyframes(
        y=keys((0, 0), (0.18, 2, "spring"), (0.5, -4), (0.8, -2)),
        rotate=keys((0, 0), (0.2, 5, "spring"), (0.5, -5), (0.8, -2)),
        pivot=(80.0, 190.0),
    )
    hearts = tuple(
        SvgLayer(
            solid([heart(x, 62, size)], tone, outline=5, shift=(-2, -2)),
            Keyframes(
                y=keys((begin, 22, "linear"), ((begin + 0.6) % 1, -28, "hold")),
                scale=burst(begin, 0.6),
                pivot=(x, 62),
            ),
        )
        for x, size, begin, tone in (
            (140, 42, 0.15, RED),
            (62, 26, 0.5, PINK),
            (206, 28, 0.75, PINK),
        )
    )
    return Sticker((SvgLayer(snap_hand(CORAL), motion), *hearts), frames=28)


HAND_STICKERS: Final[Mapping[str, Sticker]] = MappingProxyType(
    {
        "thumbs_up": _thumbs_up(),
        "thumbs_down": _thumbs_down(),
        "ok_hand": _ok_hand(),
        "victory": _victory(),
        "rock": _rock(),
        "ily": _ily(),
        "pointing_up": _pointing_up(),
        "call_me": _call_me(),
        "crossed_fingers": _crossed_fingers(),
        "finger_heart": _finger_heart(),
        "open_palm": _open_palm(),
        "fist": _fist(),
        "raised_hand": _raised_hand(),
        "wave": _wave(),
        "clap": _clap(),
    }
)
