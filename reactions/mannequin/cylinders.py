"""Mugs and glasses to drink from: cylinders of clay with a rim, a handle and a drink."""

from dataclasses import dataclass
from itertools import pairwise
from math import cos, pi, sin
from typing import Final, Self

import numpy as np

from reactions.mannequin.canvas import Colour, Material, RasterCanvas, colour_plane
from reactions.mannequin.part_space import mix, toned
from reactions.mannequin.pose import Matrix
from reactions.mannequin.scene import SceneCamera
from reactions.mannequin.solids import Ball, Clay, Plane
from reactions.mannequin.things import Thing, ThingFrame

_RADIUS, _HEIGHT, _WALL = 4.4, 10.5, 0.35
"""Of the plain mug, cm."""
_LOOP, _LOOP_THICK = 3.0, 0.62
"""Radius of the handle's loop, and of what it is made of, cm."""
_WHITE, _DARK = (244, 242, 236), (52, 34, 26)
_GLAZE = Material((0.40, 0.38, 0.42), (1.12, 1.08, 1.04), rim=0.22, gloss=0.5, crease=0.25)
"""Without the highlight the detector of mugs sees no ceramics."""
_CLEAR = Material((0.75, 0.78, 0.82), (1.10, 1.10, 1.12), rim=0.5, gloss=0.9, crease=0.1)
_GLAZES: Final[tuple[Colour, ...]] = (
    _WHITE, (206, 72, 60), (52, 96, 158), (40, 44, 52), (236, 190, 84), (96, 148, 120),
    (150, 178, 196), (224, 150, 150), (110, 84, 66),
)  # fmt: skip
_DRINKS: Final[tuple[Colour, ...]] = (
    (214, 226, 232), (240, 160, 52), (64, 34, 22), (226, 182, 74), (238, 236, 228), (150, 30, 52),
)  # fmt: skip
_WATER: Final = _DRINKS[0]


@dataclass(frozen=True, slots=True)
class MugLook:
    """A mug's size in cm, its colours, and its foot's radius as a share of the rim's."""

    radius: float = _RADIUS
    height: float = _HEIGHT
    foot: float = 1.0
    colour: Colour = _WHITE
    stripe: Colour | None = None
    loop: float = _LOOP
    drink: Colour = _DARK

    @classmethod
    def of(cls, look: int) -> Self:
        """The plain mug, or one at random."""
        if look == 0:
            return cls()
        rng = np.random.default_rng([look, 5])
        radius = float(rng.uniform(3.6, 5.0))
        colours = rng.choice(len(_GLAZES), 2, replace=False)
        return cls(
            radius,
            float(rng.uniform(7.5, 12.0)),
            float(rng.uniform(0.72, 1.0)),
            _GLAZES[colours[0]],
            _GLAZES[colours[1]] if rng.random() < 0.4 else None,
            float(rng.uniform(2.2, 3.3)),
            (_DARK, (120, 76, 44), (168, 120, 80))[rng.integers(3)],
        )


def draw_mug(
    canvas: RasterCanvas,
    thing: Thing,
    frame: ThingFrame,
    camera: SceneCamera,
) -> None:
    """A mug around the frame's middle, its handle to the frame's right."""
    look, size = MugLook.of(thing.look), frame.size
    up, loop = frame.up, frame.right
    root = frame.middle + look.radius * size * loop
    _draw_handle(canvas, root, up, loop, camera, look, size)
    low, high = (frame.middle + up * look.height * size / 2 * way for way in (-1, 1))
    seen = camera.project(np.array([low, high]))
    ends = [
        Ball.at(seen[0], look.radius * look.foot * size),
        Ball.at(seen[1], look.radius * size),
    ]
    clay = _around(canvas, ends)
    if clay is None:
        return
    clay.capsule(ends[0], ends[1], merge=0.1)
    clay = clay.cropped()
    flat = _flatness(seen, look.height * size)
    cut = _between(clay, ends[0], ends[1], flat, look.foot)
    albedo = _striped(clay, ends, look)
    canvas.lay(clay, albedo, _GLAZE, shadow=0.3, mask=cut, fold=0.2)
    _draw_opening(canvas, ends[1], seen, flat, look)


def _striped(clay: Clay, ends: list[Ball], look: MugLook) -> Plane:
    if look.stripe is None:
        return colour_plane(look.colour)
    albedo = np.empty((3, *clay.height.shape), np.float32)
    albedo[...] = colour_plane(look.colour)
    along, _, length = _axis(clay, ends[0], ends[1])
    stripe = np.abs(along / np.float32(length) - np.float32(0.5)) < 0.18
    mix(albedo, look.stripe, stripe.astype(np.float32))
    return albedo


def _draw_handle(
    canvas: RasterCanvas,
    root: Matrix,
    up: Matrix,
    aside: Matrix,
    camera: SceneCamera,
    look: MugLook,
    size: float,
) -> None:
    """Half a ring on the mug's wall at ``root``."""
    angles = [pi * k / 8 for k in range(9)]
    ring = [root + look.loop * size * (0.9 * sin(a) * aside + cos(a) * up) for a in angles]
    balls = [Ball.at(place, _LOOP_THICK * size) for place in camera.project(np.array(ring))]
    clay = _around(canvas, balls)
    if clay is None:
        return
    for one, other in pairwise(balls):
        clay.capsule(one, other, merge=0.2)
    canvas.lay(clay.cropped(), colour_plane(look.colour), _GLAZE, shadow=0.2, fold=0.2)


def _draw_opening(canvas: RasterCanvas, rim: Ball, seen: Plane, flat: float, look: MugLook) -> None:
    """The dark drink, where the mug is seen from above."""
    clay = _around(canvas, [rim])
    if clay is None or seen[1, 2] < seen[0, 2] + 0.5:
        return
    clay.capsule(rim, Ball(rim.x + 0.5, rim.y, rim.height, rim.scale, rim.radius), merge=0.1)
    clay = clay.cropped()
    way = np.array([seen[1, 0] - seen[0, 0], seen[1, 1] - seen[0, 1]])
    way /= max(float(np.hypot(*way)), 1e-6)
    along = (clay.x - rim.x) * way[0] + (clay.y - rim.y) * way[1]
    across = (clay.y - rim.y) * way[0] - (clay.x - rim.x) * way[1]
    share = 1 - _WALL / look.radius
    inside = np.hypot(across, along / max(flat, 0.05)) / (share * rim.radius)
    mask = np.clip((1 - inside) * rim.radius, 0, 1).astype(np.float32)
    canvas.lay(clay, colour_plane(look.drink), _GLAZE, mask=mask, sink=-1.0)


@dataclass(frozen=True, slots=True)
class GlassLook:
    """A glass: its rim's radius, its height and its foot's share; what is in it, and how full."""

    radius: float = 3.4
    height: float = 12.0
    foot: float = 0.85
    drink: Colour = _WATER
    full: float = 0.6
    stem: float = 0.0
    """Length of its stem, cm; 0 for a tumbler."""

    @classmethod
    def of(cls, look: int) -> Self:
        """The plain tumbler of water, or one at random."""
        if look == 0:
            return cls()
        rng = np.random.default_rng([look, 6])
        stem = float(rng.uniform(5, 9)) if rng.random() < 0.3 else 0.0
        return cls(
            float(rng.uniform(2.9, 4.2)),
            float(rng.uniform(7, 10) if stem else rng.uniform(8, 15)),
            float(rng.uniform(0.45, 0.7) if stem else rng.uniform(0.7, 1.0)),
            _DRINKS[rng.integers(len(_DRINKS))],
            float(rng.uniform(0.15, 0.9)),
            stem,
        )


def draw_glass(canvas: RasterCanvas, thing: Thing, frame: ThingFrame, camera: SceneCamera) -> None:
    """A glass around the frame's middle. What is behind it must be drawn before."""
    look, size = GlassLook.of(thing.look), frame.size
    up = frame.up * size
    top = frame.middle + up * (look.height + look.stem) / 2
    foot = top - up * look.height
    radius, base = look.radius * size, look.radius * look.foot * size
    level = foot + (top - foot) * look.full
    filled = base + (radius - base) * look.full
    strength = 0.30 if look.drink == _WATER else 0.82
    _draw_clear(canvas, camera, (foot, level), (base * 0.92, filled * 0.92), look.drink, strength)
    _draw_clear(canvas, camera, (foot, top), (base, radius), (216, 226, 230), None)
    for place, wide, shine in ((top, radius, 0.85), (level, filled * 0.92, 0.4), (foot, base, 0.7)):
        _draw_ring(canvas, camera, place, frame, wide, shine)
    if look.stem:
        end = foot - up * look.stem
        _draw_stem(canvas, camera, foot, end, size)
        _draw_ring(canvas, camera, end, frame, radius * 0.9, 0.8)


def _draw_clear(
    canvas: RasterCanvas,
    camera: SceneCamera,
    axis: tuple[Matrix, Matrix],
    radii: tuple[float, float],
    colour: Colour,
    strength: float | None,
) -> None:
    """A clear cylinder: of one ``strength``, or of glass, which shows at its sides."""
    seen = camera.project(np.array(axis))
    ends = [Ball.at(place, wide) for place, wide in zip(seen, radii, strict=True)]
    clay = _around(canvas, ends)
    if clay is None:
        return
    clay.capsule(ends[0], ends[1], merge=0.1)
    clay = clay.cropped()
    length = float(np.linalg.norm(axis[1] - axis[0]))
    cut = _between(clay, ends[0], ends[1], _flatness(seen, length), radii[0] / radii[1])
    along, across, reach = _axis(clay, ends[0], ends[1])
    alpha: Plane | float = 0.0 if strength is None else strength
    if strength is None:
        share = np.clip(along / np.float32(max(reach, 1e-6)), 0, 1)
        wide = ends[0].radius + (ends[1].radius - ends[0].radius) * share
        side = np.clip(np.abs(across) / np.maximum(wide, 1e-3), 0, 1)
        alpha = (0.16 + 0.6 * side**6).astype(np.float32)
    canvas.lay(clay, colour_plane(colour), _CLEAR, mask=cut, fold=0.2, alpha=alpha)


def _draw_ring(
    canvas: RasterCanvas,
    camera: SceneCamera,
    middle: Matrix,
    frame: ThingFrame,
    radius: float,
    shine: float,
) -> None:
    angles = np.linspace(0, 2 * pi, 25)
    ring = middle + radius * (
        np.cos(angles)[:, None] * frame.right + np.sin(angles)[:, None] * frame.front
    )
    seen = camera.project(ring)
    width = max(0.22 * float(seen[0, 3]), 0.9)
    height = float(seen[:, 2].mean())
    colour = toned((236, 242, 246), 0.75 + 0.25 * shine)
    canvas.stroke(seen[:, :2], width, colour, shine, height, reach=2.5 * radius)


def _draw_stem(
    canvas: RasterCanvas, camera: SceneCamera, top: Matrix, end: Matrix, size: float
) -> None:
    balls = [Ball.at(place, 0.4 * size) for place in camera.project(np.array([top, end]))]
    clay = _around(canvas, balls)
    if clay is not None:
        clay.capsule(balls[0], balls[1], merge=0.1)
        canvas.lay(clay.cropped(), colour_plane((220, 228, 232)), _CLEAR, alpha=0.6)


def _around(canvas: RasterCanvas, balls: list[Ball]) -> Clay | None:
    boxes = [(b.x - b.radius, b.y - b.radius, b.x + b.radius, b.y + b.radius) for b in balls]
    return Clay.around(boxes, canvas.width, canvas.height)


def _axis(clay: Clay, low: Ball, high: Ball) -> tuple[Plane, Plane, float]:
    """How far each pixel is along and beside the axis, and the axis' length; pixels."""
    way = np.array([high.x - low.x, high.y - low.y])
    length = max(float(np.hypot(*way)), 1e-6)
    way /= length
    along = (clay.x - low.x) * way[0] + (clay.y - low.y) * way[1]
    across = (clay.y - low.y) * way[0] - (clay.x - low.x) * way[1]
    return along, across, length


def _between(clay: Clay, low: Ball, high: Ball, flatness: float, foot: float = 1.0) -> Plane:
    """1 between the two end discs of a cylinder, which are ellipses as flat as that; ``foot`` is
    the lower one's radius as a share of the upper one's."""
    along, across, length = _axis(clay, low, high)

    def bulge(radius: float) -> Plane:
        disc: Plane = np.sqrt(np.clip(1 - (across / radius) ** 2, 0, 1))
        return disc * radius * flatness

    inside = np.minimum(along + bulge(low.radius), length + bulge(low.radius / foot) - along)
    cut: Plane = np.clip(inside + 0.5, 0, 1).astype(np.float32)
    return cut


def _flatness(seen: Plane, height: float) -> float:
    """How round the end discs look: 0 from the side, 1 from above."""
    across = float(np.hypot(*(seen[1, :2] - seen[0, :2])))
    along = height * float(seen[:, 3].mean())
    return float(np.sqrt(max(0.0, 1 - min(1.0, across / max(along, 1e-6)) ** 2)))
