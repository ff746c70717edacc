"""Soft solids: capsules and ellipsoids merged into one height field, then shaded as a whole.

A ``Clay`` is a small window of the picture. Every solid adds, per pixel, its height towards the
camera, its normal and how much of the pixel it covers; neighbours merge smoothly, so a palm made
of four capsules has no seams. Only the pixels of a solid's own box are touched.
"""

from dataclasses import dataclass
from math import ceil, floor, hypot, sqrt
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reactions.mannequin.pose import Matrix

Plane: TypeAlias = npt.NDArray[np.floating]
"""(h, w), float32 (numpy's annotations lose the width in mixed arithmetic)."""

_SOFT = 1.3
"""Width of a silhouette's soft edge, pixels: anti-aliasing and a webcam's lens in one."""
_BORDER = 1.1
"""How sharply one side's tone ends: over 54° of the surface's turn."""
_EMPTY = np.float32(-1e4)
NX, NY, TONE, COVER = range(4)
"""Layers of a window: the normal's x and y and the painter's tone, all times the cover."""


@dataclass(frozen=True, slots=True)
class Ball:
    """A sphere in the picture: centre and radius in pixels, height and scale (pixels a cm)."""

    x: float
    y: float
    height: float
    scale: float
    radius: float

    @classmethod
    def at(cls, projected: Matrix, radius_cm: float) -> "Ball":
        """A ball of ``radius_cm`` at one row of ``Camera.project``."""
        x, y, height, scale = (float(v) for v in projected)
        return cls(x, y, height, scale, radius_cm * scale)


class Clay:
    """A window at (``left``, ``top``) in which solids merge."""

    def __init__(self, left: int, top: int, width: int, height: int) -> None:
        self.left, self.top = left, top
        self.height = np.full((height, width), _EMPTY, np.float32)
        self.layers = np.zeros((4, height, width), np.float32)
        self.x = np.arange(left, left + width, dtype=np.float32) + np.float32(0.5)
        self.y = (np.arange(top, top + height, dtype=np.float32) + np.float32(0.5))[:, None]

    @classmethod
    def around(
        cls, boxes: list[tuple[float, float, float, float]], width: int, height: int
    ) -> "Clay | None":
        """A window around ``boxes`` (left, top, right, bottom) in the picture; None if unseen."""
        left = max(floor(min(b[0] for b in boxes)) - 2, 0)
        top = max(floor(min(b[1] for b in boxes)) - 2, 0)
        right = min(ceil(max(b[2] for b in boxes)) + 2, width)
        bottom = min(ceil(max(b[3] for b in boxes)) + 2, height)
        if right - left < 2 or bottom - top < 2:
            return None
        return cls(left, top, right - left, bottom - top)

    def cropped(self) -> "Clay":
        """This window cut down to what covers anything (views, not copies)."""
        seen = self.layers[COVER] > 0
        rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
        if not rows.size:
            return self
        y0, y1, x0, x1 = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
        part = object.__new__(Clay)
        part.left, part.top = self.left + x0, self.top + y0
        part.height = self.height[y0:y1, x0:x1]
        part.layers = self.layers[:, y0:y1, x0:x1]
        part.x, part.y = self.x[x0:x1], self.y[y0:y1]
        return part

    def facing(self) -> Plane:
        """The normal's third part, towards the camera, times the cover."""
        rest = self.layers[COVER] * self.layers[COVER]
        rest -= self.layers[NX] * self.layers[NX]
        rest -= self.layers[NY] * self.layers[NY]
        np.maximum(rest, 0, out=rest)
        depth: Plane = np.sqrt(rest, out=rest)
        return depth

    def capsule(
        self, a: Ball, b: Ball, merge: float = 0.25, tone: float = 1.0, side: Matrix | None = None
    ) -> None:
        """Add the hull of two balls. ``merge`` is the reach of the smooth union in cm; ``tone`` is
        carried along for the painter, on that half alone which looks along ``side``, where given:
        a unit vector (picture right, down, towards the camera)."""
        length = hypot(b.x - a.x, b.y - a.y)
        if length <= abs(a.radius - b.radius) + 0.3:
            near = max(a, b, key=lambda ball: ball.radius + ball.height * 1e-3)
            self._ball(near, merge, tone, side)
            return
        box = self._box(
            min(a.x - a.radius, b.x - b.radius),
            min(a.y - a.radius, b.y - b.radius),
            max(a.x + a.radius, b.x + b.radius),
            max(a.y + a.radius, b.y + b.radius),
        )
        if box is None:
            return
        ux, uy = np.float32((b.x - a.x) / length), np.float32((b.y - a.y) / length)
        dx, dy = self.x[box[1]] - np.float32(a.x), self.y[box[0]] - np.float32(a.y)
        along, across = dx * ux + dy * uy, dy * ux - dx * uy
        center, radius, off, cover = _along_axis(along, across, a, b, length)
        scale = (a.scale + b.scale) / 2
        up = np.reciprocal(radius)
        off *= up
        across *= up
        np.multiply(off, off, out=up)
        up += across * across
        np.subtract(1, up, out=up)
        np.maximum(up, 0, out=up)
        np.sqrt(up, out=up)
        center *= np.float32((b.height - a.height) / length)
        center += np.float32(a.height)
        up *= radius
        up *= np.float32(1 / scale)
        center += up
        new = np.empty((4, *cover.shape), np.float32)
        np.subtract(off * ux, across * uy, out=new[NX])
        np.add(off * uy, across * ux, out=new[NY])
        _tone(new, tone, side)
        self._merge(box, new, center, cover, merge)

    def _ball(self, ball: Ball, merge: float, tone: float, side: Matrix | None) -> None:
        box = self._box(
            ball.x - ball.radius, ball.y - ball.radius, ball.x + ball.radius, ball.y + ball.radius
        )
        if box is None:
            return
        inverse = np.float32(1 / ball.radius)
        dx = (self.x[box[1]] - np.float32(ball.x)) * inverse
        dy = (self.y[box[0]] - np.float32(ball.y)) * inverse
        square = dx * dx + dy * dy
        height = np.sqrt(np.maximum(1 - square, 0))
        height *= np.float32(ball.radius / ball.scale)
        height += np.float32(ball.height)
        new = np.empty((4, *square.shape), np.float32)
        new[NX], new[NY] = dx, dy
        _tone(new, tone, side)
        cover = np.sqrt(square, out=square)
        np.subtract(1, cover, out=cover)
        cover *= np.float32(ball.radius)
        self._merge(box, new, height, cover, merge)

    def ellipsoid(
        self, center: Matrix, axes: Matrix, radii: Matrix, merge: float = 0.4, tone: float = 1.0
    ) -> None:
        """Add an ellipsoid at ``center`` (a row of ``Camera.project``) with half-axes ``radii`` in
        cm along the columns of ``axes`` (camera coordinates)."""
        cx, cy, cz, scale = (float(v) for v in center)
        # Rows of ``m`` take (x, y, height) in pixels to the unit sphere.
        m = (axes / (np.asarray(radii) * scale)).T * np.array([1.0, 1.0, -1.0])
        n = np.linalg.inv(m)
        half = np.sqrt((n * n).sum(axis=1))
        box = self._box(cx - half[0], cy - half[1], cx + half[0], cy + half[1])
        if box is None:
            return
        x = self.x[box[1]] - np.float32(cx)
        y = self.y[box[0]] - np.float32(cy)
        k = (m.T @ m).astype(np.float32)
        a = k[2, 2]
        b = x * k[0, 2] + y * k[1, 2]
        c = x * x * k[0, 0] + y * y * k[1, 1] + (x * (2 * k[0, 1])) * y
        silhouette = np.maximum(c - b * b / a, np.float32(1e-6))
        root = np.sqrt(silhouette)
        cover = (1 / root - 1) * np.sqrt(x * x + y * y + np.float32(1e-3))
        z = (np.sqrt(np.maximum(a * (1 - silhouette), 0)) - b) / a
        # The gradient of |m p|² is 2 mᵀ m p.
        gx, gy, gz = (x * k[i, 0] + (y * k[i, 1] + z * k[i, 2]) for i in range(3))
        steep = 1 / np.sqrt(gx * gx + gy * gy + gz * gz + np.float32(1e-9))
        new = np.empty((4, *z.shape), np.float32)
        np.multiply(gx, steep, out=new[NX])
        np.multiply(gy, steep, out=new[NY])
        new[TONE] = tone
        self._merge(box, new, z * np.float32(1 / scale) + np.float32(cz), cover, merge)

    def _box(
        self, left: float, top: float, right: float, bottom: float
    ) -> tuple[slice, slice] | None:
        height, width = self.height.shape
        x0 = max(floor(left - 1) - self.left, 0)
        x1 = min(ceil(right + 1) - self.left, width)
        y0 = max(floor(top - 1) - self.top, 0)
        y1 = min(ceil(bottom + 1) - self.top, height)
        return (slice(y0, y1), slice(x0, x1)) if x1 > x0 and y1 > y0 else None

    def _merge(
        self, box: tuple[slice, slice], new: Plane, height: Plane, cover: Plane, merge: float
    ) -> None:
        """Blend ``new`` into the window: in front where it is higher, filling what is bare."""
        cover *= np.float32(1 / _SOFT)
        cover += np.float32(0.5)
        _limit(cover)
        old = self.height[box]
        layers = self.layers[:, box[0], box[1]]
        height -= old
        front = height * np.float32(0.5 / max(merge, 0.02))
        front += np.float32(0.5)
        _limit(front)
        # The smooth maximum bulges where both surfaces meet (polynomial smooth union).
        height *= front
        share = front * (1 - front)
        share *= np.float32(merge)
        height += share
        height += old
        np.copyto(old, height, where=cover > 0.5)
        # Smoothstep: a linear blend of normals shows as a line where it begins.
        np.multiply(front, np.float32(-2), out=share)
        share += 3
        share *= front
        share *= front
        share *= cover
        cover -= share
        cover *= 1 - layers[COVER]
        layers *= 1 - share
        share += cover
        new[COVER] = 1
        new *= share
        layers += new


def _along_axis(
    along: Plane, across: Plane, a: Ball, b: Ball, length: float
) -> tuple[Plane, Plane, Plane, Plane]:
    """For pixels in a capsule's own axes: which point of its axis they show (pixels from ``a``),
    the radius there, how far along they are from it, and how deep inside the outline (pixels)."""
    taper = (a.radius - b.radius) / length
    slope, top, start = np.float32(-taper), np.float32(length), np.float32(a.radius)
    # The outline's normal leans by the taper: its foot on the axis is a little farther along.
    open_ended = np.abs(across)
    open_ended *= np.float32(-taper / sqrt(1 - taper * taper))
    open_ended += along
    center = np.minimum(np.maximum(open_ended, 0), top)
    radius = center * slope
    radius += start
    off = along - center
    square = across * across
    cover = off * off
    cover += square
    np.sqrt(cover, out=cover)
    np.subtract(radius, cover, out=cover)
    tilt = (b.height - a.height) * (a.scale + b.scale) / 2 / length
    if abs(tilt) > 0.15:
        # A swept sphere that climbs towards the camera is seen a little farther along.
        np.multiply(radius, radius, out=radius)
        radius -= square
        np.maximum(radius, 0, out=radius)
        np.sqrt(radius, out=radius)
        radius *= np.float32(tilt / sqrt(1 + tilt * tilt))
        open_ended += radius
        np.maximum(open_ended, 0, out=open_ended)
        np.minimum(open_ended, top, out=center)
        np.multiply(center, slope, out=radius)
        radius += start
        np.subtract(along, center, out=off)
    return center, radius, off, cover


def _tone(layers: Plane, tone: float, side: Matrix | None) -> None:
    """Set the tone of a solid whose normals are given: all of it, or the half along ``side``."""
    layers[TONE] = tone
    if side is None:
        return
    away = layers[NX] * layers[NX] + layers[NY] * layers[NY]
    facing = np.sqrt(np.maximum(1 - away, 0))
    w = layers[NX] * np.float32(side[0])
    w += layers[NY] * np.float32(side[1])
    w += facing * np.float32(side[2])
    w *= np.float32(_BORDER)
    w += np.float32(0.5)
    _limit(w)
    layers[TONE] *= w * w * (3 - 2 * w)


def _limit(plane: Plane) -> None:
    """Clip to 0–1 in place (``np.clip`` costs more than both on small windows)."""
    np.maximum(plane, 0, out=plane)
    np.minimum(plane, 1, out=plane)
