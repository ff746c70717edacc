"""The hand: finger angles in, 21 joints out (forward kinematics in the hand's own frame).

The frame is that of a *right* hand shown flat to the camera: x towards the thumb, y towards the
wrist (fingers point to -y), z away from the palm (the palm faces -z). Centimetres. The wrist is the
origin. A left hand is the mirror image and never handled here.
"""

from dataclasses import dataclass, fields
from math import cos, radians, sin
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Joints: TypeAlias = npt.NDArray[np.float64]
"""(21, 3) in MediaPipe's order: wrist, four of the thumb, then four of each finger."""

# Knuckles of an adult hand 18.8 cm long: the row is arched and falls towards the little finger.
_KNUCKLES = ((2.65, -8.9, 0.10), (0.55, -9.25, 0.35), (-1.55, -8.8, 0.25), (-3.40, -7.8, -0.15))
# Phalanges, knuckle to tip; the tip landmark sits a radius short of the finger's end.
_PHALANGES = ((4.3, 2.6, 1.95), (4.8, 3.0, 2.1), (4.45, 2.85, 2.1), (3.5, 2.05, 1.85))
# Where each finger points in the palm's plane at rest, degrees towards the thumb.
_FAN = (5.0, 1.0, -3.0, -7.0)
# Bent fingers lean towards the root of the thumb's ball: degrees, towards the thumb.
_LEAN = (-6.0, -2.0, 3.0, 9.0)
_THUMB_BASE = (2.1, -1.7, -0.9)
_THUMB = (4.4, 3.3, 2.5)


@dataclass(frozen=True, slots=True)
class FingerPose:
    """Bend of the three joints and sideways spread, degrees; all 0 is a straight finger."""

    knuckle: float = 0.0
    middle: float = 0.0
    end: float = 0.0
    spread: float = 0.0
    """Towards the thumb positive."""


@dataclass(frozen=True, slots=True)
class Thumb:
    """Where each of the three bones points, degrees.

    The first angle of a pair swings in the palm's plane from the fingers' direction (0) to square
    off the thumb's side (90); the second lifts the bone off that plane towards the palm's front.
    """

    root: tuple[float, float]
    middle: tuple[float, float]
    tip: tuple[float, float]


@dataclass(frozen=True, slots=True)
class HandShape:
    """One hand's five fingers."""

    thumb: Thumb
    index: FingerPose
    long: FingerPose
    ring: FingerPose
    little: FingerPose

    @property
    def fingers(self) -> tuple[FingerPose, FingerPose, FingerPose, FingerPose]:
        """The four fingers from the thumb's side on."""
        return self.index, self.long, self.ring, self.little


def blend_shapes(a: HandShape, b: HandShape, w: float) -> HandShape:
    """The shape a fraction ``w`` (0–1) of the way from ``a`` to ``b``, joint by joint."""
    fingers = [
        FingerPose(*(_mix(getattr(p, f.name), getattr(q, f.name), w) for f in fields(FingerPose)))
        for p, q in zip(a.fingers, b.fingers, strict=True)
    ]
    bones = [
        (_mix(p[0], q[0], w), _mix(p[1], q[1], w))
        for p, q in zip(
            (a.thumb.root, a.thumb.middle, a.thumb.tip),
            (b.thumb.root, b.thumb.middle, b.thumb.tip),
            strict=True,
        )
    ]
    return HandShape(Thumb(*bones), *fingers)


def hand_joints(shape: HandShape) -> Joints:
    """The 21 joints of ``shape`` in the hand's frame."""
    joints = np.zeros((21, 3))
    joints[1] = _THUMB_BASE
    bones = (shape.thumb.root, shape.thumb.middle, shape.thumb.tip)
    for i, ((swing, lift), length) in enumerate(zip(bones, _THUMB, strict=True)):
        a, b = radians(swing), radians(lift)
        joints[2 + i] = joints[1 + i] + length * np.array(
            [cos(b) * sin(a), -cos(b) * cos(a), -sin(b)]
        )
    for f, finger in enumerate(shape.fingers):
        _finger_joints(joints[5 + 4 * f : 9 + 4 * f], f, finger)
    return joints


def _finger_joints(out: Joints, index: int, finger: FingerPose) -> None:
    # A bent finger loses its spread: the knuckle's side ligaments are tight in flexion.
    side = radians(_FAN[index] + finger.spread) * cos(radians(min(finger.knuckle, 90.0)) * 0.8)
    along = np.array([sin(side), -cos(side), 0.0])
    lean = radians(_LEAN[index])
    palm = np.array([sin(lean), 0.0, -cos(lean)])
    palm -= along * float(palm @ along)
    palm /= np.linalg.norm(palm)
    out[0] = _KNUCKLES[index]
    angle = 0.0
    bends = (finger.knuckle, finger.middle, finger.end)
    for i, (bend, length) in enumerate(zip(bends, _PHALANGES[index], strict=True)):
        angle += radians(bend)
        out[1 + i] = out[i] + length * (cos(angle) * along + sin(angle) * palm)


def _mix(a: float, b: float, w: float) -> float:
    return a + (b - a) * w
