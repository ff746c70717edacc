"""One hand in SVG: five fingers that stretch or fold over a palm, and the side view of a fist.

A finger is a stroke with round ends. Stretched fingers melt with the palm into one body; folded
ones and a thumb that lies across are drawn over it with outlines of their own.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from gifs.art.style import CREASE, INK, LINE, SKIN, Shape, Tone, box, line, solid

FINGER: Final = 27.0
"""Width of a finger."""


@dataclass(frozen=True, slots=True)
class Finger:
    """Where a finger joins the palm, and how it stands when it is stretched."""

    x: float
    y: float
    angle: float
    """Degrees from straight up, clockwise."""
    length: float
    width: float = FINGER

    def tip(self) -> tuple[float, float]:
        turn = math.radians(self.angle)
        return self.x + self.length * math.sin(turn), self.y - self.length * math.cos(turn)

    def stretched(self) -> Shape:
        x, y = self.tip()
        return Shape(f"M{self.x:g} {self.y:g}L{x:.1f} {y:.1f}", self.width)


def spread(*angles: float) -> tuple[Finger, Finger, Finger, Finger]:
    """Little, ring, middle and index finger of a palm towards us, at their angles."""
    little, ring, middle, index = angles
    return (
        Finger(86, 134, little, 56, 25),
        Finger(108, 126, ring, 72, FINGER),
        Finger(132, 124, middle, 78, FINGER),
        Finger(155, 130, index, 70, FINGER),
    )


PALM: Final = Shape(
    "M74 134Q76 114 96 112L146 110Q168 112 169 134L168 158Q164 184 150 198L94 198Q78 184 75 158Z"
)
WRIST: Final = box(93, 180, 56, 34, 4)
THUMB_OUT: Final = Shape("M146 178Q172 164 193 130", 29)
"""Stretched to the side."""
THUMB_ACROSS: Final = Shape("M156 178Q146 166 111 156", 28)
"""Laid over the folded fingers."""

Shift: TypeAlias = tuple[float, float]
LIGHT: Final[Shift] = (-6.0, -5.0)
"""Where the light comes from; a drawing that is mirrored later has to mirror it first."""


def cuff(tone: Tone, x: float = 121.0, y: float = 210.0, light: Shift = LIGHT) -> str:
    """The end of a sleeve, centred below the wrist."""
    return solid([box(x - 42, y - 10, 84, 25, 10)], tone, shift=light)


def nail(x: float, y: float, angle: float) -> str:
    """A finger nail with its middle at ``x``, ``y``."""
    return (
        f'<rect x="{x - 5.5:g}" y="{y - 7:g}" width="11" height="14" rx="5.5" fill="#ffedb8"'
        f' transform="rotate({angle:g} {x:g} {y:g})"/>'
    )


def folded(x: float, light: Shift = LIGHT) -> str:
    """A finger that is bent towards us so that its tip rests on the palm."""
    shape = Shape(f"M{x:g} 124L{x:g} 151", FINGER - 1)
    return solid([shape], SKIN, outline=LINE - 1, shift=light)


def palm_hand(
    fingers: Sequence[Finger],
    *,
    sleeve: Tone,
    fold: Sequence[float] = (),
    thumb: Shape | None = THUMB_OUT,
    details: str = "",
    light: Shift = LIGHT,
) -> str:
    """A hand with its palm towards us, its thumb to the right.

    ``fingers`` are stretched, ``fold`` has the x of each folded one; without a stretched ``thumb``
    it lies across the folded fingers.
    """
    body = [PALM, WRIST, *(finger.stretched() for finger in fingers)]
    if thumb is not None:
        body.append(thumb)
    parts = [solid(body, SKIN, details=details, shift=light), *(folded(x, light) for x in fold)]
    if thumb is None:
        parts += [solid([THUMB_ACROSS], SKIN, outline=LINE - 1, shift=light), nail(113, 157, -70)]
    return "".join(parts) + cuff(sleeve, light=light)


PALM_LINES: Final = line("M150 152Q128 160 121 194", 4, CREASE) + line(
    "M92 152Q112 139 140 142", 4, CREASE
)


def thumb_fist(sleeve: Tone, light: Shift = LIGHT) -> str:
    """A fist from its thumb's side, thumb up, sleeve to the left."""
    back = Shape("M66 122Q92 122 104 98L150 112L150 196Q146 203 132 203L66 202Z")
    thumb = Shape("M106 128Q124 100 119 54", 35)
    fingers = ((126, 116, 174), (126, 142, 178), (126, 167, 174), (128, 191, 166))
    parts = [
        solid([back, thumb], SKIN, shift=light, details=nail(116, 49, -6)),
        *(
            solid([Shape(f"M{x} {y}L{end} {y}", 26)], SKIN, outline=LINE - 1, shift=light)
            for x, y, end in fingers
        ),
        solid([box(36, 108, 30, 106, 10)], sleeve, shift=light),
    ]
    return "".join(parts)


def ring_hand(sleeve: Tone) -> str:
    """Thumb and index finger closed to a ring, the other fingers spread."""
    fingers = (Finger(86, 134, -34, 56, 25), Finger(104, 126, -17, 74), Finger(128, 122, -3, 80))
    palm = Shape(
        "M74 134Q76 114 96 112L132 112Q150 116 150 140"
        "L152 170Q152 190 148 198L94 198Q78 184 75 158Z"
    )
    index = Shape("M140 136Q146 90 178 90Q210 92 211 124", 26)
    thumb = Shape("M140 176Q168 178 186 162Q206 146 211 126", 27)
    meet = line("M190 126Q204 136 232 132", 5, INK)
    body = [palm, WRIST, index, thumb, *(finger.stretched() for finger in fingers)]
    crease = line("M108 156Q122 166 122 190", 4, CREASE)
    return solid(body, SKIN, details=meet + crease) + cuff(sleeve)


def snap_hand(sleeve: Tone) -> str:
    """A fist from its thumb's side, its thumb crossing the index finger's end, sleeve below."""
    back = Shape("M96 120Q74 134 76 160L90 200L150 200Q172 178 166 140L150 116Z")
    fingers = ((78, 134, 122), (74, 154, 118), (80, 174, 120))
    index = Shape("M154 132Q150 100 118 96L104 98", 27)
    thumb = Shape("M146 178Q138 140 124 84", 30)
    parts = [
        solid([back, box(92, 180, 58, 34, 4)], SKIN),
        *(
            solid([Shape(f"M{x} {y}L{end} {y}", 24)], SKIN, outline=LINE - 1)
            for x, y, end in fingers
        ),
        solid([index], SKIN, outline=LINE - 1),
        solid([thumb], SKIN, outline=LINE - 1, details=nail(123, 82, -14)),
    ]
    return "".join(parts) + cuff(sleeve)
