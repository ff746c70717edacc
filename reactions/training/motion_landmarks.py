"""A mannequin's own joints as landmarks, without drawing it: what cameras and models make of them.

Hands are the projected joints; the mesh of the face is an ellipsoid, but for the points that turns,
mouth, brows and lids are read from, which are at the painted face's places.
"""

from dataclasses import dataclass
from math import cos, dist, pi, sin
from typing import Final

import numpy as np
import numpy.typing as npt

from reactions.gestures.expressions import (
    BROWS,
    EYES,
    FOREHEAD,
    LIDS,
    LIP_CORNERS,
    LIPS_INNER,
    NOSE_BASE,
    NOSE_BRIDGE,
    TEMPLES,
)
from reactions.gestures.motion import palm_length
from reactions.gestures.pair_seen import MERGED
from reactions.landmark_types import Face, Hand, Observation, Side
from reactions.mannequin.pose import FacePose, Pose
from reactions.mannequin.scene import Scene, SceneCamera
from reactions.mannequin.skeleton import HEAD_SIZE, pose_skeleton
from reactions.training.synthetic import jitter

WIDTH: Final = 640
HEIGHT: Final = 360
_POINTS: Final = 468
_CHIN: Final = 152
_PALM: Final = [0, 5, 9, 13, 17]
_MERGES: Final = 0.5
"""How often one of two hands that are as near as ``2 * MERGED`` palm lengths is found."""
_OPENING: Final = 3.2
"""Centimetres between the lips of a mouth that is open by 1."""

Mesh = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MannequinBuild:
    """How one mannequin differs from others as models see it."""

    shoulders: float = 1.0
    depth: float = 1.0
    """Of the mesh, against the true one: the model guesses it."""
    forehead: float = 0.0
    """Centimetres that the forehead is seen farther back: the offset of the pitch."""
    steady: float = 1.0
    """Jitter of the mesh, as a multiple of 1.2 degrees."""

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "MannequinBuild":
        """One at random."""
        shoulders, depth = float(rng.uniform(0.9, 1.1)), float(rng.uniform(0.75, 1.15))
        return cls(shoulders, depth, float(rng.normal(0, 1.2)), float(rng.uniform(0.4, 1.3)))


@dataclass(frozen=True, slots=True)
class Misses:
    """How often what is in the picture is not found, 0–1."""

    hand: float = 0.0
    face: float = 0.0


class MannequinTracker:
    """Sees one mannequin from one camera, with the errors of landmark models."""

    def __init__(
        self, build: MannequinBuild, scene: Scene, misses: Misses, rng: np.random.Generator
    ) -> None:
        self._build = build
        self._camera = SceneCamera.of(scene, WIDTH, HEIGHT)
        self._misses = misses
        self._rng = rng

    def see(self, pose: Pose, time: float) -> Observation:
        """What is found of ``pose``, ``time`` seconds into the stream."""
        joints = pose_skeleton(pose, self._build.shoulders)
        arms = ((joints.right.hand, Side.RIGHT), (joints.left.hand, Side.LEFT))
        hands = [hand for arm, side in arms if (hand := self._hand(arm, side)) is not None]
        if len(hands) == 2 and _near(*hands) and self._rng.random() < _MERGES:
            hands.pop(int(self._rng.integers(2)))
        face = None
        if self._rng.random() >= self._misses.face:
            axes = joints.head_axes @ self._wobble()
            mesh = face_mesh(pose.face, self._build) * HEAD_SIZE @ axes.T + joints.head
            face = self._face(mesh)
        return Observation(WIDTH, HEIGHT, time, tuple(hands), face)

    def _hand(self, joints: Mesh, side: Side) -> Hand | None:
        points = self._seen(joints)
        x, y = points[_PALM, :2].mean(axis=0).tolist()
        inside = 0 <= x <= WIDTH and 0 <= y <= HEIGHT
        if not inside or self._rng.random() < self._misses.hand:
            return None
        shaken = jitter(points[None].astype(np.float32), self._rng)[0]
        return Hand(shaken, side, 0.97, 0.97)

    def _face(self, mesh: Mesh) -> Face | None:
        points = self._seen(mesh)
        points[:, 2] *= self._build.depth
        x, y = points[:, :2].mean(axis=0).tolist()
        if not (0 <= x <= WIDTH and 0 <= y <= HEIGHT):
            return None
        width = float(np.ptp(points[:, 0]))
        points += self._rng.normal(0, 0.003 * width, points.shape)
        return Face(points.astype(np.float32), 0.99)

    def _seen(self, points: Mesh) -> Mesh:
        """(n, 3): pixels, z from the first point in the same unit, towards the camera negative."""
        seen = self._camera.project(points)
        depth = (seen[0, 2] - seen[:, 2]) * seen[:, 3]
        return np.column_stack([seen[:, :2], depth])

    def _wobble(self) -> Mesh:
        """A small turn of the head that it did not make."""
        a, b = np.radians(self._rng.normal(0, 1.2 * self._build.steady, 2)).tolist()
        turn = np.array([[cos(a), 0, -sin(a)], [0, 1, 0], [sin(a), 0, cos(a)]])
        nod = np.array([[1, 0, 0], [0, cos(b), -sin(b)], [0, sin(b), cos(b)]])
        return np.asarray(turn @ nod)


def _near(one: Hand, other: Hand) -> bool:
    middles = [hand.points[_PALM, :2].mean(axis=0).tolist() for hand in (one, other)]
    palms = (palm_length(one.points) + palm_length(other.points)) / 2
    return dist(*middles) < 2 * MERGED * palms


def face_mesh(face: FacePose, build: MannequinBuild) -> Mesh:
    """(468, 3): the mesh in the head's own axes (picture right, down, away), centimetres."""
    turns = np.arange(_POINTS) * (pi * (3 - 5**0.5))
    rise = np.linspace(-1, 1, _POINTS)
    around = np.sqrt(1 - rise**2)
    mesh = np.column_stack(
        [7.2 * around * np.cos(turns), 1.2 + 9.0 * rise, -7.5 * np.abs(around * np.sin(turns))]
    )
    mesh[FOREHEAD] = 0.0, -7.4, -6.6 + build.forehead
    mesh[NOSE_BRIDGE], mesh[NOSE_BASE] = (0.0, -0.4, -7.6), (0.0, 4.4, -8.0)
    mesh[_CHIN] = 0.0, 10.4 + 1.7 * face.mouth_open, -5.5
    lid = 0.55 * face.lids
    for side, temple, (outer, inner), (upper, lower), brow in zip(
        (-1.0, 1.0), TEMPLES, EYES, LIDS, BROWS, strict=True
    ):
        mesh[temple] = side * 7.2, 0.6, -1.0
        mesh[outer], mesh[inner] = (side * 4.9, -0.25, -5.9), (side * 1.5, -0.25, -6.8)
        mesh[upper], mesh[lower] = (side * 3.2, -0.25 - lid, -6.8), (side * 3.2, lid - 0.25, -6.8)
        mesh[brow] = side * 3.4, -2.3 - 0.6 * face.brows, -7.0
    wide, gap = 2.65 + 0.5 * face.smile, _OPENING * face.mouth_open
    low = 6.45 - 0.6 * face.smile
    mesh[LIP_CORNERS[0]], mesh[LIP_CORNERS[1]] = (-wide, low, -6.8), (wide, low, -6.8)
    mesh[LIPS_INNER[0]], mesh[LIPS_INNER[1]] = (0.0, 6.45, -7.5), (0.0, 6.45 + gap, -7.5)
    return mesh
