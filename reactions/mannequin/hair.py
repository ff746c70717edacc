"""Hair: solids around the skull, cut along a hairline, with soft strands and a highlight."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from reactions.mannequin.canvas import CLOTH, HAIR, Canvas, colour_plane
from reactions.mannequin.clay import Clay, Plane
from reactions.mannequin.person import Hair, Person
from reactions.mannequin.surface import Part, inside, mix, toned

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class _Lock:
    """A tapered strand from ``a`` to ``b``, head centimetres."""

    a: Point
    b: Point
    thick: float
    thin: float


@dataclass(frozen=True, slots=True)
class _Style:
    """One hair style: an ellipsoid over the skull, strands and balls; ``hairline`` gives the lower
    edge (head's v, cm) over the distance from the middle."""

    cap: Point
    cap_at: Point = (0.0, -3.0, 1.3)
    hairline: Callable[[Plane], Plane] | None = None
    locks: tuple[_Lock, ...] = ()
    free: tuple[_Lock, ...] = ()
    """Strands that no hairline cuts: curtains beside the face."""
    back: tuple[_Lock, ...] = ()
    """What hangs or sits behind the head."""
    waves: float = 4.0
    merge: float = 0.5
    balls: tuple[tuple[Point, float], ...] = field(default=())


def _line(front: float, temple: float, power: float = 5.0) -> Callable[[Plane], Plane]:
    """A hairline at ``front`` in the middle that falls to ``temple`` at the ears."""

    def at(a: Plane) -> Plane:
        return front + (temple - front) * np.clip(a * np.float32(1 / 7.4), 0, 1.15) ** power

    return at


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


_STYLES: dict[Hair, _Style] = {
    Hair.BUZZ: _Style((7.65, 9.55, 9.3), (0, -2.9, 0.95), _line(-7.3, 1.0), waves=0.0),
    Hair.SHORT: _Style(
        (8.1, 9.9, 9.8),
        (0, -3.1, 1.2),
        _line(-6.6, 2.2),
        locks=(
            _Lock((-2.0, -11.6, -4.0), (5.0, -8.6, -6.8), 2.2, 1.3),
            _Lock((-3.5, -11.4, -3.5), (1.0, -8.3, -7.6), 2.0, 1.2),
            _Lock((-5.0, -10.4, -3.0), (-3.4, -7.8, -6.9), 2.0, 1.1),
        ),
    ),
    Hair.QUIFF: _Style(
        (7.9, 9.7, 9.6),
        (0, -2.9, 1.3),
        _line(-6.9, 2.6),
        locks=(
            _Lock((5.2, -9.3, -4.6), (-3.4, -13.0, -4.2), 1.9, 2.3),
            _Lock((4.4, -8.2, -6.3), (-2.8, -12.0, -6.2), 1.4, 2.3),
            _Lock((5.4, -11.2, -2.0), (-3.2, -13.6, -1.4), 2.0, 2.4),
            _Lock((-2.8, -12.4, -5.4), (-5.8, -10.0, -4.4), 2.2, 1.6),
        ),
        merge=0.8,
    ),
    Hair.BOB: _Style(
        (8.5, 10.3, 10.0),
        (0, -2.6, 1.4),
        _line(-3.7, 1.0, 9.0),
        free=(
            _Lock((-7.7, -3.5, -1.2), (-7.9, 6.4, -1.6), 2.1, 2.4),
            _Lock((7.7, -3.5, -1.2), (7.9, 6.4, -1.6), 2.1, 2.4),
            _Lock((-7.9, 0.0, 2.0), (-8.1, 7.2, 1.0), 2.6, 2.8),
            _Lock((7.9, 0.0, 2.0), (8.1, 7.2, 1.0), 2.6, 2.8),
        ),
        back=(_Lock((0, 1, 3.5), (0, 6.0, 3.5), 8.4, 7.4),),
        merge=0.9,
    ),
    Hair.LONG: _Style(
        (8.3, 10.1, 9.9),
        (0, -3.0, 1.4),
        _line(-7.4, 0.0, 2.6),
        free=(
            _Lock((-3.2, -10.6, -5.4), (-7.6, -2.6, -3.2), 1.7, 1.7),
            _Lock((3.2, -10.6, -5.4), (7.6, -2.6, -3.2), 1.7, 1.7),
            _Lock((-7.7, -2.6, -2.4), (-8.6, 9.0, -1.8), 1.9, 2.6),
            _Lock((7.7, -2.6, -2.4), (8.6, 9.0, -1.8), 1.9, 2.6),
            _Lock((-8.6, 9.0, -1.8), (-8.8, 21.0, -5.4), 2.6, 1.9),
            _Lock((8.6, 9.0, -1.8), (8.8, 21.0, -5.4), 2.6, 1.9),
        ),
        back=(_Lock((0, 0, 4.0), (0, 16.0, 5.5), 9.0, 9.6),),
        waves=3.2,
        merge=1.0,
    ),
    Hair.BUN: _Style(
        (7.75, 9.7, 9.5),
        (0, -3.0, 1.2),
        _line(-7.1, 1.4, 4.0),
        free=(
            _Lock((-6.9, -4.6, -4.0), (-7.5, 2.6, -3.2), 0.8, 0.35),
            _Lock((6.9, -4.6, -4.0), (7.5, 2.6, -3.2), 0.8, 0.35),
        ),
        back=(_Lock((-0.6, -13.9, 2.6), (0.6, -14.1, 2.6), 4.1, 4.1),),
        waves=3.0,
    ),
    Hair.CURLS: _Style(
        (8.3, 9.9, 9.8),
        (0, -3.2, 1.4),
        _line(-6.6, 1.6, 6.0),
        balls=(
            *_ring(9, (8.4, 9.3), 0.0, 2.5, -8, 188),
            *_ring(7, (6.4, 7.6), -4.4, 2.3, 12, 168),
            *_ring(6, (4.6, 4.4), -7.0, 2.0, 18, 162),
        ),
        waves=0.0,
        merge=0.25,
    ),
    Hair.AFRO: _Style(
        (12.2, 12.4, 11.0),
        (0, -5.4, 2.6),
        _line(-6.4, 5.0, 8.0),
        balls=(
            *_ring(15, (12.0, 12.0), 2.6, 2.1, -28, 208, -5.4),
            *_ring(10, (8.8, 8.6), -4.4, 2.3, 8, 172, -5.4),
        ),
        waves=0.0,
        merge=0.7,
    ),
}


def draw_back_hair(canvas: Canvas, person: Person, head: Part) -> None:
    """What lies behind the head and the neck."""
    style = _STYLES.get(person.hair)
    if person.hair is Hair.SCARF:
        _solids(canvas, head, person.accent, (_Lock((0, 2, 2.5), (0, 9.5, 2.0), 8.6, 7.0),))
    elif style is not None and style.back:
        _solids(canvas, head, toned(person.hair_colour, 0.85), style.back)


def draw_hair(canvas: Canvas, person: Person, head: Part) -> None:
    """The hair on and before the head."""
    if person.hair is Hair.SCARF:
        _scarf(canvas, person, head)
        return
    style = _STYLES.get(person.hair)
    if style is None:
        return
    clay = _window(canvas, head)
    if clay is None:
        return
    head.ellipsoid(clay, style.cap_at, style.cap, style.merge)
    _capsules(clay, head, style.locks, style.merge)
    for point, radius in style.balls:
        ball = head.ball(point, radius)
        clay.capsule(ball, ball, style.merge)
    clay = clay.cropped()
    u, v, w = head.coordinates(clay)
    pixel = 1 / head.scale
    mask = None
    if style.hairline is not None:
        mask = inside(style.hairline(np.abs(u)) - v + _ragged(u, person), pixel * 1.6)
    albedo = _strands(clay, person, style, u, v, w)
    canvas.lay(clay, albedo, HAIR, shadow=0.30, mask=mask)
    if style.free:
        side = _window(canvas, head)
        if side is not None:
            _capsules(side, head, style.free, style.merge)
            side = side.cropped()
            u, v, w = head.coordinates(side)
            canvas.lay(side, _strands(side, person, style, u, v, w), HAIR, shadow=0.30)


def _ragged(u: Plane, person: Person) -> Plane:
    """A hairline is never ruled."""
    size = 0.0 if person.hair is Hair.BUZZ else 0.22
    wave: Plane = np.sin(u * 2.6) * np.float32(size) + np.sin(u * 6.1 + 1) * np.float32(size * 0.4)
    return wave


def _strands(clay: Clay, person: Person, style: _Style, u: Plane, v: Plane, w: Plane) -> Plane:
    colour = person.hair_colour
    albedo = np.empty((3, *clay.height.shape), np.float32)
    shade = np.ones_like(u)
    if style.waves:
        shade += np.sin(u * np.float32(style.waves) + np.sin(v * 0.45) * 1.3 + w) * 0.10
        shade += np.sin(u * np.float32(style.waves * 2.3) + v * 0.3) * 0.05
    else:
        shade += np.sin(u * 4.4 + np.sin(v * 3.1)) * np.sin(v * 4.7) * 0.10
    for c in range(3):
        np.multiply(shade, np.float32(colour[c] + 4), out=albedo[c])
    ring = np.exp(-(((v + 8.6 - 0.035 * u * u) / 1.1) ** 2))
    bright = tuple(min(c * 1.45 + 34, 255) for c in colour)
    mix(albedo, bright, ring * shade * np.float32(0.35))
    return albedo


def _scarf(canvas: Canvas, person: Person, head: Part) -> None:
    clay = _window(canvas, head)
    if clay is None:
        return
    head.ellipsoid(clay, (0, -1.6, 1.2), (8.6, 11.2, 9.9), 0.6)
    head.ellipsoid(clay, (0, 6.0, 0.2), (7.8, 8.0, 7.6), 1.5)
    clay = clay.cropped()
    u, v, _ = head.coordinates(clay)
    face = 1 - np.sqrt((u / 6.35) ** 2 + ((v - 1.7) / 8.9) ** 2)
    mask = inside(-face * 6.0, 1.4 / head.scale)
    albedo = np.empty((3, *clay.height.shape), np.float32)
    folds = 1 + 0.07 * np.sin(v * 1.1 + 0.9 * np.abs(u)) + 0.05 * np.sin(u * 1.7 - v * 0.6)
    for c in range(3):
        albedo[c] = folds * np.float32(person.accent[c])
    hem = np.exp(-((face * 6.0 + 0.35) ** 2) / 0.09)
    mix(albedo, toned(person.accent, 0.72), hem * np.float32(0.5))
    canvas.lay(clay, albedo, CLOTH, shadow=0.35, mask=mask)
    wrap = (
        _Lock((-6.5, 10.5, -2.5), (5.5, 13.5, -4.5), 3.0, 3.4),
        _Lock((6.8, 10.2, -2.0), (-3.5, 14.6, -5.0), 2.8, 3.0),
    )
    _solids(canvas, head, person.accent, wrap)


def _solids(
    canvas: Canvas, head: Part, colour: tuple[float, float, float], locks: tuple[_Lock, ...]
) -> None:
    clay = _window(canvas, head)
    if clay is None:
        return
    _capsules(clay, head, locks, 0.8)
    canvas.lay(clay.cropped(), colour_plane(colour), HAIR, shadow=0.25)


def _capsules(clay: Clay, head: Part, locks: tuple[_Lock, ...], merge: float) -> None:
    for lock in locks:
        clay.capsule(head.ball(lock.a, lock.thick), head.ball(lock.b, lock.thin), merge)


def _window(canvas: Canvas, head: Part) -> Clay | None:
    x, y, scale = float(head.origin[0]), float(head.origin[1]), head.scale
    box = (x - 15.5 * scale, y - 20.5 * scale, x + 15.5 * scale, y + 24.0 * scale)
    return Clay.around([box], canvas.width, canvas.height)
