"""A hand's bones as they are drawn: thickness, and which way each finger's pad faces."""

from dataclasses import dataclass

import numpy as np

from reactions.mannequin.pose import Matrix
from reactions.mannequin.scene import SceneCamera
from reactions.mannequin.skeleton import HAND_SCALE, ArmJoints

# Radii in cm: base of a finger to its tip, index to little; and the thumb's.
_FINGER_RADII = (
    (1.06, 0.94, 0.84, 0.74),
    (1.10, 0.97, 0.86, 0.76),
    (1.04, 0.92, 0.82, 0.72),
    (0.92, 0.80, 0.72, 0.64),
)
_THUMB_RADII = (1.70, 1.22, 1.04, 0.84)


@dataclass(frozen=True, slots=True, eq=False)
class Bone:
    """One bone of a finger or the thumb, body coordinates and cm."""

    a: Matrix
    b: Matrix
    thick: float
    """Radius at ``a``."""
    thin: float
    """Radius at ``b``."""
    pad: Matrix
    """Unit vector: which way the finger's pad faces."""
    order: int
    """0 nearest to the palm – 2 at the tip."""
    thumb: bool = False

    @property
    def along(self) -> Matrix:
        """Unit vector towards the tip."""
        way: Matrix = self.b - self.a
        return way / float(np.linalg.norm(way))


def bones_of(arm: ArmJoints) -> tuple[Bone, ...]:
    """Thumb, index, long, ring and little finger, three bones each, palm to tip."""
    hand, side = arm.hand, float(np.sign(np.linalg.det(arm.axes)))
    thumbwards, front = arm.axes[:, 0], -arm.axes[:, 2]
    found = []
    for i, pad in enumerate((front, *_thumb_pads(arm))):
        thick, thin = (r * HAND_SCALE for r in _THUMB_RADII[i : i + 2])
        found.append(Bone(hand[1 + i], hand[2 + i], thick, thin, pad, i, thumb=True))
    fingers = hand[5:].reshape(4, 4, 3)
    pads = np.cross(thumbwards, np.diff(fingers, axis=1)) * side
    pads /= np.linalg.norm(pads, axis=2, keepdims=True)
    for finger, faces, radius in zip(fingers, pads, _FINGER_RADII, strict=True):
        for i in range(3):
            thick, thin = radius[i] * HAND_SCALE, radius[i + 1] * HAND_SCALE
            found.append(Bone(finger[i], finger[i + 1], thick, thin, faces[i], i))
    return tuple(found)


def _thumb_pads(arm: ArmJoints) -> tuple[Matrix, Matrix]:
    """Which way the pad faces on the thumb's two free bones.

    It looks towards a place in front of the middle of the palm. The joint between them is a hinge:
    both turn about one axis, and the thumb is never twisted.
    """
    hand = arm.hand
    target = hand[0] + arm.axes @ np.array([-1.2, -6.5, -4.6])
    way = hand[4] - hand[2]
    hinge = np.cross(way, _squared(target - hand[3], way))
    middle, tip = (np.cross(hinge, b - a) for a, b in (hand[2:4], hand[3:5]))
    return middle / np.linalg.norm(middle), tip / np.linalg.norm(tip)


def toward(direction: Matrix, place: Matrix, camera: SceneCamera) -> float:
    """Cosine between ``direction`` and the ray from ``place`` to the camera."""
    ray = camera.eye() - place
    return float(direction @ ray) / float(np.linalg.norm(ray))


def side_facing(direction: Matrix, place: Matrix, camera: SceneCamera) -> float:
    """0 (turned away) to 1 (faces the camera), with a soft middle."""
    w = min(max(0.5 + 1.1 * toward(direction, place, camera), 0.0), 1.0)
    return w * w * (3 - 2 * w)


def _squared(direction: Matrix, along: Matrix) -> Matrix:
    """The unit vector along the part of ``direction`` that is square to ``along``."""
    along = along / np.linalg.norm(along)
    direction = direction - along * float(direction @ along)
    unit: Matrix = direction / max(float(np.linalg.norm(direction)), 1e-6)
    return unit
