"""The look that our stickers share: plum outlines, flat colours in two tones, warm yellow skin."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zlib import crc32

INK: Final = "#38203f"
WHITE: Final = "#ffffff"

LINE: Final = 6.0
"""Width of an outline, in the sticker's 240 units."""


@dataclass(frozen=True, slots=True)
class Tone:
    """A colour in the light and in the shade."""

    light: str
    shade: str


SKIN: Final = Tone("#ffcb3d", "#f5a11f")
TEAL: Final = Tone("#22c3b4", "#139a97")
CORAL: Final = Tone("#ff6f61", "#dd4550")
VIOLET: Final = Tone("#8f6bff", "#6c46dd")
BLUE: Final = Tone("#3f97ff", "#2570dd")
PINK: Final = Tone("#ff6fae", "#dd4690")
RED: Final = Tone("#ff4a57", "#d42a4c")
ORANGE: Final = Tone("#ff8b2b", "#e4641a")
GOLD: Final = Tone("#ffd84a", "#f7ae26")
LIME: Final = Tone("#8ddc4f", "#5fb63c")
PAPER: Final = Tone("#ffffff", "#dcd6ea")
GREY: Final = Tone("#c9c4d8", "#a39cba")

CREASE: Final = "#d97f10"
"""Lines inside a hand."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A filled path, or with a ``width`` a stroke with round ends: fingers are strokes."""

    d: str
    width: float = 0.0

    def draw(self, colour: str, grow: float = 0.0) -> str:
        """SVG text in one ``colour``, ``grow`` wider on every side."""
        if self.width:
            return line(self.d, self.width + 2 * grow, colour)
        edge = f' stroke="{colour}" stroke-width="{2 * grow:g}"' if grow else ""
        return f'<path d="{self.d}" fill="{colour}" stroke-linejoin="round"{edge}/>'


def line(d: str, width: float, colour: str = INK) -> str:
    """A stroke with round ends and corners."""
    return (
        f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="{width:g}"'
        ' stroke-linecap="round" stroke-linejoin="round"/>'
    )


def solid(
    shapes: Sequence[Shape],
    tone: Tone,
    *,
    outline: float = LINE,
    shift: tuple[float, float] = (-6.0, -5.0),
    details: str = "",
) -> str:
    """One body out of ``shapes``: a common outline, and a shaded rim away from the light.

    The shapes melt together; ``details`` are drawn inside of them and cut at their edge. The
    light comes along ``shift``, which is as wide as the rim.
    """
    under = "".join(shape.draw(INK, outline) for shape in shapes) if outline else ""
    inside = "".join(shape.draw(WHITE) for shape in shapes)
    lit = "".join(shape.draw(tone.light) for shape in shapes)
    name = f"m{crc32((inside + details + tone.light).encode()):08x}"
    return (
        f'{under}<mask id="{name}" maskUnits="userSpaceOnUse" x="-120" y="-120" width="480"'
        f' height="480">{inside}</mask><g mask="url(#{name})">'
        f'<rect x="-120" y="-120" width="480" height="480" fill="{tone.shade}"/>'
        f'<g transform="translate({shift[0]:g} {shift[1]:g})">{lit}</g>{details}</g>'
    )


def circle(x: float, y: float, radius: float) -> Shape:
    """A disc."""
    return ellipse(x, y, radius, radius)


def ellipse(x: float, y: float, across: float, down: float) -> Shape:
    """An ellipse by its half axes."""
    arc = f"a{across:g} {down:g} 0 1 0 "
    return Shape(f"M{x - across:g} {y:g}{arc}{2 * across:g} 0{arc}{-2 * across:g} 0z")


def box(x: float, y: float, width: float, height: float, radius: float) -> Shape:
    """A rectangle with round corners."""
    arc = f"a{radius:g} {radius:g} 0 0 1 "
    across, down = width - 2 * radius, height - 2 * radius
    return Shape(
        f"M{x + radius:g} {y:g}h{across:g}{arc}{radius:g} {radius:g}v{down:g}"
        f"{arc}{-radius:g} {radius:g}h{-across:g}{arc}{-radius:g} {-radius:g}v{-down:g}"
        f"{arc}{radius:g} {-radius:g}z"
    )
