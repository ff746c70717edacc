"""A hand as joint angles, many at once: forward kinematics of fingers, and a thumb that reaches.

The frame is a right hand's, shown flat to the camera: x towards the thumb, y towards the wrist (the
fingers point to -y), z into the picture (the palm faces -z). Lengths are centimetres of an adult
hand, angles radians, ``n`` is the number of hands. The wrist is the origin.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

# An average hand, 18.9 cm from wrist to middle fingertip, joints where the model has its landmarks.
_KNUCKLES = np.array(
    [[2.6, -8.8, 0.1], [0.6, -9.1, 0.35], [-1.4, -8.6, 0.3], [-3.2, -7.7, -0.1]], dtype=np.float64
)
_PHALANGES = np.array(
    [[4.3, 2.5, 2.0], [4.7, 2.9, 2.1], [4.4, 2.8, 2.1], [3.4, 2.1, 1.9]], dtype=np.float64
)
_FAN = np.radians([7.0, 1.0, -5.0, -12.0])
_THUMB_BASE = np.array([2.0, -1.7, -0.8])
_THUMB = np.array([4.4, 3.4, 2.7])
_REACH_ROUNDS = 12


@dataclass(frozen=True, slots=True)
class Build:
    """The bones of ``n`` different hands."""

    knuckles: Array
    """(n, 4, 3): where the fingers begin."""
    phalanges: Array
    """(n, 4, 3): lengths of three bones a finger."""
    fan: Array
    """(n, 4): where each straight finger points in the palm's plane, towards the thumb positive."""
    thumb_base: Array
    """(n, 3)"""
    thumb: Array
    """(n, 3): lengths of the thumb's bones."""


def vary_build(n: int, rng: np.random.Generator) -> Build:
    """Hands of different people: long and short fingers, broad and narrow palms."""
    breadth = rng.normal(1, 0.08, (n, 1, 1))
    fingers = rng.normal(1, 0.07, (n, 1, 1)) * rng.normal(1, 0.03, (n, 4, 1))
    knuckles = _KNUCKLES + rng.normal(0, 0.15, (n, 4, 3))
    knuckles[:, :, 0] *= breadth[:, :, 0]
    return Build(
        knuckles=knuckles,
        phalanges=_PHALANGES * fingers * rng.normal(1, 0.03, (n, 4, 3)),
        fan=_FAN + rng.normal(0, 0.03, (n, 4)),
        thumb_base=_THUMB_BASE + rng.normal(0, 0.15, (n, 3)),
        thumb=_THUMB * rng.normal(1, 0.08, (n, 1)) * rng.normal(1, 0.04, (n, 3)),
    )


def bend_fingers(build: Build, bends: Array, spread: Array) -> Array:
    """The joints (n, 21, 3) of fingers bent by ``bends`` (n, 4, 3) and spread by (n, 4).

    The thumb's joints are left at its base; see ``point_thumb`` and ``reach_thumb``.
    """
    joints = np.zeros((len(bends), 21, 3))
    joints[:, 1:5] = build.thumb_base[:, None]
    # Bent knuckles lose their spread: the ligaments at their sides are tight in flexion.
    loose = np.cos(np.clip(bends[:, :, 0], 0, np.pi / 2) * 0.8)
    side = (build.fan + spread) * loose
    along = np.stack([np.sin(side), -np.cos(side), np.zeros_like(side)], axis=-1)
    palm = np.array([0.0, 0.0, -1.0])
    angle = np.cumsum(bends, axis=2)[..., None]
    steps = np.cos(angle) * along[:, :, None] + np.sin(angle) * palm
    chain = build.knuckles[:, :, None] + np.cumsum(steps * build.phalanges[..., None], axis=2)
    fingers = np.concatenate([build.knuckles[:, :, None], chain], axis=2)
    joints[:, 5:] = fingers.reshape(len(bends), 16, 3)
    return joints


def point_thumb(build: Build, joints: Array, swing: Array, lift: Array) -> None:
    """Lay the thumb's bones (in place) by angles (n, 3) each.

    ``swing`` turns a bone in the palm's plane from the fingers' direction (0) towards the thumb's
    side, ``lift`` raises it off that plane towards the palm's front.
    """
    steps = np.stack(
        [np.cos(lift) * np.sin(swing), -np.cos(lift) * np.cos(swing), -np.sin(lift)], axis=-1
    )
    chain = np.cumsum(steps * build.thumb[..., None], axis=1)
    joints[:, 2:5] = build.thumb_base[:, None] + chain


def reach_thumb(build: Build, joints: Array, target: Array) -> None:
    """Bend the thumb (in place) so that its tip comes to ``target`` (n, 3), or towards it.

    FABRIK (Aristidou & Lasenby, 2011) from the pose that ``joints`` holds; bones keep their length.
    """
    chain = joints[:, 1:5].copy()
    for _ in range(_REACH_ROUNDS):
        chain[:, 3] = target
        for i in (2, 1, 0):
            chain[:, i] = _along(chain[:, i + 1], chain[:, i], build.thumb[:, i])
        chain[:, 0] = build.thumb_base
        for i in (1, 2, 3):
            chain[:, i] = _along(chain[:, i - 1], chain[:, i], build.thumb[:, i - 1])
    joints[:, 1:5] = chain


def _along(origin: Array, towards: Array, length: Array) -> Array:
    way = towards - origin
    norm = np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-6)
    return np.asarray(origin + way / norm * length[:, None])


def turn(joints: Array, roll: Array, yaw: Array, pitch: Array, tilt: Array) -> Array:
    """``joints`` turned: ``roll`` in the palm's plane first, then ``yaw`` about the picture's
    vertical, ``pitch`` about its horizontal and ``tilt`` in the picture; angles (n,), clockwise as
    the camera sees it."""
    turned = _rotate(joints, roll, 0, 1)
    turned = _rotate(turned, yaw, 2, 0)
    turned = _rotate(turned, pitch, 1, 2)
    return _rotate(turned, tilt, 0, 1)


def _rotate(points: Array, angle: Array, a: int, b: int) -> Array:
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    out = points.copy()
    out[:, :, a] = cos * points[:, :, a] - sin * points[:, :, b]
    out[:, :, b] = sin * points[:, :, a] + cos * points[:, :, b]
    return out


def project(joints: Array, distance: Array) -> Array:
    """What a pinhole camera ``distance`` (n,) centimetres from the wrist sees of ``joints``.

    x and y shrink with depth; z stays, relative to the wrist, as the model reports it.
    """
    depth = distance[:, None] + joints[:, :, 2] - joints[:, :1, 2]
    scale = distance[:, None] / np.maximum(depth, 5.0)
    return np.stack(
        [joints[:, :, 0] * scale, joints[:, :, 1] * scale, joints[:, :, 2] - joints[:, :1, 2]],
        axis=-1,
    )
