"""The effects that glow: fireworks and lasers."""

from math import cos, pi, sin
from random import Random

from gifs.art.keyframes import Keyframes, keys, swing
from gifs.art.particles import window
from gifs.art.style import GOLD, INK, LIME, PINK, TEAL, VIOLET, WHITE, Tone, circle, line
from gifs.art.svg_layers import HEIGHT, WIDTH, Effect, SvgLayer


def fireworks(random: Random) -> Effect:
    """Five rockets that burst one after the other."""
    layers: list[SvgLayer] = []
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
            SvgLayer(
                line("M0 0L0 26", 3, WHITE) + line("M0 6L0 40", 5, tone.light),
                Keyframes(
                    x=keys((begin, x + lean, "land"), ((begin + 0.16) % 1, x, "hold")),
                    y=keys((begin, HEIGHT + 6.0, "land"), ((begin + 0.16) % 1, y, "hold")),
                    opacity=window(begin, 0.16),
                    pivot=(0, 0),
                ),
            )
        )
        layers.append(_blossom(random, x, y, tone, (begin + 0.16) % 1))
    return Effect(tuple(layers))


def _blossom(random: Random, x: float, y: float, tone: Tone, begin: float) -> SvgLayer:
    """Sparks that fly apart, sink and fade."""
    end = (begin + 0.4) % 1
    fade = keys((begin, 1.0, "hold"), ((begin + 0.22) % 1, 1.0), (end, 0.0, "hold"))
    sink = keys((begin, y, "drop"), (end, y + 22, "hold"))
    rings = (
        (_rays(random, 18, 60, 92, 6, tone.light), 1.0),
        (_rays(random, 12, 34, 56, 5, WHITE), 0.95),
        (_rays(random, 9, 12, 30, 5.5, tone.shade), 0.95),
    )
    layers = []
    for rays, size in rings:
        grow = keys((begin, 0.06, "land"), (end, size, "hold"))
        layers.append(
            SvgLayer(rays, Keyframes(x=x, y=sink, scale=grow, opacity=fade, pivot=(0, 0)))
        )
    shrink = keys((begin, 1.0, "drop"), ((begin + 0.08) % 1, 0.2, "hold"))
    flash = Keyframes(x=x, y=y, scale=shrink, opacity=window(begin, 0.08), pivot=(0, 0))
    layers.append(SvgLayer(circle(0, 0, 26).draw(WHITE), flash))
    return SvgLayer(layers=tuple(layers))


def _rays(random: Random, count: int, near: float, far: float, width: float, colour: str) -> str:
    """A ring of strokes that point away from its middle."""
    turn = random.uniform(0, pi)
    rays = []
    for i in range(count):
        angle = turn + 2 * pi * i / count
        inner, outer = near * random.uniform(0.8, 1.1), far * random.uniform(0.9, 1.08)
        start = f"M{inner * cos(angle):.1f} {inner * sin(angle):.1f}"
        end = f"L{outer * cos(angle):.1f} {outer * sin(angle):.1f}"
        rays.append(line(start + end, width, colour))
    return "".join(rays)


def lasers(random: Random) -> Effect:
    """Beams that sweep across from three lamps below."""
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
            SvgLayer(
                beam,
                Keyframes(
                    x=x,
                    y=HEIGHT + 6.0,
                    rotate=swing(angle, reach, times=random.choice((1, 1, 2)), phase=phase),
                    pivot=(0, 0),
                ),
            )
        )
    for x in (0.0, WIDTH / 2, float(WIDTH)):
        lamp = circle(x, HEIGHT, 15).draw(INK) + circle(x, HEIGHT, 8).draw(WHITE)
        layers.append(
            SvgLayer(lamp, Keyframes(scale=swing(1, 0.12, times=4), pivot=(x, float(HEIGHT))))
        )
    return Effect(tuple(layers), frames=30, delay=0.08, size=(320, 180), quality=50)
