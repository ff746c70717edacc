"""Things that mannequins hold."""

import numpy as np

from reactions.mannequin.canvas import CLOTH, RasterCanvas, colour_plane
from reactions.mannequin.scene import SceneCamera
from reactions.mannequin.skeleton import ArmJoints
from reactions.mannequin.solids import Ball, Clay, Plane

_RADIUS, _HEIGHT = 4.4, 11.0
"""Of a mug, cm."""
_AWAY = 5.0
"""From the palm's bones to the mug's axis, cm."""
_WHITE, _DARK = (250, 248, 242), (52, 34, 26)


def draw_mug(canvas: RasterCanvas, arm: ArmJoints, camera: SceneCamera) -> None:
    """A mug in the hand of ``arm``, upright along the way to the thumb."""
    up = arm.axes[:, 0]
    middle = 0.65 * arm.hand[9] + 0.35 * arm.hand[0] - _AWAY * arm.axes[:, 2]
    low, high = middle - up * _HEIGHT / 2, middle + up * _HEIGHT / 2
    seen = camera.project(np.array([low, high]))
    ends = [Ball.at(place, _RADIUS) for place in seen]
    reach = [(e.x - e.radius, e.y - e.radius, e.x + e.radius, e.y + e.radius) for e in ends]
    clay = Clay.around(reach, canvas.width, canvas.height)
    if clay is None:
        return
    clay.capsule(ends[0], ends[1], merge=0.1)
    clay = clay.cropped()
    cut = _between(clay, ends[0], ends[1], flatness=_flatness(seen))
    canvas.lay(clay, colour_plane(_WHITE), CLOTH, shadow=0.3, mask=cut, fold=0.2)
    _draw_opening(canvas, ends[1], seen)


def _draw_opening(canvas: RasterCanvas, rim: Ball, seen: Plane) -> None:
    """The dark drink, where the mug is seen from above."""
    clay = Clay.around(
        [(rim.x - rim.radius, rim.y - rim.radius, rim.x + rim.radius, rim.y + rim.radius)],
        canvas.width,
        canvas.height,
    )
    flat = _flatness(seen)
    if clay is None or seen[1, 2] < seen[0, 2] + 1.0:
        return
    clay.capsule(rim, Ball(rim.x + 0.5, rim.y, rim.height, rim.scale, rim.radius), merge=0.1)
    clay = clay.cropped()
    way = np.array([seen[1, 0] - seen[0, 0], seen[1, 1] - seen[0, 1]])
    way /= max(float(np.hypot(*way)), 1e-6)
    along = (clay.x - rim.x) * way[0] + (clay.y - rim.y) * way[1]
    across = (clay.y - rim.y) * way[0] - (clay.x - rim.x) * way[1]
    inside = np.hypot(across, along / max(flat, 0.15)) / (0.86 * rim.radius)
    mask = np.clip((1 - inside) * rim.radius, 0, 1).astype(np.float32)
    canvas.lay(clay, colour_plane(_DARK), CLOTH, mask=mask, sink=-1.0)


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
