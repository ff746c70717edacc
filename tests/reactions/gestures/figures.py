"""Landmarks of schematic faces and hands, exact where the rules look and nowhere else."""

from collections.abc import Sequence
from math import cos, radians, sin

import numpy as np
import numpy.typing as npt

from reactions.landmark_types import Face, Hand, Observation, Points, Side

WIDTH, HEIGHT = 640, 360
UNIT = 60.0
"""Pixels between the outer corners of the eyes."""
Matrix = npt.NDArray[np.float64]

_JAW = (132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361)
_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)


def rotation(yaw: float = 0, pitch: float = 0, roll: float = 0) -> Matrix:
    """Turns by degrees about the vertical, the horizontal and the line of sight."""
    a, b, c = radians(yaw), radians(pitch), radians(roll)
    return np.array(
        np.array([[cos(c), -sin(c), 0], [sin(c), cos(c), 0], [0, 0, 1]])
        @ np.array([[1, 0, 0], [0, cos(b), -sin(b)], [0, sin(b), cos(b)]])
        @ np.array([[cos(a), 0, sin(a)], [0, 1, 0], [-sin(a), 0, cos(a)]])
    )


def make_face(
    *,
    width: float = 0.56,
    drop: float = 0.23,
    opening: float = 0.02,
    brows: float = 0.24,
    lids: float = 0.30,
    turned: Matrix | None = None,
    at: tuple[float, float] = (320.0, 150.0),
    unit: float = UNIT,
) -> Face:
    """A face with its measures in distances between the eyes; the bridge of the nose is at ``at``.

    The defaults are a face at rest.
    """
    mesh = np.zeros((468, 3))
    mesh[[33, 263]] = (-0.5, 0, 0.1), (0.5, 0, 0.1)
    mesh[[133, 362]] = (-0.2, 0, 0.05), (0.2, 0, 0.05)
    mesh[[234, 454]] = (-0.75, 0.1, 0.6), (0.75, 0.1, 0.6)
    mesh[[10, 168, 2]] = (0, -0.75, 0.0), (0, -0.02, 0.0), (0, 0.55, 0.0)
    for side, (upper, lower), brow in ((-1, (159, 145), 105), (1, (386, 374), 334)):
        mesh[upper] = side * 0.35, -0.5 * lids * 0.304, 0.05
        mesh[lower] = side * 0.35, 0.5 * lids * 0.304, 0.05
        mesh[brow] = side * 0.4, -brows, 0.05
    mouth = 0.55 + drop
    for turn, index in zip(np.linspace(np.pi, -np.pi, 21)[:20], _LIPS, strict=True):
        mesh[index] = width / 2 * cos(turn), mouth + 0.12 * sin(turn), 0.0
    mesh[[61, 291]] = (-width / 2, mouth, 0), (width / 2, mouth, 0)
    mesh[[13, 14]] = (0, mouth - opening / 2, 0), (0, mouth + opening / 2, 0)
    for turn, index in zip(np.linspace(np.pi, 0, 17), _JAW, strict=True):
        mesh[index] = 0.7 * cos(turn), 0.35 + 0.85 * sin(turn), 0.3 * abs(cos(turn))
    if turned is not None:
        mesh = mesh @ turned.T
    points = mesh * unit + np.array([*at, 0.0])
    return Face(points.astype(np.float32), 0.99)


def make_hand(
    wrist: tuple[float, float],
    *,
    palm: float = 40.0,
    lean: float = 0.0,
    straight: Sequence[bool] = (True, True, True, True),
    side: Side = Side.RIGHT,
) -> Hand:
    """A hand seen from the front: wrist in pixels, ``palm`` pixels long, ``lean`` degrees aside.

    ``straight`` says which fingers, thumb left out, are stretched; the others are folded.
    """
    joints = np.zeros((21, 3))
    joints[1:5] = [(-0.35, -0.25, 0), (-0.6, -0.5, 0), (-0.8, -0.7, 0), (-0.95, -0.85, 0)]
    for finger, (across, out) in enumerate(zip((-0.3, 0.0, 0.25, 0.45), straight, strict=True)):
        first = 5 + 4 * finger
        steps = (1.0, 1.45, 1.75, 2.0) if out else (1.0, 1.3, 1.0, 0.75)
        joints[first : first + 4] = [(across, -step, 0 if out else -0.2) for step in steps]
    points = joints @ rotation(roll=lean).T * palm + np.array([*wrist, 0.0])
    return Hand(points.astype(np.float32), side, 0.98, 0.97)


def see(time: float = 0.0, *hands: Hand, face: Face | None = None) -> Observation:
    return Observation(WIDTH, HEIGHT, time, tuple(hands), face)


def moved(points: Points, x: float, y: float) -> Points:
    return points + np.array([x, y, 0], np.float32)
