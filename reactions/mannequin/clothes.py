"""The upper body in its clothes: shoulders and chest as clay, necklines and collars painted."""

from collections.abc import Sequence

import numpy as np

from reactions.mannequin.canvas import CLOTH, RasterCanvas, colour_plane
from reactions.mannequin.part_space import Part, between, inside, mix, toned
from reactions.mannequin.person import Person, Top
from reactions.mannequin.solids import COVER, TONE, Ball, Clay, Plane


def draw_torso(
    canvas: RasterCanvas, person: Person, body: Part, arms: Sequence[tuple[Ball, Ball]]
) -> None:
    """Chest, shoulders and the upper ``arms`` down to the picture's lower edge."""
    s = person.shoulders
    window = body.project([(-20 * s, -9, 0), (20 * s, 44, 0)])
    boxes = [
        (p.x - p.radius, p.y - p.radius, p.x + p.radius, p.y + p.radius) for a in arms for p in a
    ]
    boxes.append((window[0, 0], window[0, 1], window[1, 0], window[1, 1]))
    clay = Clay.around(boxes, canvas.width, canvas.height)
    if clay is None:
        return
    _shape(clay, s, body)
    for a, b in arms:
        clay.capsule(a, b, merge=1.6, tone=0.0)
    clay = clay.cropped()
    u, v, _ = body.coordinates(clay)
    albedo = np.empty((3, *clay.height.shape), np.float32)
    albedo[...] = colour_plane(person.cloth)
    _PAINTERS[person.top](albedo, u, v, person, 1 / float(body.origin[3]))
    # Prints stop at the sleeves.
    chest = clay.layers[TONE] / np.maximum(clay.layers[COVER], 0.01)
    mix(albedo, person.cloth, 1 - chest)
    canvas.lay(clay, albedo, CLOTH, fold=1.2)


def draw_collar(canvas: RasterCanvas, person: Person, body: Part) -> None:
    """What stands up around the neck, drawn over it."""
    if person.top is Top.ROLL_NECK:
        rolls = [
            ((-3.2, -4.6, -1.6), (3.2, -4.6, -1.6), 3.0),
            ((-3.9, -1.6, -1.4), (3.9, -1.6, -1.4), 3.3),
        ]
        _rolls(canvas, body, rolls, person.cloth)
    elif person.top is Top.HOODIE:
        rolls = [
            ((-8.0, -2.8, 2.0), (-3.4, 3.6, -5.6), 2.3),
            ((8.0, -2.8, 2.0), (3.4, 3.6, -5.6), 2.3),
        ]
        _rolls(canvas, body, rolls, toned(person.cloth, 1.06))
        scale = body.scale
        for side in (-1.0, 1.0):
            cord = body.project(
                [(side * 2.9, 4.4, -9), (side * 3.4, 9, -10), (side * 3.1, 13.5, -10.5)]
            )
            canvas.stroke(cord[:, :2], 0.55 * scale, person.accent, 0.95, 9.5, reach=8.0)
    elif person.top is Top.SHIRT or person.top is Top.BLAZER:
        colour = person.cloth if person.top is Top.SHIRT else person.accent
        rolls = [
            ((-5.4, -3.6, 0.5), (-2.4, 2.2, -5.8), 1.35),
            ((5.4, -3.6, 0.5), (2.4, 2.2, -5.8), 1.35),
        ]
        _rolls(canvas, body, rolls, toned(colour, 1.1))


def _shape(clay: Clay, s: float, body: Part) -> None:
    def ball(x: float, y: float, z: float, radius: float) -> Ball:
        return Ball.at(body.project([(x * s, y, z)])[0], radius)

    clay.ellipsoid(
        body.project([(0, 20.0, 0.5)])[0], body.axes, np.array([16.2 * s, 24.0, 10.0]), 2.0
    )
    for side in (-1.0, 1.0):
        clay.capsule(ball(side * 4.0, -0.8, 1.8, 3.4), ball(side * 14.8, 4.0, 1.2, 4.3), merge=2.6)
        clay.capsule(ball(side * 12.0, 6.0, 1.0, 5.0), ball(side * 11.0, 40.0, 1.0, 6.0), merge=2.6)


def _rolls(
    canvas: RasterCanvas,
    body: Part,
    rolls: list[tuple[tuple[float, float, float], tuple[float, float, float], float]],
    colour: tuple[float, float, float],
) -> None:
    balls = [
        (Ball.at(body.project([a])[0], r), Ball.at(body.project([b])[0], r)) for a, b, r in rolls
    ]
    boxes = [
        (p.x - p.radius, p.y - p.radius, p.x + p.radius, p.y + p.radius)
        for pair in balls
        for p in pair
    ]
    clay = Clay.around(boxes, canvas.width, canvas.height)
    if clay is None:
        return
    for a, b in balls:
        clay.capsule(a, b, merge=0.4)
    canvas.lay(clay, colour_plane(colour), CLOTH, shadow=0.25)


def _neckline(u: Plane, v: Plane, width: float, depth: float) -> Plane:
    """Distance inside (cm, roughly) a round neckline that reaches down to ``depth``."""
    return (1 - np.sqrt((u / width) ** 2 + ((v + 2.0) / (depth + 2.0)) ** 2)) * np.float32(width)


def _knit(albedo: Plane, u: Plane, v: Plane, person: Person, px: float) -> None:
    opening = _neckline(u, v, 6.2, 3.0)
    rib = inside(opening + 1.5, px)
    mix(albedo, toned(person.cloth, 0.84), rib)
    ribs = 0.5 + 0.5 * np.sin(np.arctan2(v + 2.0, u) * 44)
    mix(albedo, toned(person.cloth, 0.72), rib * ribs * np.float32(0.5))
    mix(albedo, person.skin, inside(opening, px))
    band = inside(1.1 - np.abs(v - 15.0), px) * np.float32(0.9)
    mix(albedo, person.accent, band)
    thin = inside(0.35 - np.abs(v - 17.6), px) * np.float32(0.9)
    mix(albedo, person.accent, thin)


def _tee(albedo: Plane, u: Plane, v: Plane, person: Person, px: float) -> None:
    opening = _neckline(u, v, 6.3, 3.0)
    mix(albedo, toned(person.cloth, 0.80), inside(opening + 0.9, px))
    mix(albedo, person.skin, inside(opening, px))
    sun = np.sqrt(u * u + (v - 16.5) ** 2)
    mix(albedo, person.accent, inside(4.2 - sun, px) * inside(16.5 - v, px) * np.float32(0.92))
    for i, y in enumerate((17.4, 18.7, 20.0)):
        stripe = np.minimum(0.33 - np.abs(v - y), 4.2 - 0.7 * i - np.abs(u))
        mix(albedo, person.accent, inside(stripe, px) * np.float32(0.92))


def _shirt(albedo: Plane, u: Plane, v: Plane, person: Person, px: float) -> None:
    stripes = inside(0.16 - np.abs((u + 60) % 2.2 - 1.1), px)
    mix(albedo, person.accent, stripes * np.float32(0.30))
    _shirt_front(albedo, u, v, person.skin, person.cloth, px, 5.4)


def _shirt_front(
    albedo: Plane, u: Plane, v: Plane, skin: tuple[float, float, float],
    cloth: tuple[float, float, float], px: float, depth: float,
) -> None:  # fmt: skip
    """Open collar, placket and buttons."""
    placket = np.minimum(1.25 - np.abs(u), v - depth)
    mix(albedo, toned(cloth, 1.08), inside(placket, px))
    mix(albedo, toned(cloth, 0.6), inside(0.10 - np.abs(np.abs(u) - 1.25), px) * (v > depth) * 0.6)
    for y in (depth + 3.5, depth + 9.0, depth + 14.5):
        button = 0.46 - np.sqrt(u * u + (v - y) ** 2)
        mix(albedo, between(cloth, (255, 255, 255), 0.65), inside(button, px))
    notch = np.minimum((depth - v) * 0.62 - np.abs(u), v + 12.0)
    mix(albedo, skin, inside(notch, px))


def _hoodie(albedo: Plane, u: Plane, v: Plane, person: Person, px: float) -> None:
    opening = _neckline(u, v, 5.6, 3.0)
    mix(albedo, toned(person.cloth, 0.7), inside(opening + 2.6, px))
    mix(albedo, person.accent, inside(opening + 0.9, px))
    mix(albedo, person.skin, inside(opening, px))


def _blazer(albedo: Plane, u: Plane, v: Plane, person: Person, px: float) -> None:
    a = np.abs(u)
    shirt = (24.0 - v) * 0.30 - a
    lapel = np.minimum((25.0 - v) * 0.44 - a, v + 2.0)
    mix(albedo, toned(person.cloth, 1.22), inside(lapel, px))
    seam = inside(0.14 - np.abs(lapel), px)
    mix(albedo, toned(person.cloth, 0.5), seam)
    mix(albedo, toned(person.cloth, 0.45), inside(shirt + 0.25, px))
    front = np.empty_like(albedo)
    front[...] = colour_plane(person.accent)
    _shirt_front(front, u, v, person.skin, person.accent, px, 4.6)
    inner = inside(shirt, px)
    albedo += (front - albedo) * inner


def _roll_neck(albedo: Plane, u: Plane, v: Plane, person: Person, px: float) -> None:
    ribs = 0.5 + 0.5 * np.sin(u * 3.4)
    mix(albedo, toned(person.cloth, 0.82), ribs * np.float32(0.30))


_PAINTERS = {
    Top.TEE: _tee,
    Top.SWEATER: _knit,
    Top.SHIRT: _shirt,
    Top.HOODIE: _hoodie,
    Top.BLAZER: _blazer,
    Top.ROLL_NECK: _roll_neck,
}
