"""Effects that fill a tile: particles whose paths are drawn once from a seed, and loop."""

from collections.abc import Mapping
from math import cos, pi, sin
from random import Random
from types import MappingProxyType
from typing import Final

from gifs.art.motion import Keys, Motion, keys, swing
from gifs.art.parts import heart
from gifs.art.scene import HEIGHT, WIDTH, Effect, Layer
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

_TONES: Final = (RED, GOLD, TEAL, PINK, BLUE, LIME, ORANGE, VIOLET)


def _stratified(random: Random, count: int) -> list[float]:
    """``count`` numbers in 0–1 in random order, evenly spread: dice alone would clump."""
    cells = list(range(count))
    random.shuffle(cells)
    return [(cell + random.random()) / count for cell in cells]


def _travel(start: float, end: float, phase: float) -> Keys:
    """Steady movement from ``start`` to ``end`` over the whole loop, begun at ``phase``."""
    here = start + (end - start) * ((1 - phase) % 1)
    if phase % 1 == 0:
        return keys((0, start, "linear"), (0.9999, end, "hold"))
    return keys(
        (0, here, "linear"), (phase - 1e-4, end, "hold"), (phase, start, "linear"), (0.9999, here)
    )


def _confetti(random: Random) -> Effect:
    layers = []
    for place, phase in zip(_stratified(random, 72), _stratified(random, 72), strict=True):
        tone = random.choice(_TONES)
        size = random.uniform(9, 15)
        shape = random.choice(
            (
                box(-size, -size * 0.55, 2 * size, size * 1.1, 1.5),
                box(-size * 0.7, -size * 0.7, size * 1.4, size * 1.4, 1.5),
                circle(0, 0, size * 0.62),
                Shape(f"M{-size:.1f} 0q{size / 2:.1f}-{size:.1f} {size:.1f} 0t{size:.1f} 0", 4.5),
            )
        )
        turns = random.choice((-1, 1)) * random.choice((180, 360))
        begin = random.uniform(0, 360)
        flips = random.choice((1, 2, 2, 3))
        paper = Layer(
            shape.draw(tone.light),
            Motion(tall=swing(0.1, 0.9, times=flips, phase=random.random()), pivot=(0, 0)),
        )
        back = Layer(
            shape.draw(tone.shade),
            Motion(tall=swing(0.1, 0.9, times=flips, phase=random.random()), pivot=(0, 0)),
        )
        layers.append(
            Layer(
                "",
                Motion(
                    x=_offset(
                        swing(0, random.uniform(8, 26), phase=random.random()), place * WIDTH
                    ),
                    y=_travel(-16, HEIGHT + 16, phase),
                    rotate=keys((0, begin, "linear"), (0.9999, begin + turns)),
                    pivot=(0, 0),
                ),
                (random.choice((paper, back)),),
            )
        )
    return Effect(tuple(layers))


def _offset(values: Keys, by: float) -> Keys:
    """The same movement somewhere else."""
    return Keys(tuple((key[0], key[1] + by, *key[2:]) for key in values.keys))


def _hearts(random: Random) -> Effect:
    layers = []
    for place, phase in zip(_stratified(random, 18), _stratified(random, 18), strict=True):
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
            Layer(
                solid([picture], tone, outline=3, shift=(-size * 0.07, -size * 0.06)) + shine,
                Motion(
                    x=_offset(swing(0, random.uniform(6, 16), times=2, phase=phase), place * WIDTH),
                    y=_travel(HEIGHT + 40, -60, phase),
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


def _fireworks(random: Random) -> Effect:
    layers: list[Layer] = []
    shots = (
        (0.0, 96, 92, PINK),
        (0.2, 372, 78, GOLD),
        (0.42, 226, 66, TEAL),
        (0.62, 112, 130, LIME),
        (0.78, 404, 122, VIOLET),
    )
    for begin, x, y, tone in shots:
        lean = random.uniform(-30, 30)
        layers.append(
            Layer(
                line("M0 0L0 26", 3, WHITE) + line("M0 6L0 40", 5, tone.light),
                Motion(
                    x=keys((begin, x + lean, "land"), ((begin + 0.16) % 1, x, "hold")),
                    y=keys((begin, HEIGHT + 6.0, "land"), ((begin + 0.16) % 1, y, "hold")),
                    opacity=_window(begin, 0.16),
                    pivot=(0, 0),
                ),
            )
        )
        layers.append(_blossom(random, x, y, tone, (begin + 0.16) % 1))
    return Effect(tuple(layers))


def _window(begin: float, length: float) -> Keys:
    """1 for ``length`` of the loop from ``begin`` on, 0 for the rest."""
    return keys((begin % 1, 1.0, "hold"), ((begin + length) % 1, 0.0, "hold"))


def _blossom(random: Random, x: float, y: float, tone: Tone, begin: float) -> Layer:
    """Sparks that fly apart, sink and fade."""

    def star(count: int, near: float, far: float, width: float, colour: str) -> str:
        turn = random.uniform(0, pi)
        rays = []
        for i in range(count):
            angle = turn + 2 * pi * i / count
            inner, outer = near * random.uniform(0.8, 1.1), far * random.uniform(0.9, 1.08)
            rays.append(
                line(
                    f"M{inner * cos(angle):.1f} {inner * sin(angle):.1f}"
                    f"L{outer * cos(angle):.1f} {outer * sin(angle):.1f}",
                    width,
                    colour,
                )
            )
        return "".join(rays)

    end = (begin + 0.4) % 1
    fade = keys((begin, 1.0, "hold"), ((begin + 0.22) % 1, 1.0), (end, 0.0, "hold"))
    sink = keys((begin, y, "drop"), (end, y + 22, "hold"))

    def ring(svg: str, big: float) -> Layer:
        return Layer(
            svg,
            Motion(
                x=x,
                y=sink,
                scale=keys((begin, 0.06, "land"), (end, big, "hold")),
                opacity=fade,
                pivot=(0, 0),
            ),
        )

    flash = Layer(
        circle(0, 0, 26).draw(WHITE),
        Motion(
            x=x,
            y=y,
            scale=keys((begin, 1.0, "drop"), ((begin + 0.08) % 1, 0.2, "hold")),
            opacity=_window(begin, 0.08),
            pivot=(0, 0),
        ),
    )
    return Layer(
        layers=(
            ring(star(18, 60, 92, 6, tone.light), 1.0),
            ring(star(12, 34, 56, 5, WHITE), 0.95),
            ring(star(9, 12, 30, 5.5, tone.shade), 0.95),
            flash,
        )
    )


def _balloons(random: Random) -> Effect:
    layers = []
    for place, phase in zip(_stratified(random, 11), _stratified(random, 11), strict=True):
        tone = random.choice(_TONES)
        scale = random.uniform(0.62, 1.0)
        string = line("M0 46Q10 62 0 78T4 112", 2.5, INK)
        body = solid(
            (ellipse(0, 0, 33, 40), Shape("M-6 48L0 38L6 48Z")), tone, outline=3.5, shift=(-6, -6)
        )
        shine = line("M-19-10Q-17-24-6-28", 6, WHITE)
        layers.append(
            Layer(
                string + body + shine,
                Motion(
                    x=_offset(
                        swing(0, random.uniform(5, 14), phase=random.random()), place * WIDTH
                    ),
                    y=_travel(HEIGHT + 50, -120, phase),
                    rotate=swing(0, 5, times=2, phase=random.random()),
                    scale=scale,
                    pivot=(0, 0),
                ),
            )
        )
    return Effect(tuple(layers))


def _rain(random: Random) -> Effect:
    layers = []
    lean = 34.0
    for place, phase in zip(_stratified(random, 46), _stratified(random, 46), strict=True):
        length = random.uniform(16, 30)
        across = length * lean / HEIGHT
        drop = f"M0 0L{-across:.1f} {length:.1f}"
        x = place * (WIDTH + lean)
        falls = 3
        start = phase
        layers.append(
            Layer(
                line(drop, 4.6, BLUE.shade) + line(drop, 2.6, "#bfe3ff"),
                Motion(
                    x=_repeat(x, x - lean, start, falls),
                    y=_repeat(26, HEIGHT + 4, start, falls),
                    opacity=0.9,
                    pivot=(0, 0),
                ),
            )
        )
    for place, phase in zip(_stratified(random, 14), _stratified(random, 14), strict=True):
        splash = line("M-9 0Q-10-7-14-9", 2.6, "#bfe3ff") + line("M9 0Q10-7 14-9", 2.6, "#bfe3ff")
        layers.append(
            Layer(
                splash + line("M-5 1L5 1", 2.6, "#bfe3ff"),
                Motion(
                    x=place * WIDTH,
                    y=HEIGHT - random.uniform(4, 16),
                    scale=keys((phase, 0.3, "land"), ((phase + 0.09) % 1, 1.0, "hold")),
                    opacity=keys((phase, 1.0, "linear"), ((phase + 0.1) % 1, 0.0, "hold")),
                    pivot=(0, 0),
                ),
            )
        )
    cloud = (circle(0, 0, 32), circle(46, 10, 40), circle(98, 0, 34), box(-30, -60, 156, 62, 10))
    grey = Tone("#9aa6c4", "#74809f")
    for x, y, phase in ((14, -4, 0.0), (190, -16, 0.4), (366, -6, 0.7)):
        layers.append(
            Layer(
                solid(cloud, grey, outline=4, shift=(-5, -8)),
                Motion(x=_offset(swing(0, 9, phase=phase), x), y=y, pivot=(0, 0)),
            )
        )
    return Effect(tuple(layers), frames=36, delay=0.05, quality=62)


def _repeat(start: float, end: float, phase: float, times: int) -> Keys:
    """Steady movement from ``start`` to ``end``, ``times`` in a loop."""
    span = 1 / times
    phase %= span
    here = start + (end - start) * (span - phase) / span
    items: list[tuple[float, float, str]] = [(0.0, here, "linear")] if phase > 1e-3 else []
    for i in range(times):
        begin = phase + i * span
        if begin > 1e-3:
            items.append((begin - 1e-4, end, "hold"))
        items.append((begin, start, "linear"))
    items.append((0.9999, here if phase > 1e-3 else end, "linear"))
    return keys(*items)


def _lasers(random: Random) -> Effect:
    layers = []
    beams = (
        (0, 40, 24, "#22ff9c", 0.0),
        (0, 58, 20, "#ff3df2", 0.3),
        (WIDTH, -40, 24, "#ff3df2", 0.5),
        (WIDTH, -58, 20, "#29d7ff", 0.8),
        (WIDTH / 2, 0, 46, "#22ff9c", 0.25),
        (WIDTH / 2, 0, 46, "#ff3df2", 0.75),
    )
    for x, angle, reach, colour, phase in beams:
        beam = "".join(
            f'<path d="M0 0L0-620" stroke="{shade}" stroke-width="{width}" opacity="{opacity}"'
            ' stroke-linecap="round"/>'
            for shade, width, opacity in (
                (colour, 20, 0.2),
                (colour, 6, 0.9),
                (WHITE, 2.2, 1.0),
            )
        )
        layers.append(
            Layer(
                beam,
                Motion(
                    x=x,
                    y=HEIGHT + 6.0,
                    rotate=swing(angle, reach, times=random.choice((1, 1, 2)), phase=phase),
                    pivot=(0, 0),
                ),
            )
        )
    for x in (0.0, WIDTH / 2, float(WIDTH)):
        lamp = circle(x, HEIGHT, 15).draw(INK) + circle(x, HEIGHT, 8).draw(WHITE)
        layers.append(Layer(lamp, Motion(scale=swing(1, 0.12, times=4), pivot=(x, float(HEIGHT)))))
    return Effect(tuple(layers), frames=30, delay=0.08, size=(320, 180), quality=50)


DRAWINGS: Final[Mapping[str, Effect]] = MappingProxyType(
    {
        "confetti": _confetti(Random(1)),  # noqa: S311
        "hearts": _hearts(Random(2)),  # noqa: S311
        "fireworks": _fireworks(Random(3)),  # noqa: S311
        "balloons": _balloons(Random(4)),  # noqa: S311
        "rain": _rain(Random(5)),  # noqa: S311
        "lasers": _lasers(Random(6)),  # noqa: S311
    }
)
