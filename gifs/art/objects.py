"""The stickers that are neither a hand nor a face."""

from collections.abc import Mapping
from math import cos, pi, sin
from types import MappingProxyType
from typing import Final

from gifs.art.keyframes import Keyframes, keys, swing
from gifs.art.shapes import burst, glint, heart, strokes
from gifs.art.style import (
    BLUE,
    CORAL,
    CREASE,
    GOLD,
    GREY,
    LIME,
    ORANGE,
    PAPER,
    PINK,
    RED,
    TEAL,
    VIOLET,
    WHITE,
    Shape,
    Tone,
    box,
    circle,
    ellipse,
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


def _coffee() -> Sticker:
    handle = Shape("M158 122Q204 118 202 150Q198 180 154 176", 17)
    mug = Shape("M58 104L62 178Q66 208 96 208L128 208Q158 208 162 178L166 104Z")
    coffee = ellipse(112, 104, 54, 17)
    crema = ellipse(106, 104, 30, 8).draw("#a8653a")
    badge = heart(110, 158, 44).draw("#ffb3a8")
    steam = tuple(
        SvgLayer(
            solid([Shape(d, 11)], PAPER, outline=5, shift=(-2, 0)),
            Keyframes(
                y=keys((begin, 14, "linear"), ((begin + 0.8) % 1, -14, "hold")),
                x=swing(0, 3, times=2, phase=begin),
                tall=burst(begin, 0.8),
                pivot=(float(x), 84.0),
            ),
        )
        for x, begin, d in (
            (82, 0.0, "M82 78Q70 66 82 54T82 32"),
            (112, 0.33, "M112 74Q98 60 112 46T112 20"),
            (142, 0.66, "M142 78Q130 66 142 54T142 32"),
        )
    )
    return Sticker(
        (
            *steam,
            SvgLayer(
                solid([handle], CORAL, shift=(-4, -4))
                + solid([mug], CORAL, shift=(-14, -5), details=badge)
                + solid(
                    [coffee], Tone("#7a3f25", "#5f2d1c"), outline=6, shift=(0, 5), details=crema
                ),
                Keyframes(rotate=swing(0, 2.5), tall=swing(1, 0.012, times=2), pivot=(112, 208)),
            ),
        ),
        frames=30,
    )


def _question() -> Sticker:
    bubble = (box(28, 26, 184, 150, 56), Shape("M70 150L58 216L124 168Z"))
    sign = line("M92 84Q92 58 120 58Q148 58 148 84Q148 102 120 112L120 124", 19, WHITE)
    sign += circle(120, 149, 11.5).draw(WHITE)
    return Sticker(
        (
            SvgLayer(
                solid(bubble, VIOLET, shift=(-9, -9)),
                Keyframes(
                    scale=keys((0, 0.96), (0.14, 0.9, "spring"), (0.4, 1.02), (0.7, 0.98)),
                    rotate=keys((0, -2), (0.14, -5, "spring"), (0.45, 4)),
                    pivot=(62, 212),
                ),
                (
                    SvgLayer(
                        sign,
                        Keyframes(
                            rotate=keys(
                                (0.1, 0, "drop"),
                                (0.24, -14),
                                (0.38, 12),
                                (0.52, -7),
                                (0.66, 3),
                                (0.8, 0),
                            ),
                            scale=keys((0.1, 1, "spring"), (0.35, 1.1), (0.8, 1)),
                            pivot=(120, 110),
                        ),
                    ),
                ),
            ),
        ),
        frames=28,
    )


def _idea() -> Sticker:
    rays = strokes(
        "M34 96L16 96",
        "M48 46L34 34",
        "M206 96L224 96",
        "M192 46L206 34",
        "M120 20L120 12",
        width=11,
        tone=GOLD,
    )
    shine = Keyframes(
        scale=keys((0, 0.8, "hold"), (0.26, 0.8, "spring"), (0.5, 1.0), (0.64, 0.93), (0.78, 1.0)),
        opacity=keys((0, 0, "hold"), (0.27, 1, "hold"), (0.93, 0, "hold")),
        pivot=(120, 100),
    )
    lit = keys(
        (0, 0, "hold"), (0.14, 1, "hold"), (0.2, 0, "hold"), (0.26, 1, "hold"), (0.94, 0, "hold")
    )
    bounce = Keyframes(
        y=keys((0, 4), (0.26, 6, "spring"), (0.5, -2), (0.8, 0)),
        scale=keys((0, 0.94), (0.24, 0.92, "spring"), (0.46, 1)),
        pivot=(120, 214),
    )
    dark, bright = _bulb()
    return Sticker(
        (
            SvgLayer(rays, shine),
            SvgLayer(dark, bounce, (SvgLayer(bright, Keyframes(opacity=lit)),)),
        ),
        frames=30,
    )


def _bulb() -> tuple[str, str]:
    """A light bulb that is off, and its glass when it is on."""
    glass = Shape(
        "M120 40C76 40 54 72 58 104C62 132 90 142 92 168L148 168C150 142 178 132 182 104"
        "C186 72 164 40 120 40Z"
    )
    wire = line("M102 166L96 116Q108 104 120 118Q132 104 144 116L138 166", 7, CREASE)
    shine = line("M80 92Q84 68 106 60", 9, WHITE)
    foot = solid([box(104, 203, 32, 14, 7)], Tone("#5a4a68", "#45364f"), outline=5, shift=(-4, -3))
    thread = "".join(
        solid([box(90, y, 60, 17, 8)], GREY, outline=5, shift=(-6, -4)) for y in (172, 188)
    )
    off = solid([glass], Tone("#f1ecf8", "#d0c8e0"), shift=(-9, -6), details=wire)
    on = solid([glass], Tone("#fff08a", "#ffc93f"), shift=(-9, -6), details=wire + shine)
    return foot + thread + off, on


def _fire() -> Sticker:
    outer = Shape(
        "M120 14C128 50 178 74 186 132C192 186 158 222 120 222C80 222 46 188 54 136"
        "C58 112 72 102 78 82C90 92 94 102 96 112C114 84 116 52 120 14Z"
    )
    middle = Shape(
        "M124 90C132 116 160 128 160 168C160 200 142 216 120 216C96 216 80 198 82 172"
        "C84 152 96 148 100 132C108 140 110 146 112 152C122 132 124 112 124 90Z"
    )
    core = Shape(
        "M122 148C128 164 142 172 140 192C138 208 130 214 120 214C108 214 100 206 102 190"
        "C104 178 118 166 122 148Z"
    )
    flames = (
        (solid([outer], RED, shift=(-8, -3)), swing(0, 6), swing(0.97, 0.05, times=2)),
        (
            middle.draw(ORANGE.light),
            swing(0, 8, phase=0.12),
            swing(0.96, 0.09, times=2, phase=0.3),
        ),
        (
            core.draw(GOLD.light),
            swing(0, 10, phase=0.24),
            swing(0.95, 0.14, times=3, phase=0.5),
        ),
    )
    return Sticker(
        (
            _ember(Shape("M50 72q-9 16 0 26q13-8 0-26z"), ORANGE, 0.05, (50, 86)),
            _ember(Shape("M192 56q-11 19 0 31q15-10 0-31z"), GOLD, 0.5, (192, 72)),
            *(
                SvgLayer(flame, Keyframes(skew=lean, tall=height, pivot=(120.0, 216.0)))
                for flame, lean, height in flames
            ),
        )
    )


def _ember(shape: Shape, tone: Tone, begin: float, pivot: tuple[float, float]) -> SvgLayer:
    """A spark that rises beside the flames."""
    rise = keys((begin, 26, "linear"), ((begin + 0.55) % 1, -32, "hold"))
    motion = Keyframes(y=rise, scale=burst(begin, 0.55), pivot=pivot)
    return SvgLayer(solid([shape], tone, outline=5, shift=(-2, -2)), motion)


OBJECTS: Final[Mapping[str, Sticker]] = MappingProxyType(
    {
        "coffee": _coffee(),
        "question": _question(),
        "idea": _idea(),
        "fire": _fire(),
        "heart": _heart(),
        "party": _party(),
        "hundred": _hundred(),
    }
)
