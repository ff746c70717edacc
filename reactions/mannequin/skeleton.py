"""From a pose to the places of the joints: shoulders, elbows, wrists, fingers and head."""

from dataclasses import dataclass
from math import cos, radians, sin, sqrt

import numpy as np

from reactions.mannequin.hand import Joints, hand_joints
from reactions.mannequin.pose import Arm, Matrix, Pose, matrix

UPPER_ARM, FOREARM = 29.0, 25.5
_SHORTEST, _LONGEST = 8.0, (UPPER_ARM + FOREARM) * 0.995
"""From shoulder to wrist; a wrist asked for elsewhere is drawn to what the arm can do."""
HAND_SCALE = 1.06
"""A touch larger than life: hands read better at webcam size."""
HEAD_SIZE = 1.08
"""Likewise the head: the proportions of a drawn character."""
_HANGS = 0.35
"""Share of the hanging elbow's weight across the arm, below which it goes out instead."""
_SHOULDER = np.array([-15.8, 3.0, 1.0])
_HEAD = np.array([0.0, -18.6, -1.5])
_NECK = np.array([0.0, -6.0, 1.5])
"""The head turns about the top of the neck."""
_MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True, slots=True, eq=False)
class ArmJoints:
    """One arm in body coordinates (cm: x picture right, y down, z away)."""

    shoulder: Matrix
    elbow: Matrix
    hand: Joints
    """(21, 3); row 0 is the wrist."""
    axes: Matrix
    """Columns: towards the thumb, towards the wrist, away from the palm (see ``hand``)."""


@dataclass(frozen=True, slots=True, eq=False)
class Skeleton:
    """All joints of a posed person."""

    right: ArmJoints
    left: ArmJoints
    head: Matrix
    """Centre of the head, between the ears."""
    head_axes: Matrix
    """Columns: picture right, down and away of a head that faces the camera."""
    neck: Matrix
    lean: Matrix


def pose_skeleton(pose: Pose, shoulders: float = 1.0) -> Skeleton:
    """The joints of ``pose`` for a person whose shoulders are ``shoulders`` times the average."""
    lean = np.array([pose.lean[0], -pose.lean[1], -pose.lean[2]])
    axes = _head_axes(*pose.head)
    neck = _NECK + lean
    right = _arm(pose.right, shoulders, lean)
    left = _mirrored(_arm(pose.left, shoulders, lean * _MIRROR))
    return Skeleton(right, left, neck + axes @ (_HEAD - _NECK), axes, neck, lean)


def _arm(arm: Arm, shoulders: float, lean: Matrix) -> ArmJoints:
    """A right arm."""
    shoulder = _SHOULDER * np.array([shoulders, 1.0, 1.0]) + lean
    out, up, forward = arm.wrist
    wrist = np.array([-out, -up, -forward]) + lean
    reach = wrist - shoulder
    length = max(float(np.linalg.norm(reach)), 1e-3)
    possible = min(max(length, _SHORTEST), _LONGEST)
    wrist = shoulder + reach * (possible / length)
    elbow = _elbow(shoulder, wrist, possible, arm.swivel)
    axes = matrix(arm.turn)
    hand = hand_joints(arm.shape) * HAND_SCALE @ axes.T + wrist
    return ArmJoints(shoulder, elbow, hand, axes)


def _elbow(shoulder: Matrix, wrist: Matrix, length: float, swivel: float) -> Matrix:
    """Two-bone inverse kinematics: the elbow hangs down and a little out, turned by ``swivel``."""
    along = (wrist - shoulder) / length
    hang = np.array([-0.35, 1.0, 0.25])
    hang -= along * float(hang @ along)
    # With the hand straight above the shoulder an elbow can't hang: it goes out and forwards.
    out = np.array([-1.0, 0.0, -0.5])
    out -= along * float(out @ along)
    hang += out * max(_HANGS - float(np.linalg.norm(hang)), 0.0)
    hang /= max(float(np.linalg.norm(hang)), 1e-6)
    side = np.cross(along, hang)
    a = -radians(swivel)
    hang = hang * cos(a) + side * sin(a)
    base = (length * length + UPPER_ARM**2 - FOREARM**2) / (2 * length)
    rise = sqrt(max(UPPER_ARM**2 - base * base, 0.0))
    bend: Matrix = shoulder + along * base + hang * rise
    return bend


def _mirrored(arm: ArmJoints) -> ArmJoints:
    return ArmJoints(
        arm.shoulder * _MIRROR, arm.elbow * _MIRROR, arm.hand * _MIRROR, arm.axes * _MIRROR[:, None]
    )


def _head_axes(yaw: float, pitch: float, roll: float) -> Matrix:
    a, b, c = radians(yaw), radians(pitch), radians(roll)
    turn = np.array([[cos(a), 0, -sin(a)], [0, 1, 0], [sin(a), 0, cos(a)]])
    nod = np.array([[1, 0, 0], [0, cos(b), -sin(b)], [0, sin(b), cos(b)]])
    tilt = np.array([[cos(c), -sin(c), 0], [sin(c), cos(c), 0], [0, 0, 1]])
    axes: Matrix = tilt @ turn @ nod
    return axes
