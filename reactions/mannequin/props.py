"""Things that mannequins hold."""

from itertools import pairwise
from math import cos, pi, sin

import numpy as np

from reactions.mannequin.canvas import Material, RasterCanvas, colour_plane
from reactions.mannequin.pose import Matrix
from reactions.mannequin.scene import SceneCamera
from reactions.mannequin.skeleton import ArmJoints
from reactions.mannequin.solids import Ball, Clay, Plane

_RADIUS, _HEIGHT, _WALL = 4.4, 10.5, 0.35
"""Of a mug, cm."""
_AWAY, _ABOVE = 5.0, 3.2
"""From the palm's bones to the mug's axis, and the mug's middle above the hand's, cm: held low,
half of it is in sight. A hand around all of it hides it from the detector of mugs."""
_LOOP_WAY = (0.9, -0.4)
"""Which way the handle points: away from the palm, and towards the wrist."""
_LOOP, _LOOP_THICK = 3.0, 0.62
"""Radius of the handle's loop, and of what it is made of, cm."""
_WHITE, _DARK = (244, 242, 236), (52, 34, 26)
_GLAZE = Material((0.40, 0.38, 0.42), (1.12, 1.08, 1.04), rim=0.22, gloss=0.5, crease=0.25)
"""Without the highlight the detector of mugs sees no ceramics."""


def draw_mug(canvas: RasterCanvas, arm: ArmJoints, camera: SceneCamera) -> None:
    """A mug in the hand of ``arm``, upright along the way to the thumb, its handle away from it."""
    up, aside = arm.axes[:, 0], -arm.axes[:, 2]
    middle = 0.65 * arm.hand[9] + 0.35 * arm.hand[0] + _AWAY * aside + _ABOVE * up
    loop = aside * _LOOP_WAY[0] + arm.axes[:, 1] * _LOOP_WAY[1]
    _draw_handle(canvas, middle + _RADIUS * loop, up, loop, camera)
    low, high = middle - up * _HEIGHT / 2, middle + up * _HEIGHT / 2
    seen = camera.project(np.array([low, high]))
    ends = [Ball.at(place, _RADIUS) for place in seen]
    clay = _around(canvas, ends)
    if clay is None:
        return
    clay.capsule(ends[0], ends[1], merge=0.1)
    clay = clay.cropped()
    cut = _between(clay, ends[0], ends[1], flatness=_flatness(seen))
    canvas.lay(clay, colour_plane(_WHITE), _GLAZE, shadow=0.3, mask=cut, fold=0.2)
    _draw_opening(canvas, ends[1], seen)


def _draw_handle(
    canvas: RasterCanvas, root: Matrix, up: Matrix, aside: Matrix, camera: SceneCamera
) -> None:
    """Half a ring on the mug's wall at ``root``."""
    angles = [pi * k / 8 for k in range(9)]
    ring = [root + _LOOP * (0.9 * sin(a) * aside + cos(a) * up) for a in angles]
    balls = [Ball.at(place, _LOOP_THICK) for place in camera.project(np.array(ring))]
    clay = _around(canvas, balls)
    if clay is None:
        return
    for one, other in pairwise(balls):
        clay.capsule(one, other, merge=0.2)
    canvas.lay(clay.cropped(), colour_plane(_WHITE), _GLAZE, shadow=0.2, fold=0.2)


def _draw_opening(canvas: RasterCanvas, rim: Ball, seen: Plane) -> None:
    """The dark drink, where the mug is seen from above."""
    flat = _flatness(seen)
    clay = _around(canvas, [rim])
    if clay is None or seen[1, 2] < seen[0, 2] + 0.5:
        return
    clay.capsule(rim, Ball(rim.x + 0.5, rim.y, rim.height, rim.scale, rim.radius), merge=0.1)
    clay = clay.cropped()
    way = np.array([seen[1, 0] - seen[0, 0], seen[1, 1] - seen[0, 1]])
    way /= max(float(np.hypot(*way)), 1e-6)
    along = (clay.x - rim.x) * way[0] + (clay.y - rim.y) * way[1]
    across = (clay.y - rim.y) * way[0] - (clay.x - rim.x) * way[1]
    share = 1 - _WALL / _RADIUS
    inside = np.hypot(across, along / max(flat, 0.05)) / (share * rim.radius)
    mask = np.clip((1 - inside) * rim.radius, 0, 1).astype(np.float32)
    canvas.lay(clay, colour_plane(_DARK), _GLAZE, mask=mask, sink=-1.0)


def _around(canvas: RasterCanvas, balls: list[Ball]) -> Clay | None:
    boxes = [(b.x - b.radius, b.y - b.radius, b.x + b.radius, b.y + b.radius) for b in balls]
    return Clay.around(boxes, canvas.width, canvas.height)


def _between(clay: Clay, low: Ball, high: Ball, flatness: float) -> Plane:
    """1 between the two end discs of a cylinder, which are ellipses as flat as that."""
    way = np.array([high.x - low.x, high.y - low.y])
    length = max(float(np.hypot(*way)), 1e-6)
    way /= length
    along = (clay.x - low.x) * way[0] + (clay.y - low.y) * way[1]
    across = (clay.y - low.y) * way[0] - (clay.x - low.x) * way[1]
    bulge = np.sqrt(np.clip(1 - (across / low.radius) ** 2, 0, 1)) * low.radius * flatness
    inside = np.minimum(along + bulge, length + bulge - along)
    cut: Plane = np.clip(inside + 0.5, 0, 1).astype(np.float32)
    return cut


def _flatness(seen: Plane) -> float:
    """How round the end discs look: 0 from the side, 1 from above."""
    across = float(np.hypot(*(seen[1, :2] - seen[0, :2])))
    along = _HEIGHT * float(seen[:, 3].mean())
    return float(np.sqrt(max(0.0, 1 - min(1.0, across / max(along, 1e-6)) ** 2)))
