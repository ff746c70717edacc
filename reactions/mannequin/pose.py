"""What a mannequin does at one moment: two arms with hands, a head and a face, as plain numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from math import acos, sin, sqrt
from typing import Self, TypeAlias

import numpy as np
import numpy.typing as npt

from reactions.mannequin.hand import FingerPose, HandShape, Thumb, blend_shapes
from reactions.mannequin.things import Thing

Vector: TypeAlias = tuple[float, float, float]
Quaternion: TypeAlias = tuple[float, float, float, float]
Matrix: TypeAlias = npt.NDArray[np.float64]

RELAXED = HandShape(
    Thumb((38, 28), (22, 26), (12, 24)),
    FingerPose(22, 28, 14),
    FingerPose(26, 32, 16),
    FingerPose(30, 34, 18),
    FingerPose(32, 34, 18),
)


def facing(fingers: Vector, palm: Vector) -> Quaternion:
    """The turn of a hand whose fingers point along ``fingers`` and whose palm faces ``palm``.

    Both are (inwards, up, towards the camera) for either hand; ``palm`` is squared to ``fingers``.
    Raises ValueError for parallel directions.
    """
    along = _unit([fingers[0], -fingers[1], -fingers[2]])
    front = np.array([palm[0], -palm[1], -palm[2]], dtype=float)
    front -= along * float(front @ along)
    if float(front @ front) < 1e-9:
        raise ValueError(f"fingers {fingers} and palm {palm} must not be parallel")
    front = _unit(front)
    # The frame of hand.py: its y axis is minus the fingers, its z axis minus the palm's front.
    y, z = -along, -front
    return _quaternion(np.column_stack([np.cross(y, z), y, z]))


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm: where its wrist is and how its hand is turned; the elbow follows.

    Numbers are the same for the left and the right arm (outwards, not leftwards).
    """

    wrist: Vector = (17.0, -43.0, 20.0)
    """Outwards, up and towards the camera from the middle of the shoulder line, cm."""
    turn: Quaternion = field(default_factory=lambda: facing((0.2, -0.6, 1), (0, -1, -0.6)))
    """See ``facing``."""
    shape: HandShape = RELAXED
    swivel: float = 0.0
    """Turn of the elbow about the line from shoulder to wrist, degrees; outwards positive."""


@dataclass(frozen=True, slots=True)
class FacePose:
    """The painted face. All 0 is a calm look straight into the camera."""

    mouth_open: float = 0.0
    """0 closed – 1 wide open."""
    smile: float = 0.0
    """-1 corners down – 1 broad smile."""
    round: float = 0.0
    """1 draws the lips together to an O."""
    brows: float = 0.0
    """-1 furrowed – 1 raised."""
    lids: float = 1.0
    """0 closed – 1 open – 1.3 wide."""
    wink: float = 0.0
    """1 the right eye shut – -1 the left one."""
    gaze: tuple[float, float] = (0.0, 0.0)
    """Right in the picture and down, -1–1."""


@dataclass(frozen=True, slots=True)
class Pose:
    """One pose of the whole person. "Left" and "right" are the person's own."""

    face: FacePose = FacePose()
    right: Arm = field(default_factory=Arm)
    left: Arm = field(default_factory=Arm)
    head: Vector = (0.0, 0.0, 0.0)
    """Yaw (to the picture's right), pitch (down) and roll (to the picture's right), degrees."""
    holds: Thing | None = None
    """What is in the right hand."""
    holds_left: Thing | None = None
    lean: Vector = (0.0, 0.0, 0.0)
    """Offset of the upper body: picture right, up, towards the camera, cm."""

    def mirrored(self) -> Self:
        """The same pose with left and right exchanged."""
        yaw, pitch, roll = self.head
        x, y, z = self.lean
        gaze = (-self.face.gaze[0], self.face.gaze[1])
        return replace(
            self,
            face=replace(self.face, gaze=gaze, wink=-self.face.wink),
            right=self.left,
            left=self.right,
            head=(-yaw, pitch, -roll),
            lean=(-x, y, z),
            holds=self.holds_left,
            holds_left=self.holds,
        )


def blend_poses(a: Pose, b: Pose, w: float) -> Pose:
    """The pose a fraction ``w`` (0–1) of the way from ``a`` to ``b``, in joint space."""
    if w <= 0:
        return a
    if w >= 1:
        return b
    return Pose(
        face=_blend_faces(a.face, b.face, w),
        right=_blend_arms(a.right, b.right, w),
        left=_blend_arms(a.left, b.left, w),
        head=_mix(a.head, b.head, w),
        lean=_mix(a.lean, b.lean, w),
        holds=a.holds or b.holds,
        holds_left=a.holds_left or b.holds_left,
    )


def matrix(turn: Quaternion) -> Matrix:
    """The 3x3 rotation of a unit quaternion (w, x, y, z)."""
    w, x, y, z = turn
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def slerp(a: Quaternion, b: Quaternion, w: float) -> Quaternion:
    """The turn a fraction ``w`` of the shorter way from ``a`` to ``b`` (Shoemake 1985)."""
    dot = sum(p * q for p, q in zip(a, b, strict=True))
    sign = 1.0 if dot >= 0 else -1.0
    dot = min(abs(dot), 1.0)
    angle = acos(dot)
    if angle < 1e-4:
        u, v = 1 - w, w
    else:
        u, v = sin((1 - w) * angle) / sin(angle), sin(w * angle) / sin(angle)
    mixed = [u * p + sign * v * q for p, q in zip(a, b, strict=True)]
    norm = sqrt(sum(q * q for q in mixed))
    return mixed[0] / norm, mixed[1] / norm, mixed[2] / norm, mixed[3] / norm


def _blend_faces(a: FacePose, b: FacePose, w: float) -> FacePose:
    plain = {
        f.name: getattr(a, f.name) + (getattr(b, f.name) - getattr(a, f.name)) * w
        for f in fields(FacePose)
        if f.name != "gaze"
    }
    gaze = (
        a.gaze[0] + (b.gaze[0] - a.gaze[0]) * w,
        a.gaze[1] + (b.gaze[1] - a.gaze[1]) * w,
    )
    return FacePose(gaze=gaze, **plain)


def _blend_arms(a: Arm, b: Arm, w: float) -> Arm:
    return Arm(
        wrist=_mix(a.wrist, b.wrist, w),
        turn=slerp(a.turn, b.turn, w),
        shape=blend_shapes(a.shape, b.shape, w),
        swivel=a.swivel + (b.swivel - a.swivel) * w,
    )


def _mix(a: Vector, b: Vector, w: float) -> Vector:
    return a[0] + (b[0] - a[0]) * w, a[1] + (b[1] - a[1]) * w, a[2] + (b[2] - a[2]) * w


def _unit(v: Sequence[float] | Matrix) -> Matrix:
    array = np.asarray(v, dtype=float)
    unit: Matrix = array / np.linalg.norm(array)
    return unit


def _quaternion(m: Matrix) -> Quaternion:
    # Shepperd's method: divide by the largest component.
    squares = [
        1 + m[0, 0] + m[1, 1] + m[2, 2],
        1 + m[0, 0] - m[1, 1] - m[2, 2],
        1 - m[0, 0] + m[1, 1] - m[2, 2],
        1 - m[0, 0] - m[1, 1] + m[2, 2],
    ]
    best = int(np.argmax(squares))
    twice = sqrt(squares[best])
    k = 0.5 / twice
    sums = (m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1])
    crosses = (m[0, 1] + m[1, 0], m[0, 2] + m[2, 0], m[1, 2] + m[2, 1])
    rows = (
        (0.5 * twice, sums[0] * k, sums[1] * k, sums[2] * k),
        (sums[0] * k, 0.5 * twice, crosses[0] * k, crosses[1] * k),
        (sums[1] * k, crosses[0] * k, 0.5 * twice, crosses[2] * k),
        (sums[2] * k, crosses[1] * k, crosses[2] * k, 0.5 * twice),
    )
    w, x, y, z = (float(q) for q in rows[best])
    return w, x, y, z
