"""Painting in a body part's own centimetres: features stay put on the head however it turns."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Self

import numpy as np
import numpy.typing as npt

from reactions.mannequin.pose import Matrix
from reactions.mannequin.scene import SceneCamera
from reactions.mannequin.solids import Ball, Clay, Plane

Window = tuple[slice, slice]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A rigid part of the body: its origin in the picture and its axes towards the camera."""

    origin: Matrix
    """One row of ``Camera.project``."""
    axes: Matrix
    """Columns: the part's right, down and away axes in camera coordinates."""
    place: Matrix
    """The origin in body coordinates, cm."""
    body_axes: Matrix
    """The same columns in body coordinates."""
    camera: SceneCamera
    size: float = 1.0
    """Centimetres of the body to one of the part: a larger head keeps its proportions."""

    @classmethod
    def at(cls, place: Matrix, body_axes: Matrix, camera: SceneCamera, size: float = 1.0) -> Self:
        """The part at ``place`` with its axes along ``body_axes`` (body coordinates)."""
        axes = camera.view @ body_axes
        return cls(camera.project(place)[0], axes, place, body_axes, camera, size)

    @property
    def scale(self) -> float:
        """Pixels to one of the part's centimetres, at its origin."""
        return float(self.origin[3]) * self.size

    def project(self, points: npt.ArrayLike) -> Matrix:
        """Points in the part's centimetres as rows of ``Camera.project``."""
        local = np.atleast_2d(np.asarray(points, float))
        return self.camera.project(self.place + local @ self.body_axes.T * self.size)

    def ball(self, point: Sequence[float], radius: float) -> Ball:
        """A ball of ``radius`` (part centimetres) at ``point``."""
        return Ball.at(self.project(point)[0], radius * self.size)

    def ellipsoid(
        self, clay: Clay, point: Sequence[float], radii: Sequence[float], merge: float
    ) -> None:
        """Add an ellipsoid with half-axes ``radii`` along the part's axes to ``clay``."""
        half = np.array(radii) * self.size
        clay.ellipsoid(self.project(point)[0], self.axes, half, merge)

    def coordinates(self, clay: Clay) -> tuple[Plane, Plane, Plane]:
        """Where every pixel of ``clay`` lies in the part's centimetres."""
        x0, y0, h0, scale = (float(v) for v in self.origin)
        away = np.float32(h0) - clay.height
        distance = self.camera.focal / scale
        # Undo the perspective: what is nearer than the origin is seen larger.
        zoom = (away + np.float32(distance)) * np.float32(1 / (distance * scale))
        cx, cy = self.camera.center
        # A point p projects to centre + focal * p / depth; offsets are taken from the origin.
        x = (clay.x - np.float32(cx)) * zoom - np.float32((x0 - cx) / scale)
        y = (clay.y - np.float32(cy)) * zoom - np.float32((y0 - cy) / scale)
        a = (self.axes / self.size).astype(np.float32)
        u, v, w = (x * a[0, i] + y * a[1, i] + away * a[2, i] for i in range(3))
        return u, v, w

    def window(self, clay: Clay, corners: Sequence[Sequence[float]]) -> Window | None:
        """The pixels of ``clay`` around ``corners`` (part coordinates), or None outside it."""
        seen = self.project(corners)
        height, width = clay.height.shape
        x0 = max(floor(seen[:, 0].min() - 2) - clay.left, 0)
        x1 = min(ceil(seen[:, 0].max() + 2) - clay.left, width)
        y0 = max(floor(seen[:, 1].min() - 2) - clay.top, 0)
        y1 = min(ceil(seen[:, 1].max() + 2) - clay.top, height)
        return (slice(y0, y1), slice(x0, x1)) if x1 > x0 and y1 > y0 else None


def mix(albedo: Plane, colour: Sequence[float], alpha: Plane | float) -> None:
    """Paint ``colour`` over ``albedo`` (3, h, w) in place."""
    for c in range(3):
        albedo[c] += (np.float32(colour[c]) - albedo[c]) * alpha


def inside(distance: Plane, pixel: float) -> Plane:
    """Coverage 0–1 of a shape from the distance inside its edge; ``pixel`` in the same unit."""
    alpha: Plane = distance * np.float32(1 / (1.2 * pixel))
    alpha += np.float32(0.5)
    return np.clip(alpha, 0, 1, out=alpha)


def toned(colour: Sequence[float], factor: float) -> tuple[float, float, float]:
    """``colour`` made lighter or darker by a factor."""
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def between(a: Sequence[float], b: Sequence[float], w: float) -> tuple[float, float, float]:
    """The colour a fraction ``w`` of the way from ``a`` to ``b``."""
    r, g, blue = (p + (q - p) * w for p, q in zip(a, b, strict=True))
    return r, g, blue
