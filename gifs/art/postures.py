"""Stickers of what arms and head do, of people who leave and come back."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gifs.art.hand import FINGER, palm_hand, spread
from gifs.art.keyframes import Keyframes, Keys, keys, swing
from gifs.art.shapes import glint, strokes
from gifs.art.style import (
    BLUE,
    CORAL,
    GOLD,
    GREY,
    INK,
    LIME,
    ORANGE,
    PINK,
    SKIN,
    TEAL,
    VIOLET,
    Shape,
    Tone,
    box,
    circle,
    ellipse,
    line,
    solid,
)
from gifs.art.svg_layers import Sticker, SvgLayer

_BIG_HEAD: Final = solid([circle(120, 122, 84)], SKIN, shift=(-11.0, -10.0))
_MOUTH: Final = Tone("#7a1f3d", "#7a1f3d")
_SLEEVE: Final = 31.0
"""Width of an arm."""
_FLOOR: Final = (120.0, 220.0)


def _bust(tone: Tone) -> str:
    """Shoulders and chest of a person whose head comes on top."""
    return solid(
        [Shape("M62 206Q62 152 100 146L140 146Q178 152 178 206Q178 222 162 222H78Q62 222 62 206Z")],
        tone,
    )


def _head(mouth: str, y: float = 96.0, brows: str = "") -> str:
    """A head of half the size of our faces, its middle at ``y``; ``mouth`` and ``brows`` are drawn
    about 0, 0."""
    eyes = "".join(f'<ellipse cx="{x}" cy="-4" rx="6.5" ry="9.5" fill="{INK}"/>' for x in (-19, 19))
    parts = solid([circle(0, 0, 52)], SKIN, shift=(-8.0, -7.0)) + eyes + mouth + brows
    return f'<g transform="translate(120 {y:g})">{parts}</g>'


def _arm(d: str, tone: Tone) -> str:
    return solid([Shape(d, _SLEEVE)], tone)


def _mitt(x: float, y: float, angle: float, *, mirrored: bool = False) -> str:
    """A small open hand with its palm at ``x``, ``y``; ``angle`` is clockwise from upright."""
    fingers = ("M-11 -8L-16 -27", "M-4 -10L-5 -33", "M4 -10L6 -33", "M11 -8L16 -27", "M12 6L25 -6")
    body = [circle(0, 0, 17), *(Shape(d, 10) for d in fingers)]
    flip = -1 if mirrored else 1
    place = f"translate({x:g} {y:g}) rotate({angle:g}) scale({flip} 1)"
    return f'<g transform="{place}">{solid(body, SKIN, outline=5, shift=(-3, -3))}</g>'


def _arms_raised() -> Sticker:
    grin = solid([Shape("M-22 10Q0 16 22 10Q20 34 0 34Q-20 34 -22 10Z")], _MOUTH, outline=4)
    cheer: Keys = keys((0, 8), (0.2, 10, "spring"), (0.5, -4), (0.8, 4))
    left = _mitt(50, 50, -12, mirrored=True) + _arm("M82 170Q54 132 52 78", BLUE)
    right = _mitt(190, 50, 12) + _arm("M158 170Q186 132 188 78", BLUE)
    return Sticker(
        (
            SvgLayer(
                "",
                Keyframes(y=cheer, pivot=_FLOOR),
                (
                    SvgLayer(left, Keyframes(rotate=swing(-2, 7, times=2), pivot=(82, 170))),
                    SvgLayer(right, Keyframes(rotate=swing(2, -7, times=2), pivot=(158, 170))),
                    SvgLayer(_bust(BLUE) + _head(grin, 104)),
                ),
            ),
            glint(120, 28, 18, 0.3),
        )
    )


def _hands_on_head() -> Sticker:
    mouth = solid([ellipse(0, 26, 9, 11)], _MOUTH, outline=4)
    brows = line("M-30 -24Q-20 -32 -10 -27", 6) + line("M30 -24Q20 -32 10 -27", 6)
    left = _arm("M84 172Q34 150 38 104Q42 80 80 66", TEAL)
    right = _arm("M156 172Q206 150 202 104Q198 80 160 66", TEAL)
    hands = _mitt(98, 58, 62, mirrored=True) + _mitt(142, 58, -62)
    sway = Keyframes(rotate=swing(0, 5), y=swing(2, 3, times=2), pivot=_FLOOR)
    person = left + right + _bust(TEAL) + _head(mouth, 106, brows) + hands
    return Sticker((SvgLayer(person, sway),))


def _arms_crossed() -> Sticker:
    mouth = line("M-18 26Q0 20 18 26", 6)
    brows = line("M-32 -26L-10 -20", 6) + line("M32 -26L10 -20", 6)
    under = _arm("M166 164Q178 198 140 200L92 190", ORANGE)
    hand = solid([circle(76, 184, 16)], SKIN, outline=5, shift=(-3, -3))
    over = _arm("M74 164Q62 202 100 204L152 188", ORANGE)
    fingers = solid(
        [Shape(f"M{x} {y}L{x + 14} {y - 6}", 11) for x, y in ((156, 176), (158, 187), (156, 198))],
        SKIN,
        outline=5,
        shift=(-3, -3),
    )
    huff = Keyframes(y=keys((0, 0), (0.3, -4), (0.42, 5, "land"), (0.7, 0)), pivot=_FLOOR)
    head = SvgLayer(
        _head(mouth, 94, brows), Keyframes(rotate=swing(0, 6, times=2), pivot=(120, 150))
    )
    arms = SvgLayer(_bust(ORANGE) + hand + under + over + fingers)
    return Sticker((SvgLayer("", huff, (head, arms)),))


def _shrug() -> Sticker:
    mouth = line("M-16 26Q-4 18 16 28", 6)
    brows = line("M-30 -28Q-20 -36 -10 -28", 6) + line("M30 -28Q20 -36 10 -28", 6)
    left = _mitt(40, 112, -36, mirrored=True) + _arm("M84 170Q66 200 52 178L46 138", VIOLET)
    right = _mitt(200, 112, 36) + _arm("M156 170Q174 200 188 178L194 138", VIOLET)
    up = keys((0, 6), (0.2, 8, "spring"), (0.45, -6), (0.7, -6), (0.85, 6))
    tilt = keys((0, 0), (0.25, 0), (0.45, 8), (0.7, 8), (0.9, 0))
    return Sticker(
        (
            SvgLayer(left, Keyframes(y=up)),
            SvgLayer(right, Keyframes(y=up)),
            SvgLayer(_bust(VIOLET)),
            SvgLayer(_head(mouth, 98, brows), Keyframes(rotate=tilt, pivot=(120, 150))),
        )
    )


def _facepalm() -> Sticker:
    face = line("M64 176Q84 164 106 172", 8) + line("M58 118Q72 128 88 120", 9)
    palm = palm_hand(spread(-7, -2, 3, 9), sleeve=CORAL)
    hand = f'<g transform="translate(52 26) rotate(-24 84 84) scale(0.68)">{palm}</g>'
    sink = Keyframes(
        y=keys((0, 0), (0.25, 0, "land"), (0.4, 8), (0.8, 6)),
        rotate=keys((0, 0), (0.4, -5), (0.55, 4), (0.7, -4), (0.85, 0)),
        pivot=_FLOOR,
    )
    slap = Keyframes(
        y=keys((0, 14), (0.2, 18, "drop"), (0.32, 0, "land"), (0.85, 0)), pivot=(120, 150)
    )
    return Sticker((SvgLayer(_BIG_HEAD + face, sink, (SvgLayer(hand, slap),)),))


def _fist_from_below(x: float, y: float) -> str:
    """A fist whose knuckles are up, its middle at ``x``, ``y``."""
    knuckles = "".join(
        solid([Shape(f"M{dx} -12V8", 17)], SKIN, outline=5, shift=(-3, -3))
        for dx in (-27, -9, 9, 27)
    )
    thumb = solid([Shape("M-24 20H14", 17)], SKIN, outline=5, shift=(-3, -3))
    body = solid([box(-36, -18, 72, 52, 18)], SKIN)
    return f'<g transform="translate({x:g} {y:g})">{body}{knuckles}{thumb}</g>'


def _head_on_hand() -> Sticker:
    lids = line("M72 108H104", 9) + line("M138 108H170", 9)
    pupils = ellipse(88, 116, 9, 8).draw(INK) + ellipse(154, 116, 9, 8).draw(INK)
    face = _BIG_HEAD + lids + pupils + line("M74 164Q92 156 112 160", 8)
    arm = solid([Shape("M184 206L178 178", 38)], LIME) + _fist_from_below(176, 168)
    sleepy = Keyframes(
        rotate=keys((0, 12), (0.5, 17), (0.62, 11, "land"), (0.8, 12)),
        y=keys((0, -12), (0.5, -6), (0.62, -12)),
        pivot=(150, 200),
    )
    rest = Keyframes(y=keys((0, 0), (0.5, 4), (0.62, 0)), pivot=_FLOOR)
    return Sticker((SvgLayer(face, sleepy), SvgLayer(arm, rest)), frames=28)


def _phone_at_ear() -> Sticker:
    eyes = "".join(f'<ellipse cx="{x}" cy="104" rx="11" ry="15" fill="{INK}"/>' for x in (72, 132))
    mouth = SvgLayer(
        solid([ellipse(102, 158, 17, 14)], _MOUTH, outline=5),
        Keyframes(tall=swing(0.8, 0.3, times=3), pivot=(102, 158)),
    )
    phone = solid([box(176, 66, 30, 108, 12)], Tone("#5a4a68", "#45364f"))
    fingers = "".join(
        solid([Shape(f"M182 {y}H206", 20)], SKIN, outline=5, shift=(-3, -3))
        for y in (112, 131, 150)
    )
    hand = solid([Shape("M204 112L200 168", 30), Shape("M196 166L182 128", FINGER - 5)], SKIN)
    sleeve = solid([Shape("M204 196L206 208", 40)], PINK)
    waves = strokes("M24 126Q14 146 22 166", "M40 196Q26 190 16 200", width=8, tone=GOLD)
    talk = Keyframes(opacity=keys((0, 0, "hold"), (0.25, 1, "hold"), (0.75, 0, "hold")))
    lean = Keyframes(rotate=swing(0, 4), pivot=_FLOOR)
    return Sticker(
        (
            SvgLayer(waves, talk),
            SvgLayer(_BIG_HEAD + eyes, lean, (mouth, SvgLayer(phone + sleeve + hand + fingers))),
        )
    )


def _away() -> Sticker:
    foot = strokes("M120 196L76 214", "M120 196L164 214", "M120 196V218", width=12, tone=GREY)
    pole = solid([Shape("M120 160V196", 14)], GREY)
    seat = solid([box(64, 138, 112, 30, 15)], BLUE)
    back = solid(
        [box(72, 30, 96, 96, 30)], BLUE, details=line("M96 58Q120 50 144 58", 7, BLUE.shade)
    )
    stem = solid([Shape("M120 116V144", 16)], GREY)
    turn = Keyframes(wide=keys((0, 1), (0.5, 0.5), (1, 1)), pivot=(120, 120))
    puff = strokes("M206 96H226", "M200 122H218", "M206 148H226", width=9)
    gone = Keyframes(
        x=keys((0.1, -8, "land"), (0.6, 2, "hold")),
        opacity=keys((0, 0, "hold"), (0.12, 1, "hold"), (0.62, 0, "hold")),
    )
    return Sticker(
        (SvgLayer(foot + pole), SvgLayer(stem + seat + back, turn), SvgLayer(puff, gone))
    )


def _back() -> Sticker:
    eyes = "".join(f'<ellipse cx="{x}" cy="104" rx="11" ry="16" fill="{INK}"/>' for x in (78, 138))
    grin = solid(
        [Shape("M68 138Q108 150 148 138Q146 182 108 182Q70 182 68 138Z")], _MOUTH, outline=5
    )
    head = solid([circle(108, 124, 82)], SKIN, shift=(-11.0, -10.0))
    rise = Keyframes(
        scale=keys((0, 0.9), (0.12, 0.8, "spring"), (0.4, 1.0), (0.85, 1.0)), pivot=(108, 214)
    )
    hand = palm_hand(spread(-18, -6, 5, 15), sleeve=PINK)
    placed = f'<g transform="translate(128 110) scale(0.46)">{hand}</g>'
    hello = Keyframes(rotate=swing(0, 16, times=2), pivot=(184, 204))
    return Sticker((SvgLayer(head + eyes + grin, rise), SvgLayer(placed, hello)))


POSTURES: Final[Mapping[str, Sticker]] = MappingProxyType(
    {
        "arms_raised": _arms_raised(),
        "hands_on_head": _hands_on_head(),
        "arms_crossed": _arms_crossed(),
        "shrug": _shrug(),
        "facepalm": _facepalm(),
        "head_on_hand": _head_on_hand(),
        "phone_at_ear": _phone_at_ear(),
        "away": _away(),
        "back": _back(),
    }
)
