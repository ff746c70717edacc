"""Hair: solids around the skull, cut along a hairline, with soft strands and a highlight."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from reactions.mannequin.canvas import CLOTH, HAIR, RasterCanvas, colour_plane
from reactions.mannequin.part_space import Part, inside, mix, toned
from reactions.mannequin.person import Colour, Hair, Person
from reactions.mannequin.solids import Clay, Plane

Point = tuple[float, float, float]

_BEHIND = 12.0
"""How far behind its outside the inside of the hair is, cm: behind every face."""


@dataclass(frozen=True, slots=True)
class _Lock:
    """A tapered strand from ``a`` to ``b``, head centimetres."""

    a: Point
    b: Point
    thick: float
    thin: float


@dataclass(frozen=True, slots=True)
class _Opening:
    """Where the face shows: a superellipse in head centimetres."""

    half: float
    """Half its width."""
    top: float
    bottom: float = 16.0
    power: float = 2.6

    def outside(self, u: Plane, v: Plane) -> Plane:
        """Distance outside the opening, roughly cm."""
        tall = (self.bottom - self.top) / 2
        x = np.abs(u) * np.float32(1 / self.half)
        y = np.abs(v - np.float32((self.top + self.bottom) / 2)) * np.float32(1 / tall)
        r = (x**self.power + y**self.power) ** np.float32(1 / self.power)
        distance: Plane = (r - 1) * np.float32(min(self.half, tall))
        return distance


@dataclass(frozen=True, slots=True)
class _Style:
    """One hair style: an ellipsoid over the skull with locks and balls, open at the face."""

    cap: Point
    opening: _Opening
    cap_at: Point = (0.0, -3.0, 1.3)
    locks: tuple[_Lock, ...] = ()
    balls: tuple[tuple[Point, float], ...] = ()
    back: tuple[_Lock, ...] = ()
    """What hangs or sits behind the head."""
    waves: float = 4.0
    """Strands a centimetre (radians); 0 for tight curls."""
    merge: float = 0.5
    ragged: float = 0.22
    """Unevenness of the hairline, cm."""


def _ring(
    count: int, radius: tuple[float, float], z: float, size: float, start: float, end: float,
    v: float = -3.5,
) -> tuple[tuple[Point, float], ...]:  # fmt: skip
    """Balls along an arc over the head; angles in degrees from the picture's right, upwards."""
    angles = np.radians(np.linspace(start, end, count))
    return tuple(
        (
            (radius[0] * float(np.cos(a)), v - radius[1] * float(np.sin(a)), z),
            size * (1 + 0.12 * float(np.sin(5.3 * i))),
        )
        for i, a in enumerate(angles)
    )


def _pair(a: Point, b: Point, thick: float, thin: float) -> tuple[_Lock, _Lock]:
    """The same lock on both sides of the head."""
    return (
        _Lock(a, b, thick, thin),
        _Lock((-a[0], a[1], a[2]), (-b[0], b[1], b[2]), thick, thin),
    )


_STYLES: Mapping[Hair, _Style] = {
    Hair.BUZZ: _Style(
        (7.65, 9.55, 9.3), _Opening(6.75, -7.2, 17.0, 3.2), (0, -2.9, 0.95), waves=0.0, ragged=0.0
    ),
    Hair.SHORT: _Style(
        (8.0, 9.9, 9.7),
        _Opening(6.7, -6.7, 13.0, 3.4),
        (0, -3.1, 1.2),
        locks=(
            _Lock((-4.6, -9.8, -3.4), (4.6, -9.0, -5.6), 2.6, 2.0),
            _Lock((-4.8, -11.0, -1.0), (4.0, -11.4, -2.6), 2.6, 2.2),
            _Lock((4.0, -9.4, -5.2), (6.2, -6.4, -4.2), 1.9, 1.3),
        ),
        merge=0.9,
    ),
    Hair.QUIFF: _Style(
        (7.8, 9.6, 9.5),
        _Opening(6.7, -6.8, 13.0, 3.6),
        (0, -2.9, 1.3),
        # One swoop: a row of locks would pass for the fingers of a fist.
        locks=(
            _Lock((4.4, -9.4, -4.2), (-3.2, -10.8, -4.4), 1.9, 3.0),
            _Lock((4.0, -10.4, -0.6), (-3.0, -11.8, -0.8), 2.4, 3.1),
        ),
        merge=2.6,
        waves=2.4,
    ),
    Hair.BOB: _Style(
        (8.5, 10.2, 10.0),
        _Opening(6.6, -5.6, 17.0, 5.0),
        (0, -2.6, 1.4),
        locks=(
            *_pair((6.4, -4.0, -1.4), (7.1, 6.6, -2.4), 1.4, 2.5),
            *_pair((6.6, -1.0, 1.6), (7.4, 7.4, 0.4), 2.2, 2.9),
        ),
        back=(_Lock((0, 1, 3.5), (0, 6.0, 3.5), 8.6, 7.6),),
        merge=1.6,
        ragged=0.12,
    ),
    Hair.LONG: _Style(
        (8.2, 10.0, 9.8),
        _Opening(6.6, -8.0, 24.0, 2.4),
        (0, -3.0, 1.4),
        locks=(
            *_pair((4.4, -6.4, -4.2), (7.2, 1.0, -2.4), 0.5, 2.0),
            *_pair((7.2, 1.0, -2.4), (7.7, 9.5, -2.4), 2.0, 2.6),
            *_pair((7.7, 9.5, -2.4), (8.2, 20.0, -5.4), 2.6, 1.6),
            *_pair((7.6, 2.0, 1.0), (9.0, 14.0, -0.5), 2.6, 2.8),
        ),
        back=(_Lock((0, 0, 4.0), (0, 16.0, 5.5), 9.0, 9.8),),
        waves=2.6,
        merge=1.8,
        ragged=0.1,
    ),
    Hair.BUN: _Style(
        (7.75, 9.7, 9.5),
        _Opening(6.75, -7.3, 13.0, 2.9),
        (0, -3.0, 1.2),
        back=(_Lock((-0.7, -13.2, 2.6), (0.7, -13.4, 2.6), 4.0, 4.0),),
        waves=5.0,
        ragged=0.1,
    ),
    Hair.CURLS: _Style(
        (8.2, 9.8, 9.6),
        _Opening(6.7, -6.4, 13.0, 3.4),
        (0, -3.2, 1.4),
        balls=(
            *_ring(9, (8.2, 9.2), 0.0, 2.5, 0, 180),
            *_ring(7, (6.6, 8.0), -4.2, 2.4, 8, 172),
            *_ring(5, (4.6, 5.2), -6.6, 2.2, 20, 160),
            *_ring(3, (2.6, 8.6), -4.6, 2.4, 40, 140),
        ),
        waves=0.0,
        merge=0.5,
    ),
    Hair.AFRO: _Style(
        (11.8, 12.2, 11.0),
        _Opening(7.0, -6.2, 14.0, 3.0),
        (0, -5.4, 2.6),
        balls=(
            *_ring(15, (11.6, 11.8), 2.6, 2.2, -28, 208, -5.4),
            *_ring(11, (9.6, 9.0), -2.6, 2.4, -4, 184, -5.4),
            *_ring(8, (6.6, 5.4), -6.0, 2.3, 14, 166, -5.4),
            *_ring(3, (3.4, 8.0), -5.0, 2.4, 40, 140, -5.4),
        ),
        waves=0.0,
        merge=0.8,
    ),
}


class HairCut:
    """One person's hair on one head: what is behind the face is drawn first."""

    def __init__(self, canvas: RasterCanvas, person: Person, head: Part) -> None:
        self._canvas, self._person, self._head = canvas, person, head
        self._style = _STYLES.get(person.hair)
        self._clay = self._shape() if self._style else None

    def draw_behind(self) -> None:
        """What hangs behind the head, and the inside of what frames the face."""
        canvas, head, colour = self._canvas, self._head, self._person.hair_colour
        if self._person.hair is Hair.SCARF:
            _solids(
                canvas, head, self._person.accent, (_Lock((0, 2, 2.5), (0, 9.5, 2.0), 8.6, 7.0),)
            )
        if self._style is None or self._clay is None:
            return
        if self._style.back:
            _solids(canvas, head, toned(colour, 0.85), self._style.back)
        canvas.lay(self._clay, colour_plane(toned(colour, 0.55)), HAIR, sink=_BEHIND)

    def draw_before(self) -> None:
        """The hair on and before the head, open at the face."""
        if self._person.hair is Hair.SCARF:
            _scarf(self._canvas, self._person, self._head)
        style, clay, head = self._style, self._clay, self._head
        if style is None or clay is None:
            return
        u, v, w = head.coordinates(clay)
        uneven = np.sin(u * 2.6) + 0.4 * np.sin(u * 6.1 + 1)
        edge = style.opening.outside(u, v) + uneven * np.float32(style.ragged)
        # Seen from the front, what lies behind the ears is never cut.
        mask = np.maximum(inside(edge, 1.6 / head.scale), w > 2.5)
        albedo = _strands(clay, self._person, style, u, v, w)
        self._canvas.lay(clay, albedo, HAIR, shadow=0.30, mask=mask)

    def _shape(self) -> Clay | None:
        style, head = self._style, self._head
        clay = _window(self._canvas, head)
        if clay is None or style is None:
            return None
        head.ellipsoid(clay, style.cap_at, style.cap, style.merge)
        _capsules(clay, head, style.locks, style.merge)
        for point, radius in style.balls:
            ball = head.ball(point, radius)
            clay.capsule(ball, ball, style.merge)
        return clay.cropped()


def _strands(clay: Clay, person: Person, style: _Style, u: Plane, v: Plane, w: Plane) -> Plane:
    colour = person.hair_colour
    albedo = np.empty((3, *clay.height.shape), np.float32)
    shade = np.ones_like(u)
    if style.waves:
        # Broad streaks over a forehead would pass for fingers.
        shade += np.sin(u * np.float32(style.waves * 2.1) + np.sin(v * 0.45) * 1.3 + w) * 0.045
        shade += np.sin(u * np.float32(style.waves * 4.7) + v * 0.3) * 0.03
    else:
        shade += np.sin(u * 4.4 + np.sin(v * 3.1)) * np.sin(v * 4.7) * 0.10
    for c in range(3):
        np.multiply(shade, np.float32(colour[c] + 4), out=albedo[c])
    ring = np.exp(-(((v + 8.6 - 0.035 * u * u) / 1.1) ** 2))
    bright = tuple(min(c * 1.45 + 34, 255) for c in colour)
    mix(albedo, bright, ring * shade * np.float32(0.35))
    return albedo


def _scarf(canvas: RasterCanvas, person: Person, head: Part) -> None:
    clay = _window(canvas, head)
    if clay is None:
        return
    head.ellipsoid(clay, (0, -1.6, 1.2), (8.6, 11.2, 9.9), 0.6)
    head.ellipsoid(clay, (0, 6.0, 0.2), (7.8, 8.0, 7.6), 1.5)
    clay = clay.cropped()
    u, v, _ = head.coordinates(clay)
    face = 1 - np.sqrt((u / 6.75) ** 2 + ((v - 1.6) / 9.4) ** 2)
    mask = inside(-face * 6.0, 1.4 / head.scale)
    albedo = np.empty((3, *clay.height.shape), np.float32)
    canvas.lay(clay, colour_plane(toned(person.accent, 0.5)), CLOTH, sink=_BEHIND)
    folds = 1 + 0.07 * np.sin(v * 1.1 + 0.9 * np.abs(u)) + 0.05 * np.sin(u * 1.7 - v * 0.6)
    for c in range(3):
        albedo[c] = folds * np.float32(person.accent[c])
    hem = np.exp(-((face * 6.0 + 0.35) ** 2) / 0.09)
    mix(albedo, toned(person.accent, 0.72), hem * np.float32(0.5))
    canvas.lay(clay, albedo, CLOTH, shadow=0.35, mask=mask)
    wrap = (
        *_pair((6.6, 9.0, -0.5), (2.2, 12.6, -4.2), 2.5, 3.4),
        _Lock((-4.2, 13.6, -3.6), (4.2, 13.2, -3.6), 3.0, 3.4),
        _Lock((3.0, 12.8, -5.0), (-6.4, 10.2, -1.6), 2.5, 2.2),
    )
    _solids(canvas, head, person.accent, wrap, 1.4)


def _solids(
    canvas: RasterCanvas, head: Part, colour: Colour, locks: tuple[_Lock, ...], merge: float = 0.8
) -> None:
    clay = _window(canvas, head)
    if clay is None:
        return
    _capsules(clay, head, locks, merge)
    canvas.lay(clay.cropped(), colour_plane(colour), HAIR, shadow=0.25)


def _capsules(clay: Clay, head: Part, locks: tuple[_Lock, ...], merge: float) -> None:
    for lock in locks:
        clay.capsule(head.ball(lock.a, lock.thick), head.ball(lock.b, lock.thin), merge)


def _window(canvas: RasterCanvas, head: Part) -> Clay | None:
    x, y, scale = float(head.origin[0]), float(head.origin[1]), head.scale
    box = (x - 15.5 * scale, y - 20.5 * scale, x + 15.5 * scale, y + 24.0 * scale)
    return Clay.around([box], canvas.width, canvas.height)
