"""Small parts that several stickers share: sparks, hearts, stars, lines of movement."""

from math import cos, pi, sin

from gifs.art.keyframes import Keyframes, Keys, keys
from gifs.art.style import GOLD, PAPER, Shape, Tone, solid
from gifs.art.svg_layers import SvgLayer


def spark(x: float, y: float, radius: float, tone: Tone = GOLD) -> str:
    """A four-pointed glint."""
    r, q = radius, radius * 0.22
    d = f"M{x} {y - r}Q{x + q} {y - q} {x + r} {y}Q{x + q} {y + q} {x} {y + r}"
    d += f"Q{x - q} {y + q} {x - r} {y}Q{x - q} {y - q} {x} {y - r}Z"
    return solid([Shape(d)], tone, outline=5, shift=(-2, -2))


def heart(x: float, y: float, size: float) -> Shape:
    """A heart ``size`` wide, with its middle at ``x``, ``y``."""
    r = size / 2
    top, bottom, side = y - r * 1.2, y + r * 0.86, y - r * 0.12
    left = f"C{x - r * 1.62:g} {side:g} {x - r * 0.86:g} {top:g} {x:g} {y - r * 0.44:g}"
    right = f"C{x + r * 0.86:g} {top:g} {x + r * 1.62:g} {side:g} {x:g} {bottom:g}"
    return Shape(f"M{x:g} {bottom:g}{left}{right}Z")


def glint(x: float, y: float, radius: float, begin: float, tone: Tone = GOLD) -> SvgLayer:
    """A spark that opens at ``begin`` and closes a third of the loop later."""
    return SvgLayer(spark(x, y, radius, tone), Keyframes(scale=burst(begin, 0.32), pivot=(x, y)))


def burst(begin: float, length: float) -> Keys:
    """A scale that is 0 but for ``length`` of the loop from ``begin`` on."""
    return keys(
        (begin % 1, 0.0, "land"),
        ((begin + length * 0.45) % 1, 1.0),
        ((begin + length) % 1, 0.0, "hold"),
    )


def strokes(*paths: str, width: float = 9, tone: Tone = PAPER) -> str:
    """Bold short lines, as comics draw movement."""
    return solid([Shape(d, width) for d in paths], tone, outline=5, shift=(0, 0))


def star(x: float, y: float, outer: float, inner: float, points: int) -> str:
    """The path of a star with ``points`` points."""
    corners = (
        (x + r * sin(pi * i / points), y - r * cos(pi * i / points))
        for i in range(2 * points)
        for r in ((inner, outer)[i % 2 == 0],)
    )
    return "M" + "L".join(f"{cx:.1f} {cy:.1f}" for cx, cy in corners) + "Z"
