"""Draw into the planes of an I420 picture: blend, dim, round corners.

Nothing here goes through RGB at the frame rate: a sticker of 200x200 costs 0.04 ms in the planes
and several milliseconds by way of RGB. Colours are BT.601 limited range, as WebRTC's VP8 is read.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import av
import numpy as np
import numpy.typing as npt

from gifs.animation import YuvaFrame
from gifs.yuva import Rgb, yuv
from sidecar.media.compositor.layout import Rect

Plane: TypeAlias = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """Views of one I420 picture's planes: luma (h, w), blue and red (h / 2, w / 2), uint8."""

    luma: Plane
    blue: Plane
    red: Plane

    @classmethod
    def of(cls, frame: av.VideoFrame) -> "Planes":
        """The planes of ``frame`` (yuv420p), without copying: writing into them draws."""
        views = []
        for plane in frame.planes:
            rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
            views.append(rows[:, : plane.width])
        return cls(*views)

    @classmethod
    def filled(cls, width: int, height: int, colour: Rgb) -> "Planes":
        """New planes of even ``width`` x ``height`` in one colour."""
        y, b, r = yuv(colour)
        half = (height // 2, width // 2)
        return cls(
            np.full((height, width), y, np.uint8),
            np.full(half, b, np.uint8),
            np.full(half, r, np.uint8),
        )

    def cut(self, area: Rect) -> "Planes":
        """Views of the part of the picture inside ``area``."""
        top, left, bottom, right = area.y, area.x, area.bottom, area.right
        rows, columns = slice(top // 2, bottom // 2), slice(left // 2, right // 2)
        return Planes(
            self.luma[top:bottom, left:right], self.blue[rows, columns], self.red[rows, columns]
        )

    def copy_from(self, other: "Planes") -> None:
        """Overwrite every pixel with that of ``other``, which has the same size."""
        np.copyto(self.luma, other.luma)
        np.copyto(self.blue, other.blue)
        np.copyto(self.red, other.red)

    def fill(self, colour: Rgb) -> None:
        self.luma[:], self.blue[:], self.red[:] = yuv(colour)


def blend(planes: Planes, picture: YuvaFrame, x: int, y: int) -> None:
    """Lay ``picture`` over ``planes`` with its corner at even ``x``, ``y``; what sticks out is cut.

    Exact: every sample becomes ``picture + round(sample * (255 - alpha) / 255)``.
    """
    height, width = planes.luma.shape
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + picture.width, width), min(y + picture.height, height)
    if left >= right or top >= bottom:
        return
    there = planes.cut(Rect(left, top, right - left, bottom - top))
    full = np.s_[top - y : bottom - y, left - x : right - x]
    half = np.s_[(top - y) // 2 : (bottom - y) // 2, (left - x) // 2 : (right - x) // 2]
    _over(there.luma, picture.luma[full], picture.alpha[full])
    _over(there.blue, picture.blue[half], picture.chroma_alpha[half])
    _over(there.red, picture.red[half], picture.chroma_alpha[half])


def _over(below: Plane, above: Plane, alpha: Plane) -> None:
    # (v + 128 + ((v + 128) >> 8)) >> 8 is v / 255 rounded, for every product of two bytes.
    product = np.multiply(below, 255 - alpha, dtype=np.uint16)
    product += 128
    product += product >> 8
    product >>= 8
    np.add(product, above, out=below, casting="unsafe")


def dim(planes: Planes) -> None:
    """Darken a picture and take half of its colour: it is there, but old."""
    luma, chroma = _dimming()
    planes.luma[:] = luma[planes.luma]
    planes.blue[:] = chroma[planes.blue]
    planes.red[:] = chroma[planes.red]


@lru_cache(maxsize=1)
def _dimming() -> tuple[Plane, Plane]:
    values = np.arange(256)
    luma = 16 + (values - 16) * 0.4
    chroma = 128 + (values - 128) * 0.4
    return luma.clip(0, 255).astype(np.uint8), chroma.clip(0, 255).astype(np.uint8)


Samples: TypeAlias = npt.NDArray[np.floating]


def _halved(plane: Samples) -> Samples:
    height, width = plane.shape
    return np.asarray(plane.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)))


def _byte(plane: Samples) -> Plane:
    return np.rint(plane).clip(0, 255).astype(np.uint8)


class Corners:
    """Rounds the corners of all ``tiles`` of a picture in one pass over the few pixels concerned.

    Their positions and weights are worked out once a layout: three indexed updates a picture,
    against a dozen small ones for every tile.
    """

    def __init__(
        self, tiles: Iterable[Rect], width: int, height: int, radius: int, outside: Rgb
    ) -> None:
        """``radius`` is even, in pixels; ``outside`` is the colour beyond the corners."""
        keep = np.full((height, width), 255, np.uint8)
        if radius:
            cut = _corner(radius)
            for tile in tiles:
                there = keep[tile.y : tile.bottom, tile.x : tile.right]
                there[:radius, :radius] = cut
                there[:radius, -radius:] = cut[:, ::-1]
                there[-radius:, :radius] = cut[::-1]
                there[-radius:, -radius:] = cut[::-1, ::-1]
        chroma = _byte(_halved(keep.astype(np.float32)))
        self._masks = (_edge(keep), _edge(chroma), _edge(chroma))
        self._colour = yuv(outside)

    def round(self, planes: Planes) -> None:
        """Paint everything beyond the rounded corners in the outside colour."""
        for plane, (rows, columns, weights), colour in zip(
            (planes.luma, planes.blue, planes.red), self._masks, self._colour, strict=True
        ):
            mixed = plane[rows, columns] * weights + colour * (255 - weights) + 127
            plane[rows, columns] = mixed // 255


Edge: TypeAlias = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.uint32]]


def _edge(keep: Plane) -> Edge:
    rows, columns = np.nonzero(keep < 255)
    return rows, columns, keep[rows, columns].astype(np.uint32)


def _corner(radius: int) -> Plane:
    """How much of each pixel of a top left corner lies inside its arc: (radius, radius), 0–255."""
    away = radius - 0.5 - np.arange(radius, dtype=np.float32)
    distance = np.hypot(away[:, None], away[None, :])
    return _byte((radius + 0.5 - distance).clip(0, 1) * 255)
