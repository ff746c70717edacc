"""Where a mannequin is seen: camera, light and what is behind it."""

from dataclasses import dataclass
from enum import StrEnum
from math import cos, radians, sin

import numpy as np

from reactions.mannequin.pose import Matrix, Vector
from reactions.mannequin.things import PlacedThing, TableTop

NEAR, MEDIUM, FAR = 64.0, 80.0, 100.0
"""SceneCamera distances in cm: leaning in, at a desk, leaning back."""

_FOCAL = 0.78
"""Focal length in picture widths: a webcam with a horizontal field of view of 65°."""
_TARGET = np.array([0.0, -11.0, 0.0])
"""What the camera looks at, below the chin, in cm from the middle of the shoulder line."""


class Background(StrEnum):
    """What is behind the person."""

    WALL = "wall"
    STUDY = "study"
    LOUNGE = "lounge"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Scene:
    """SceneCamera, light and background."""

    yaw: float = 0.0
    """The camera's way around the person, degrees; positive sees more of their left side."""
    pitch: float = 0.0
    """The camera's height, degrees above the eyes' level."""
    distance: float = MEDIUM
    """cm."""
    light: float = 1.0
    """Strength of the key light; 1 is a well-lit room."""
    light_from: Vector = (-0.5, 0.62, 0.6)
    """Direction of the key light: picture right, up, towards the camera."""
    background: Background = Background.STUDY
    noise: float = 2.0
    """Standard deviation of the sensor's noise, grey levels."""
    room: int | None = None
    """Draws a room at random, another for each number, in place of ``background``."""
    table: TableTop | None = None
    things: tuple[PlacedThing, ...] = ()
    """What stands or lies about, before and behind the person."""


@dataclass(frozen=True, slots=True, eq=False)
class SceneCamera:
    """Projects body coordinates (cm: x picture right, y down, z away) into the picture."""

    view: Matrix
    distance: float
    focal: float
    """Pixels."""
    center: tuple[float, float]

    @classmethod
    def of(cls, scene: Scene, width: int, height: int) -> "SceneCamera":
        """The camera of ``scene`` for a picture of ``width`` x ``height`` pixels."""
        yaw, pitch = radians(scene.yaw), radians(scene.pitch)
        around = np.array([[cos(yaw), 0, sin(yaw)], [0, 1, 0], [-sin(yaw), 0, cos(yaw)]])
        above = np.array([[1, 0, 0], [0, cos(pitch), -sin(pitch)], [0, sin(pitch), cos(pitch)]])
        focal = _FOCAL * max(width, height * 16 / 9)
        return cls(above @ around, scene.distance, focal, (width / 2, height / 2))

    def eye(self) -> Matrix:
        """Where the camera stands, body coordinates."""
        place: Matrix = _TARGET - self.view.T @ np.array([0.0, 0.0, self.distance])
        return place

    def unproject(self, x: float, y: float, distance: float) -> Matrix:
        """(3,): the body point seen at pixel (``x``, ``y``), ``distance`` cm along the view."""
        ray = np.array([x - self.center[0], y - self.center[1], self.focal]) / self.focal
        place: Matrix = _TARGET + self.view.T @ (ray * distance - (0, 0, self.distance))
        return place

    def turned(self, direction: Matrix) -> Matrix:
        """(3,): a direction in body coordinates as picture right, down and towards the camera."""
        seen: Matrix = self.view @ direction * (1.0, 1.0, -1.0)
        return seen

    def project(self, points: Matrix) -> Matrix:
        """(n, 3) body points as (n, 4): x and y in pixels, height towards the camera in cm, and
        pixels a cm there."""
        seen = (np.atleast_2d(points) - _TARGET) @ self.view.T
        scale = self.focal / (seen[:, 2] + self.distance)
        out = np.empty((len(seen), 4))
        out[:, 0] = seen[:, 0] * scale + self.center[0]
        out[:, 1] = seen[:, 1] * scale + self.center[1]
        out[:, 2] = -seen[:, 2]
        out[:, 3] = scale
        return out
