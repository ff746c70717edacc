"""Details that tell a palm from a back: nails and knuckles, lines and creases."""

from collections.abc import Sequence

import numpy as np

from reactions.mannequin.bones import Bone, toward
from reactions.mannequin.canvas import RasterCanvas
from reactions.mannequin.part_space import between, toned
from reactions.mannequin.person import Colour
from reactions.mannequin.pose import Matrix
from reactions.mannequin.scene import SceneCamera
from reactions.mannequin.skeleton import HAND_SCALE, ArmJoints

# Heart, head and life line on the palm's surface, hand frame.
_LINES = (
    ((-3.9, -6.2, -1.3), (-1.6, -6.8, -1.3), (0.4, -7.5, -1.3), (1.3, -8.4, -1.3)),
    ((2.9, -6.6, -1.2), (0.6, -5.8, -1.2), (-1.6, -4.6, -1.3), (-2.6, -3.6, -1.5)),
    ((2.9, -6.7, -1.2), (1.2, -5.6, -1.3), (0.1, -3.9, -1.4), (0.0, -1.4, -1.6)),
)
_WEB = 0.42
"""Where on its first bone a finger leaves the palm, seen from the front."""


def palm_colour(skin: Colour) -> Colour:
    """The palm that goes with ``skin``: lighter and rosier, the more so on dark skin."""
    dark = 1 - sum(skin) / 3 / 255
    # The camera's exposure lifts the darkest skin (``canvas.skin_material``), palms included.
    rosy = between(skin, (232, 168, 146), 0.12 + 0.23 * dark - 0.35 * max(dark - 0.5, 0))
    return between(rosy, (240, 150, 140), 0.10)


def draw_marks(
    canvas: RasterCanvas, skin: Colour, arm: ArmJoints, bones: Sequence[Bone], camera: SceneCamera
) -> None:
    """Nails and knuckles on what shows its back, creases and lines on what shows its front."""
    for bone in bones:
        front = toward(bone.pad, bone.b, camera)
        if front < -0.12 and bone.order == 2:
            _nail(canvas, skin, bone, -front, camera)
        if front < -0.3 and bone.order == 0 and not bone.thumb:
            _knuckle(canvas, skin, bone, -front, camera)
        if front > 0.3:
            _creases(canvas, skin, bone, front, camera)
    front = toward(-arm.axes[:, 2], arm.hand[9], camera)
    if front > 0.3:
        _lines(canvas, skin, arm, front, camera)
    elif front < -0.3:
        _tendons(canvas, skin, arm, -front, camera)


def _nail(canvas: RasterCanvas, skin: Colour, bone: Bone, seen: float, camera: SceneCamera) -> None:
    along, half = bone.along, bone.thin * 0.62
    center = bone.b - bone.pad * bone.thin * 0.86 + along * bone.thin * 0.10
    ends = camera.project(np.array([center - along * half * 0.7, center + along * half * 0.9]))
    colour = between(palm_colour(skin), (255, 222, 214), 0.55)
    width = 2 * half * float(ends[0, 3]) * (0.35 + 0.65 * seen)
    _stroke(canvas, ends, width, colour, 0.66 * min(seen * 2, 1.0))


def _knuckle(
    canvas: RasterCanvas, skin: Colour, bone: Bone, seen: float, camera: SceneCamera
) -> None:
    """Two wrinkles over the middle joint."""
    across = np.cross(bone.pad, bone.along) * bone.thin * 0.55
    for offset in (-0.22, 0.22):
        center = bone.b - bone.pad * bone.thin * 0.95 + bone.along * offset
        ends = camera.project(np.array([center - across, center + across]))
        _stroke(canvas, ends, 0.16 * float(ends[0, 3]), toned(skin, 0.52), 0.5 * seen)


def _creases(
    canvas: RasterCanvas, skin: Colour, bone: Bone, seen: float, camera: SceneCamera
) -> None:
    """The fold at the joint nearest to the palm, and where the finger leaves the palm."""
    if bone.order == 0 and bone.thumb:
        return
    at, radius = bone.a, bone.thick
    if bone.order == 0:
        at = bone.a + (bone.b - bone.a) * _WEB
        radius = bone.thick * (1 - _WEB) + bone.thin * _WEB
    across = np.cross(bone.pad, bone.along) * radius * 0.78
    center = at + bone.pad * radius * 0.62
    ends = camera.project(np.array([center - across, at + bone.pad * radius, center + across]))
    colour = toned(palm_colour(skin), 0.56)
    _stroke(canvas, ends, 0.22 * float(ends[0, 3]), colour, 0.5 * seen)


def _lines(
    canvas: RasterCanvas, skin: Colour, arm: ArmJoints, seen: float, camera: SceneCamera
) -> None:
    colour = toned(palm_colour(skin), 0.54)
    for line in _LINES:
        points = camera.project(arm.hand[0] + np.array(line) * HAND_SCALE @ arm.axes.T)
        _stroke(canvas, points, 0.24 * float(points[0, 3]), colour, 0.52 * seen)


def _tendons(
    canvas: RasterCanvas, skin: Colour, arm: ArmJoints, seen: float, camera: SceneCamera
) -> None:
    back = arm.axes[:, 2] * 1.35 * HAND_SCALE
    for knuckle in (5, 9, 13, 17):
        start = arm.hand[knuckle] + (arm.hand[0] - arm.hand[knuckle]) * 0.12 + back
        end = arm.hand[knuckle] + (arm.hand[0] - arm.hand[knuckle]) * 0.62 + back
        points = camera.project(np.array([start, end]))
        width = 0.34 * float(points[0, 3])
        _stroke(canvas, points, width, toned(skin, 1.22), 0.28 * seen)


def _stroke(
    canvas: RasterCanvas, points: Matrix, width: float, colour: Colour, strength: float
) -> None:
    canvas.stroke(points[:, :2], width, colour, strength, float(points[:, 2].mean()), 1.3)
