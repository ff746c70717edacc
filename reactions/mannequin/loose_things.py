"""Spectacles that lie about or are held, and clutter of round shapes."""

from itertools import pairwise
from typing import Final

import numpy as np

from reactions.mannequin.canvas import Colour, Material, RasterCanvas, colour_plane
from reactions.mannequin.frames import lens_outline, lens_tint, random_frames
from reactions.mannequin.pose import Matrix
from reactions.mannequin.scene import SceneCamera
from reactions.mannequin.slabs import GLOSSY, MATT
from reactions.mannequin.solids import Ball, Clay
from reactions.mannequin.things import Thing, ThingFrame, ThingKind

_METAL: Final = Material((0.5, 0.48, 0.48), (1.15, 1.1, 1.08), rim=0.3, gloss=0.5)
_BRIGHT: Final[tuple[Colour, ...]] = (
    (214, 74, 60), (60, 130, 190), (240, 196, 72), (110, 160, 90), (230, 228, 222), (60, 58, 62),
    (180, 120, 170),
)  # fmt: skip


def draw_loose_glasses(
    canvas: RasterCanvas, thing: Thing, frame: ThingFrame, camera: SceneCamera
) -> None:
    """Spectacles that are not worn, their temples open behind them."""
    frames, colour = random_frames(thing.look)
    for side in (-1.0, 1.0):
        ring = _placed(lens_outline(frames, side), frame)
        _draw_lens(canvas, camera, ring, lens_tint(frames))
        _draw_wire(canvas, camera, ring, colour, frame.size)
        temple = np.array([[side * 6.2, 0.4, 0], [side * 6.6, 0.2, -6], [side * 6.4, -1.4, -12.5]])
        _draw_wire(canvas, camera, _placed(temple, frame), colour, frame.size)
    bridge = np.array([[-0.8, 0.3, 0], [0, 0.6, 0.2], [0.8, 0.3, 0]])
    _draw_wire(canvas, camera, _placed(bridge, frame), colour, frame.size)


def _placed(points: Matrix, frame: ThingFrame) -> Matrix:
    placed: Matrix = frame.middle + points @ frame.axes.T * frame.size
    return placed


def _draw_wire(
    canvas: RasterCanvas, camera: SceneCamera, points: Matrix, colour: Colour, size: float
) -> None:
    seen = camera.project(points)
    balls = [Ball.at(place, max(0.2 * size, 0.6 / float(place[3]))) for place in seen]
    clay = _around(canvas, balls)
    if clay is None:
        return
    for one, other in pairwise(balls):
        clay.capsule(one, other, merge=0.05)
    canvas.lay(clay.cropped(), colour_plane(colour), _METAL)


def _draw_lens(
    canvas: RasterCanvas, camera: SceneCamera, ring: Matrix, tint: tuple[Colour, float]
) -> None:
    middle, half = ring.mean(axis=0), (ring.max(axis=0) - ring.min(axis=0)) / 2
    seen = camera.project(np.vstack([middle, ring]))
    low, high = seen[:, :2].min(axis=0), seen[:, :2].max(axis=0)
    clay = Clay.around([(*low.tolist(), *high.tolist())], canvas.width, canvas.height)
    if clay is None or float(half.max()) < 0.5:
        return
    right, across = ring[0] - middle, ring[len(ring) // 4] - middle
    front = np.cross(right, across)
    axes = np.column_stack(
        [one / max(float(np.linalg.norm(one)), 1e-6) for one in (right, across, front)]
    )
    radii = np.array([np.linalg.norm(right), np.linalg.norm(across), 0.25])
    clay.ellipsoid(seen[0], camera.view @ axes, radii)
    canvas.lay(clay.cropped(), colour_plane(tint[0]), GLOSSY, alpha=tint[1])


def draw_round_clutter(
    canvas: RasterCanvas, thing: Thing, frame: ThingFrame, camera: SceneCamera
) -> None:
    """A ball, a lamp, a pen or a bowl."""
    rng = np.random.default_rng([thing.look, 7])
    colour = _BRIGHT[rng.integers(len(_BRIGHT))]
    up, size = frame.up * frame.size, frame.size
    middle = frame.middle
    if thing.kind is ThingKind.BALL:
        radius = float(rng.uniform(2.5, 7)) * size
        _draw_capsules(canvas, camera, [(middle, radius), (middle + up * 0.01, radius)], colour)
    elif thing.kind is ThingKind.PEN:
        radius = float(rng.uniform(0.4, 0.7)) * size
        _draw_capsules(
            canvas, camera, [(middle - up * 7, radius), (middle + up * 7, radius)], colour
        )
    elif thing.kind is ThingKind.LAMP:
        foot, head = middle - up * 15, middle + up * 12
        _draw_capsules(canvas, camera, [(foot, 0.8 * size), (head, 0.8 * size)], (70, 66, 64))
        shade = [(head, 4.5 * size), (head + up * 7, 3.0 * size)]
        _draw_capsules(canvas, camera, shade, (250, 236, 200))
    else:
        low, high = middle - up * 1.5, middle + up * 2
        _draw_capsules(canvas, camera, [(low, 4.5 * size), (high, 7.0 * size)], colour)


def _draw_capsules(
    canvas: RasterCanvas, camera: SceneCamera, ends: list[tuple[Matrix, float]], colour: Colour
) -> None:
    balls = [Ball.at(camera.project(place)[0], radius) for place, radius in ends]
    clay = _around(canvas, balls)
    if clay is None:
        return
    for one, other in pairwise(balls):
        clay.capsule(one, other, merge=0.1)
    canvas.lay(clay.cropped(), colour_plane(colour), MATT, shadow=0.2)


def _around(canvas: RasterCanvas, balls: list[Ball]) -> Clay | None:
    boxes = [(b.x - b.radius, b.y - b.radius, b.x + b.radius, b.y + b.radius) for b in balls]
    return Clay.around(boxes, canvas.width, canvas.height)
