"""Stickers that are faces."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gifs.art.hand import FINGER
from gifs.art.keyframes import Keyframes, Keys, keys, swing
from gifs.art.shapes import strokes
from gifs.art.style import (
    BLUE,
    GOLD,
    INK,
    PAPER,
    SKIN,
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

_HEAD: Final = solid([circle(120, 122, 86)], SKIN, shift=(-11.0, -10.0))
_TONGUE: Final = "#ff6f7d"
_MOUTH: Final = "#7a1f3d"
_EYEBALL: Final = Tone("#ffffff", "#e7def2")


def _cheeks(y: float = 142) -> str:
    return "".join(
        f'<ellipse cx="{x}" cy="{y:g}" rx="15" ry="10" fill="#ff9a4d" opacity="0.75"/>'
        for x in (62, 178)
    )


def _eye(x: float, y: float, across: float = 11, down: float = 16) -> str:
    """A tall dark eye with a glint."""
    return (
        f'<ellipse cx="{x:g}" cy="{y:g}" rx="{across:g}" ry="{down:g}" fill="{INK}"/>'
        f'<circle cx="{x - across * 0.3:g}" cy="{y - down * 0.4:g}" r="{across * 0.36:g}"'
        ' fill="#ffffff"/>'
    )


def _blink(moment: float) -> Keys:
    """Tallness of eyes that shut for an instant at ``moment``."""
    return keys((moment - 0.05, 1.0, "drop"), (moment, 0.36, "land"), (moment + 0.07, 1.0))


def _eyes(y: float, moment: float, across: float = 11, down: float = 16) -> SvgLayer:
    eyes = _eye(88, y, across, down) + _eye(152, y, across, down)
    return SvgLayer(eyes, Keyframes(tall=_blink(moment), pivot=(120, y)))


def _grin(y: float, wide: float, deep: float) -> str:
    """An open laughing mouth, flat above, with teeth and tongue."""
    left, right = 120 - wide, 120 + wide
    d = f"M{left:g} {y:g}Q120 {y + 8:g} {right:g} {y:g}Q{right:g} {y + deep:g} 120 {y + deep:g}"
    d += f"Q{left:g} {y + deep:g} {left:g} {y:g}Z"
    tongue = ellipse(120, y + deep + 2, wide * 0.6, deep * 0.42).draw(_TONGUE)
    teeth = Shape(
        f"M{left:g} {y - 4:g}Q120 {y + 4:g} {right:g} {y - 4:g}V{y + 7:g}"
        f"Q120 {y + 15:g} {left:g} {y + 7:g}Z"
    ).draw("#ffffff")
    mouth = Tone(_MOUTH, _MOUTH)
    return solid([Shape(d)], mouth, outline=5, details=tongue + teeth)


def _smile() -> Sticker:
    face = Keyframes(rotate=swing(0, 6), y=swing(0, 4, times=2), pivot=(120, 200))
    return Sticker(
        (
            SvgLayer(
                _HEAD,
                face,
                (
                    SvgLayer(
                        _cheeks(),
                        Keyframes(),
                        (
                            _eyes(104, 0.62),
                            SvgLayer(
                                _grin(138, 42, 42),
                                Keyframes(
                                    wide=swing(0.98, 0.06),
                                    tall=swing(0.94, 0.1),
                                    pivot=(120, 140),
                                ),
                            ),
                        ),
                    ),
                ),
            ),
        ),
        frames=28,
    )


def _surprised() -> Sticker:
    brows = line("M70 74Q86 60 102 70", 8) + line("M138 70Q154 60 170 74", 8)
    mouth = solid(
        [ellipse(120, 166, 21, 27)],
        Tone(_MOUTH, _MOUTH),
        outline=5,
        details=ellipse(120, 192, 17, 13).draw(_TONGUE),
    )
    eyes = "".join(
        solid([circle(x, 108, 23)], _EYEBALL, outline=5, shift=(-3, -3))
        + circle(x, 108, 9).draw(INK)
        for x in (86, 154)
    )
    lines = strokes("M28 62L14 50", "M212 62L226 50", "M52 34L44 20", "M188 34L196 20", tone=GOLD)
    flash = Keyframes(
        scale=keys((0.16, 0.8, "land"), (0.4, 1.0)),
        opacity=keys((0, 0, "hold"), (0.2, 1, "hold"), (0.72, 0, "hold")),
    )
    jump = keys((0, 0), (0.14, 6, "land"), (0.3, -12), (0.46, 0), (0.9, 0))
    lift = keys((0, 10), (0.14, 12, "spring"), (0.34, -4), (0.8, 0))
    stare = keys((0, 0.9), (0.14, 0.84, "spring"), (0.34, 1.06), (0.8, 1))
    gasp = keys((0, 0.6), (0.14, 0.5, "spring"), (0.34, 1.05), (0.8, 1.0))
    features = (
        SvgLayer(brows, Keyframes(y=lift)),
        SvgLayer(eyes, Keyframes(scale=stare, pivot=(120, 108))),
        SvgLayer(mouth, Keyframes(scale=gasp, pivot=(120, 166))),
    )
    face = SvgLayer(_HEAD, Keyframes(y=jump, scale=0.94, pivot=(120, 200)), features)
    return Sticker((SvgLayer(lines, flash), face))


def _thinking() -> Sticker:
    brows = line("M66 78Q82 62 104 70", 8) + line("M140 84Q156 78 172 86", 8)
    whites = "".join(
        solid([ellipse(x, 108, 17, 19)], _EYEBALL, outline=5, shift=(-3, -3)) for x in (88, 154)
    )
    pupils = circle(88, 108, 9).draw(INK) + circle(154, 108, 9).draw(INK)
    look = Keyframes(
        x=keys((0, 6), (0.3, 6), (0.42, -6), (0.8, -6), (0.92, 6)),
        y=keys((0, -8), (0.8, -8), (0.86, -5)),
    )
    features = (
        SvgLayer(brows, Keyframes(y=swing(0, 3, times=2))),
        SvgLayer(whites),
        SvgLayer(pupils, look),
        SvgLayer(
            line("M102 156Q122 146 146 152", 8), Keyframes(rotate=swing(0, 3), pivot=(124, 152))
        ),
    )
    face = SvgLayer(_HEAD, Keyframes(y=-10, rotate=swing(-2, 4), pivot=(120, 210)), features)
    stroke = Keyframes(scale=0.98, rotate=swing(0, 5, phase=0.15), y=swing(-13, 3), pivot=(84, 220))
    thoughts = (_thought(186, 38, 10, 0.05), _thought(212, 18, 14, 0.2))
    return Sticker((face, SvgLayer(_chin_hand(), stroke), *thoughts))


def _thought(x: float, y: float, radius: float, begin: float) -> SvgLayer:
    """One bubble of a thought that comes up."""
    grow = keys(
        (0, 0, "hold"),
        (begin, 0.34, "spring"),
        (begin + 0.15, 1),
        (0.86, 1, "drop"),
        (0.96, 0, "hold"),
    )
    bubble = solid([circle(x, y, radius)], PAPER, outline=5, shift=(-2, -2))
    return SvgLayer(bubble, Keyframes(scale=grow, pivot=(x, y)))


def _chin_hand() -> str:
    """A hand at the chin: index finger along the jaw, thumb up the cheek, the rest folded."""
    body = [
        Shape(
            "M66 176Q66 160 84 160L118 164Q134 168 132 188"
            "L128 206Q122 220 104 220L82 220Q68 214 66 196Z"
        ),
        Shape("M116 178Q140 176 158 166", FINGER - 2),
        Shape("M78 184Q64 166 62 140", FINGER),
    ]
    folds = "".join(
        solid([Shape(d, 22)], SKIN, outline=5) for d in ("M108 192L134 191", "M104 210L128 210")
    )
    return solid(body, SKIN) + folds + solid([box(62, 218, 64, 20, 8)], VIOLET)


def _laugh() -> Sticker:
    arcs = line("M66 112Q84 84 104 108", 9) + line("M136 108Q156 84 174 112", 9)
    left = solid(
        [Shape("M60 116C34 116 22 138 32 152C44 164 62 150 60 116Z")],
        BLUE,
        outline=5,
        shift=(-3, -3),
    )
    right = solid(
        [Shape("M180 116C206 116 218 138 208 152C196 164 178 150 180 116Z")],
        BLUE,
        outline=5,
        shift=(-3, -3),
    )
    shake = swing(0, 5, times=4)
    return Sticker(
        (
            SvgLayer(
                _HEAD,
                Keyframes(y=shake, rotate=swing(0, 9), pivot=(120, 190)),
                (
                    SvgLayer(_cheeks(138)),
                    SvgLayer(arcs),
                    SvgLayer(
                        _grin(128, 48, 54),
                        Keyframes(tall=swing(0.94, 0.1, times=4), pivot=(120, 130)),
                    ),
                    SvgLayer(left, Keyframes(scale=swing(1, 0.14, times=4), pivot=(58, 118))),
                    SvgLayer(
                        right, Keyframes(scale=swing(1, 0.14, times=4, phase=0.5), pivot=(182, 118))
                    ),
                ),
            ),
        )
    )


def _watching() -> Sticker:
    look = keys((0, -13), (0.3, -13), (0.4, 13), (0.75, 13), (0.85, -13))
    shut = keys(
        (0.3, 1.0, "drop"),
        (0.35, 0.36, "land"),
        (0.42, 1.0),
        (0.75, 1.0, "drop"),
        (0.8, 0.36, "land"),
        (0.87, 1.0),
    )

    def eye(x: float) -> SvgLayer:
        ball = solid([ellipse(x, 120, 46, 66)], Tone("#ffffff", "#ddd3ec"), shift=(-8, -8))
        iris = (
            circle(x, 126, 27).draw(INK)
            + circle(x, 126, 17).draw(BLUE.shade)
            + circle(x, 126, 10).draw(INK)
            + circle(x - 8, 115, 8).draw("#ffffff")
        )
        return SvgLayer(
            ball, Keyframes(tall=shut, pivot=(x, 130)), (SvgLayer(iris, Keyframes(x=look)),)
        )

    sway = Keyframes(rotate=swing(0, 3), y=swing(0, 3, times=2))
    return Sticker((SvgLayer(motion=sway, layers=(eye(68), eye(172))),), frames=24)


def _shut_eyes(y: float = 108) -> str:
    """Two lids that are down, lashes below."""
    return line(f"M68 {y:g}Q87 {y + 15:g} 106 {y:g}", 9) + line(
        f"M134 {y:g}Q153 {y + 15:g} 172 {y:g}", 9
    )


def _letter_z(x: float, y: float, size: float, begin: float) -> SvgLayer:
    """One z of a sleeper that comes up and goes."""
    z = line(f"M{x - size:g} {y - size:g}H{x + size:g}L{x - size:g} {y + size:g}H{x + size:g}", 7)
    rise = Keyframes(
        y=keys((0, 8), (begin, 8), (begin + 0.4, -6), (1, -6)),
        opacity=keys((0, 0, "hold"), (begin, 1, "hold"), (begin + 0.5, 0, "hold")),
    )
    return SvgLayer(z, rise)


def _eyes_closed() -> Sticker:
    breath = Keyframes(rotate=swing(5, 2), y=swing(6, 4), pivot=(120, 210))
    mouth = SvgLayer(
        solid([ellipse(124, 166, 11, 9)], Tone(_MOUTH, _MOUTH), outline=5),
        Keyframes(scale=swing(0.9, 0.2), pivot=(124, 166)),
    )
    face = SvgLayer(_HEAD, breath, (SvgLayer(_cheeks()), SvgLayer(_shut_eyes()), mouth))
    return Sticker((face, _letter_z(196, 56, 12, 0.05), _letter_z(220, 24, 9, 0.35)), frames=28)


def _yawn() -> Sticker:
    gape = keys((0, 0.34), (0.3, 1.0, "land"), (0.7, 1.05), (0.9, 0.34))
    mouth = solid(
        [ellipse(120, 164, 30, 36)],
        Tone(_MOUTH, _MOUTH),
        outline=5,
        details=ellipse(120, 196, 24, 17).draw(_TONGUE),
    )
    tear = solid([Shape("M188 112C184 124 186 132 192 132C198 132 200 124 188 112Z")], BLUE)
    features = (
        SvgLayer(_shut_eyes(100)),
        SvgLayer(
            line("M70 76Q86 68 104 76", 8) + line("M136 76Q154 68 170 76", 8),
            Keyframes(y=keys((0, 0), (0.3, -8), (0.7, -8), (0.9, 0))),
        ),
        SvgLayer(mouth, Keyframes(scale=gape, pivot=(120, 156))),
        SvgLayer(tear, Keyframes(opacity=keys((0, 0, "hold"), (0.4, 1, "hold"), (0.95, 0)))),
    )
    back = Keyframes(rotate=keys((0, 0), (0.3, -7), (0.7, -7), (0.9, 0)), pivot=(120, 200))
    return Sticker((SvgLayer(_HEAD, back, features),), frames=30)


def _wink() -> Sticker:
    shut = line("M134 104Q153 90 172 104", 9)
    open_eye = _eye(152, 104)
    blink = keys((0, 1, "hold"), (0.3, 0, "hold"), (0.75, 1, "hold"))
    closed = keys((0, 0, "hold"), (0.3, 1, "hold"), (0.75, 0, "hold"))
    features = (
        SvgLayer(_cheeks()),
        SvgLayer(_eye(88, 104)),
        SvgLayer(open_eye, Keyframes(opacity=blink)),
        SvgLayer(shut, Keyframes(opacity=closed)),
        SvgLayer(line("M84 152Q120 182 158 146", 9)),
    )
    nudge = Keyframes(rotate=keys((0, 0), (0.3, 8, "land"), (0.75, 8), (0.9, 0)), pivot=(120, 200))
    return Sticker((SvgLayer(_HEAD, nudge, features),), frames=24)


def _calm_face() -> tuple[SvgLayer, ...]:
    """Open eyes and a small smile."""
    mouth = SvgLayer(line("M92 154Q120 172 148 154", 9))
    return (SvgLayer(_cheeks()), SvgLayer(_eye(88, 104) + _eye(152, 104)), mouth)


def _head_tilt() -> Sticker:
    lean = Keyframes(
        rotate=keys((0, 0), (0.25, 20, "land"), (0.5, 15), (0.8, 20), (0.95, 0)),
        pivot=(120, 210),
    )
    return Sticker((SvgLayer(_HEAD, lean, _calm_face()),), frames=24)


def _nod() -> Sticker:
    bow = Keyframes(y=swing(2, 14, times=2), tall=swing(0.97, 0.05, times=2), pivot=(120, 200))
    dip = Keyframes(y=swing(4, 12, times=2))
    features = tuple(SvgLayer("", dip, (layer,)) for layer in _calm_face())
    arrows = strokes("M20 96V144M8 132L20 146L32 132", tone=GOLD)
    arrows += strokes("M220 96V144M208 132L220 146L232 132", tone=GOLD)
    return Sticker((SvgLayer(_HEAD, bow, features), SvgLayer(arrows)), frames=24)


def _shake() -> Sticker:
    brows = line("M70 78Q88 74 104 82", 8) + line("M136 82Q152 74 170 78", 8)
    eyes = _eye(88, 108) + _eye(152, 108)
    turn = Keyframes(x=swing(0, 16, times=2))
    features = tuple(
        SvgLayer(part, turn)
        for part in (_cheeks(), brows, eyes, line("M94 164Q120 150 146 164", 9))
    )
    swivel = Keyframes(x=swing(0, 9, times=2), pivot=(120, 200))
    return Sticker((SvgLayer(_HEAD, swivel, features),), frames=24)


FACES: Final[Mapping[str, Sticker]] = MappingProxyType(
    {
        "smile": _smile(),
        "surprised": _surprised(),
        "thinking": _thinking(),
        "laugh": _laugh(),
        "eyes": _watching(),
        "eyes_closed": _eyes_closed(),
        "yawn": _yawn(),
        "wink": _wink(),
        "head_tilt": _head_tilt(),
        "nod": _nod(),
        "shake": _shake(),
    }
)
