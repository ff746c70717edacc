"""Effects that fill a tile: particles whose paths are drawn once from a seed, and loop."""

from collections.abc import Mapping
from random import Random
from types import MappingProxyType
from typing import Final

from gifs.art.effects_glow import fireworks, lasers
from gifs.art.keyframes import Keyframes, keys, swing
from gifs.art.particles import offset, repeat, stratified, travel
from gifs.art.shapes import heart
from gifs.art.style import (
    BLUE,
    CORAL,
    GOLD,
    INK,
    LIME,
    ORANGE,
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
from gifs.art.svg_layers import HEIGHT, WIDTH, Effect, SvgLayer

_TONES: Final = (RED, GOLD, TEAL, PINK, BLUE, LIME, ORANGE, VIOLET)
_WATER: Final = "#bfe3ff"


def _confetti(random: Random) -> Effect:
    layers = []
    for place, phase in zip(stratified(random, 72), stratified(random, 72), strict=True):
        tone = random.choice(_TONES)
        colour = random.choice((tone.light, tone.shade))
        flip = swing(0.1, 0.9, times=random.choice((1, 2, 2, 3)), phase=random.random())
        piece = SvgLayer(_paper(random).draw(colour), Keyframes(tall=flip, pivot=(0, 0)))
        begin = random.uniform(0, 360)
        turns = random.choice((-1, 1)) * random.choice((180, 360))
        sway = swing(0, random.uniform(8, 26), phase=random.random())
        motion = Keyframes(
            x=offset(sway, place * WIDTH),
            y=travel(-16, HEIGHT + 16, phase),
            rotate=keys((0, begin, "linear"), (0.9999, begin + turns)),
            pivot=(0, 0),
        )
        layers.append(SvgLayer(motion=motion, layers=(piece,)))
    return Effect(tuple(layers), quality=72)


def _paper(random: Random) -> Shape:
    """A strip, a square, a dot or a curl around the origin."""
    size = random.uniform(9, 15)
    return random.choice(
        (
            box(-size, -size * 0.55, 2 * size, size * 1.1, 1.5),
            box(-size * 0.7, -size * 0.7, size * 1.4, size * 1.4, 1.5),
            circle(0, 0, size * 0.62),
            Shape(f"M{-size:.1f} 0q{size / 2:.1f}-{size:.1f} {size:.1f} 0t{size:.1f} 0", 4.5),
        )
    )


def _hearts(random: Random) -> Effect:
    layers = []
    for place, phase in zip(stratified(random, 18), stratified(random, 18), strict=True):
        size = random.choice((26, 34, 44, 58))
        tone = random.choice((RED, PINK, CORAL))
        picture = heart(0, 0, size)
        shine = line(
            f"M{-size * 0.3:.1f} {-size * 0.12:.1f}Q{-size * 0.3:.1f} {-size * 0.25:.1f} "
            f"{-size * 0.17:.1f} {-size * 0.3:.1f}",
            size * 0.08,
            WHITE,
        )
        layers.append(
            SvgLayer(
                solid([picture], tone, outline=3, shift=(-size * 0.07, -size * 0.06)) + shine,
                Keyframes(
                    x=offset(swing(0, random.uniform(6, 16), times=2, phase=phase), place * WIDTH),
                    y=travel(HEIGHT + 40, -60, phase),
                    rotate=swing(0, 12, times=2, phase=random.random()),
                    opacity=keys(
                        (phase, 1.0, "hold"),
                        ((phase + 0.62) % 1, 1.0),
                        ((phase + 0.94) % 1, 0.0, "hold"),
                    ),
                    pivot=(0, 0),
                ),
            )
        )
    return Effect(tuple(layers))


def _balloons(random: Random) -> Effect:
    layers = []
    for place, phase in zip(stratified(random, 11), stratified(random, 11), strict=True):
        tone = random.choice(_TONES)
        scale = random.uniform(0.62, 1.0)
        string = line("M0 46Q10 62 0 78T4 112", 2.5, INK)
        body = solid(
            (ellipse(0, 0, 33, 40), Shape("M-6 48L0 38L6 48Z")), tone, outline=3.5, shift=(-6, -6)
        )
        shine = line("M-19-10Q-17-24-6-28", 6, WHITE)
        layers.append(
            SvgLayer(
                string + body + shine,
                Keyframes(
                    x=offset(swing(0, random.uniform(5, 14), phase=random.random()), place * WIDTH),
                    y=travel(HEIGHT + 50, -120, phase),
                    rotate=swing(0, 5, times=2, phase=random.random()),
                    scale=scale,
                    pivot=(0, 0),
                ),
            )
        )
    return Effect(tuple(layers))


def _rain(random: Random) -> Effect:
    layers = _drops(random, 46) + _splashes(random, 14)
    cloud = (circle(0, 0, 32), circle(46, 10, 40), circle(98, 0, 34), box(-30, -60, 156, 62, 10))
    grey = Tone("#9aa6c4", "#74809f")
    for x, y, phase in ((14, -4, 0.0), (190, -16, 0.4), (366, -6, 0.7)):
        layers.append(
            SvgLayer(
                solid(cloud, grey, outline=4, shift=(-5, -8)),
                Keyframes(x=offset(swing(0, 9, phase=phase), x), y=y, pivot=(0, 0)),
            )
        )
    return Effect(tuple(layers), frames=36, delay=0.05, quality=62)


def _drops(random: Random, count: int) -> list[SvgLayer]:
    lean, falls = 34.0, 3
    layers = []
    for place, phase in zip(stratified(random, count), stratified(random, count), strict=True):
        length = random.uniform(16, 30)
        across = length * lean / HEIGHT
        drop = f"M0 0L{-across:.1f} {length:.1f}"
        x = place * (WIDTH + lean)
        motion = Keyframes(
            x=repeat(x, x - lean, phase, falls),
            y=repeat(26, HEIGHT + 4, phase, falls),
            opacity=0.9,
            pivot=(0, 0),
        )
        layers.append(SvgLayer(line(drop, 4.6, BLUE.shade) + line(drop, 2.6, _WATER), motion))
    return layers


def _splashes(random: Random, count: int) -> list[SvgLayer]:
    splash = "".join(
        line(d, 2.6, _WATER) for d in ("M-9 0Q-10-7-14-9", "M9 0Q10-7 14-9", "M-5 1L5 1")
    )
    layers = []
    for place, phase in zip(stratified(random, count), stratified(random, count), strict=True):
        motion = Keyframes(
            x=place * WIDTH,
            y=HEIGHT - random.uniform(4, 16),
            scale=keys((phase, 0.3, "land"), ((phase + 0.09) % 1, 1.0, "hold")),
            opacity=keys((phase, 1.0, "linear"), ((phase + 0.1) % 1, 0.0, "hold")),
            pivot=(0, 0),
        )
        layers.append(SvgLayer(splash, motion))
    return layers


DRAWINGS: Final[Mapping[str, Effect]] = MappingProxyType(
    {
        "confetti": _confetti(Random(1)),
        "hearts": _hearts(Random(2)),
        "fireworks": fireworks(Random(3)),
        "balloons": _balloons(Random(4)),
        "rain": _rain(Random(5)),
        "lasers": lasers(Random(6)),
    }
)
