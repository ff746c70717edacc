"""The picture being painted: shading of finished clay, depth, shadows and fine strokes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reactions.mannequin.object_trace import ObjectTrace
from reactions.mannequin.scene import Scene
from reactions.mannequin.solids import COVER, NX, NY, Clay, Plane

Colour: TypeAlias = tuple[float, float, float]
"""RGB, 0–255."""

_FAR = np.float32(-1e4)


@dataclass(frozen=True, slots=True)
class Material:
    """How a surface answers light: factors on its colour in full shadow and in full light."""

    shadow: Colour
    light: Colour
    rim: float = 0.0
    """Strength of the bright edge on the side away from the key light."""
    gloss: float = 0.0
    """Strength of the highlight."""
    crease: float = 0.5
    """How dark a fold gets, 0–1."""


CLOTH = Material((0.42, 0.42, 0.52), (1.08, 1.06, 1.02), rim=0.16, crease=0.35)
HAIR = Material((0.40, 0.38, 0.46), (1.12, 1.08, 1.04), rim=0.35, gloss=0.10, crease=0.40)


def skin_material(colour: Colour) -> Material:
    """Skin: dark skin shows its form by highlights, fair skin by shadows.

    A camera exposes for the face: very dark skin comes out lighter than its tone, and warmer.
    """
    dark = 1 - sum(colour) / 765
    deep = max(dark - 0.5, 0)
    lift = 0.62 * deep + 3.5 * deep**3
    return Material(
        (0.52 + lift, 0.40 + lift, 0.40 + lift),
        (1.10 + 3.0 * lift, 1.05 + 2.0 * lift, 1.00 + 1.4 * lift),
        rim=0.20,
        gloss=0.03 + 0.24 * dark**3,
        crease=0.45,
    )


class RasterCanvas:
    """Planar float RGB (3, height, width) with a height for every pixel."""

    def __init__(self, background: Plane, scene: Scene, trace: ObjectTrace | None = None) -> None:
        """``trace`` is asked to follow what is laid, for true boxes."""
        self.rgb = background.copy()
        self._trace = trace
        self.depth = np.full(background.shape[1:], _FAR, np.float32)
        direction = np.array(scene.light_from) * np.array([1, -1, 1])
        self._key = (direction / np.linalg.norm(direction)).astype(np.float32)
        self._strength = scene.light

    @property
    def width(self) -> int:
        return int(self.rgb.shape[2])

    @property
    def height(self) -> int:
        return int(self.rgb.shape[1])

    def lay(
        self,
        clay: Clay,
        albedo: Plane,
        material: Material,
        *,
        shadow: float = 0.0,
        mask: Plane | None = None,
        fold: float = 0.3,
        sink: float = 0.0,
        alpha: Plane | float = 1.0,
    ) -> None:
        """Shade ``clay`` (cropped) and put it into the picture where nothing nearer is.

        ``albedo`` is (3, h, w) or (3, 1, 1); ``shadow`` darkens what lies close behind; ``mask``
        (0–1) cuts parts away; ``fold`` is the reach in cm of the darkening in creases; ``sink``
        puts all of it that many cm farther back; ``alpha`` (0–1) lets what is behind through.
        """
        box = self._box(clay)
        cover = clay.layers[COVER]
        if mask is not None:
            cover = cover * mask
        if shadow:
            self._cast(clay, cover, box, shadow)
        depth = self.depth[box]
        front = (clay.height - depth) * np.float32(1.6)
        front += np.float32(0.5 - 1.6 * sink)
        np.clip(front, 0, 1, out=front)
        front *= cover
        solid = front > 0.5
        if self._trace is not None:
            self._trace.lay(box, cover > 0.5, solid)
        front *= alpha
        self._shade(clay, albedo, material, front, fold)
        np.copyto(depth, clay.height - np.float32(sink), where=solid)

    def _shade(
        self, clay: Clay, albedo: Plane, material: Material, front: Plane, fold: float
    ) -> None:
        """Mix the lit surface into the picture, as much of each pixel as ``front`` says (0–1)."""
        facing = clay.facing()
        light = self._light(clay, facing)
        light *= 1 - material.crease * _creases(clay.height, fold)
        bare = 1 - front
        sheen = self._sheen(clay, facing, material)
        box = self._box(clay)
        rgb = self.rgb[:, box[0], box[1]]
        low, high = material.shadow, material.light
        for c in range(3):
            shade = light * np.float32(high[c] - low[c])
            shade += np.float32(low[c] * min(self._strength, 1.0))
            shade *= albedo[c]
            shade += sheen
            shade *= front
            rgb[c] *= bare
            rgb[c] += shade

    def stroke(
        self,
        points: npt.ArrayLike,
        width: float,
        colour: Colour,
        strength: float,
        height: float,
        reach: float = 1.6,
    ) -> None:
        """A soft line through ``points`` (n, 2), in pixels, on surfaces within ``reach`` cm of
        ``height``."""
        p = np.asarray(points, np.float32)
        half = width / 2
        left, top = np.floor(p.min(axis=0) - half - 1.5).astype(int)
        right, bottom = np.ceil(p.max(axis=0) + half + 1.5).astype(int)
        x0, y0 = max(left, 0), max(top, 0)
        x1, y1 = min(right, self.width), min(bottom, self.height)
        if x1 <= x0 or y1 <= y0:
            return
        x = np.arange(x0, x1, dtype=np.float32) + np.float32(0.5)
        y = (np.arange(y0, y1, dtype=np.float32) + np.float32(0.5))[:, None]
        near = polyline_distance(x, y, p)
        alpha = np.clip(half + 0.5 - near, 0, 1) * np.float32(strength * min(width, 1.0))
        alpha *= np.abs(self.depth[y0:y1, x0:x1] - np.float32(height)) < np.float32(reach)
        if self._trace is not None:
            drawn = alpha > 0.3
            self._trace.lay((slice(y0, y1), slice(x0, x1)), drawn, drawn)
        rgb = self.rgb[:, y0:y1, x0:x1]
        for c in range(3):
            rgb[c] += (np.float32(colour[c]) - rgb[c]) * alpha

    def finish(self, noise: Plane | None) -> npt.NDArray[np.uint8]:
        """The picture as (height, width, 3) uint8, with sensor noise (height, width) added."""
        out = np.empty((self.height, self.width, 3), np.uint8)
        if noise is not None:
            self.rgb += noise
        np.clip(self.rgb, 0, 255, out=self.rgb)
        for c in range(3):
            out[..., c] = self.rgb[c]
        return out

    def _box(self, clay: Clay) -> tuple[slice, slice]:
        height, width = clay.height.shape
        return slice(clay.top, clay.top + height), slice(clay.left, clay.left + width)

    def _light(self, clay: Clay, facing: Plane) -> Plane:
        """Wrapped Lambert plus a soft highlight, about 0 (shadow) to 1 (lit)."""
        layers = clay.layers
        kx, ky, kz = self._key
        light: Plane = layers[NX] * kx
        light += layers[NY] * ky
        light += facing * kz
        light *= np.float32(0.78)
        light += np.float32(0.22)
        np.clip(light, 0, 1, out=light)
        # Light from the sky and the screen keeps the shadow side readable.
        light *= np.float32(0.80 * self._strength)
        light += facing * np.float32(0.16 * self._strength)
        return light

    def _sheen(self, clay: Clay, facing: Plane, material: Material) -> Plane:
        """What is added to every colour: the bright rim and the highlight, grey levels."""
        layers = clay.layers
        edge: Plane = 1 - facing
        edge *= edge
        edge *= edge
        side = layers[NX] * -np.sign(self._key[0]) - layers[NY] * np.float32(0.35)
        np.clip(side, 0, 1, out=side)
        edge *= side
        edge *= np.float32(255 * material.rim * self._strength)
        if material.gloss:
            # Blinn's halfway vector between the light and a viewer straight ahead.
            half = self._key + np.array([0, 0, 1], np.float32)
            half /= np.linalg.norm(half)
            spot = layers[NX] * half[0] + layers[NY] * half[1] + facing * half[2]
            np.clip(spot, 0, 1, out=spot)
            spot *= spot
            spot *= spot
            spot *= spot
            edge += spot * np.float32(255 * material.gloss * self._strength)
        return edge

    def _cast(self, clay: Clay, cover: Plane, box: tuple[slice, slice], strength: float) -> None:
        """Darken what lies within a hand's breadth behind ``clay``, away from the light."""
        reach = 6
        pad = np.zeros((cover.shape[0] + 2 * reach, cover.shape[1] + 2 * reach), np.float32)
        pad[reach:-reach, reach:-reach] = cover
        # A soft shadow needs no more than every second pixel.
        blurred = _doubled(_doubled(_blur(_blur(pad[::2, ::2], 2).T, 2)).T)
        dx, dy = (3 if self._key[0] < 0 else -3), 4
        top, left = box[0].start - reach + dy, box[1].start - reach + dx
        y0, x0 = max(top, 0), max(left, 0)
        y1 = min(top + blurred.shape[0], self.height)
        x1 = min(left + blurred.shape[1], self.width)
        if y1 <= y0 or x1 <= x0:
            return
        part = blurred[y0 - top : y1 - top, x0 - left : x1 - left]
        gap = clay.height.max() - self.depth[y0:y1, x0:x1]
        close = np.clip(1.5 - gap * np.float32(1 / 16), 0, 1)
        close *= np.float32(strength)
        close *= part
        self.rgb[:, y0:y1, x0:x1] *= 1 - close


def polyline_distance(x: Plane, y: Plane, points: Plane) -> Plane:
    """Distance in pixels from every (x, y) to the line through ``points`` (n ≥ 2, 2)."""
    a, way = points[:-1, :, None, None], np.diff(points, axis=0)[:, :, None, None]
    square = np.maximum((way * way).sum(axis=1), np.float32(1e-6))
    px, py = x - a[:, 0], y - a[:, 1]
    t = np.clip((px * way[:, 0] + py * way[:, 1]) / square, 0, 1)
    off_x, off_y = px - t * way[:, 0], py - t * way[:, 1]
    off_x *= off_x
    off_y *= off_y
    off_x += off_y
    distance: Plane = np.sqrt(off_x.min(axis=0))
    return distance


def colour_plane(colour: Sequence[float]) -> Plane:
    """One colour as an albedo that broadcasts over any clay."""
    return np.asarray(colour, np.float32).reshape(3, 1, 1)


def _creases(height: Plane, reach: float) -> Plane:
    """How much each pixel is hemmed in by higher neighbours, 0–1 (ambient occlusion of a height
    field from eight neighbours at two distances)."""
    gain = np.float32(1 / (3 * max(reach, 0.05)))
    total = np.zeros_like(height)
    for step in (2, 4):
        for near, far in ((total[:-step], total[step:]), (total[:, :-step], total[:, step:])):
            vertical = near.shape[1] == height.shape[1]
            rise = (
                height[step:] - height[:-step] if vertical else height[:, step:] - height[:, :-step]
            )
            rise *= gain
            np.clip(rise, -0.25, 0.25, out=rise)
            near += np.maximum(rise, 0)
            far -= np.minimum(rise, 0)
    return np.minimum(total, 1)


def _blur(plane: Plane, radius: int) -> Plane:
    """Box blur along the first axis."""
    window = 2 * radius + 1
    sums = np.cumsum(plane, axis=0, dtype=np.float32)
    out = np.zeros_like(plane)
    out[radius + 1 : -radius] = (sums[window:] - sums[:-window]) * np.float32(1 / window)
    return out


def _doubled(plane: Plane) -> Plane:
    """``plane`` at twice the size along the first axis, its rows interpolated."""
    out = np.empty((2 * len(plane), *plane.shape[1:]), np.float32)
    out[::2] = plane
    out[1:-1:2] = (plane[1:] + plane[:-1]) * np.float32(0.5)
    out[-1] = plane[-1]
    return out
