"""Convert RGBA pictures and single colours to premultiplied YUVA planes."""

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from gifs.animation import YuvaFrame

Bytes: TypeAlias = npt.NDArray[np.uint8]
Sums: TypeAlias = npt.NDArray[np.uint16]
Floats: TypeAlias = npt.NDArray[np.float32]
Rgb: TypeAlias = tuple[int, int, int]

_BT601: Final = np.array(
    [
        [65.481, 128.553, 24.966, 16.0],
        [-37.797, -74.203, 112.0, 128.0],
        [112.0, -93.786, -18.214, 128.0],
    ],
    dtype=np.float32,
)
"""ITU-R BT.601, limited range: Y, Cb, Cr from R, G, B and 1, each in 0–1.

The offsets scale with alpha just as the colours do, so premultiplied RGB and alpha in the place of
the 1 give premultiplied YCbCr without ever dividing by alpha.
"""


def to_yuva(rgba: Bytes) -> YuvaFrame:
    """Convert (height, width, 4) premultiplied RGBA; height and width are even.

    Chroma is the mean of each 2x2 block, weighted by alpha, as is right for premultiplied values.
    """
    alpha = np.ascontiguousarray(rgba[..., 3])
    # Resampling may leave a colour brighter than its alpha allows.
    planes = [np.minimum(rgba[..., channel], alpha) for channel in range(3)] + [alpha]
    quarters = [_sum_of_four(plane) for plane in planes]
    return YuvaFrame(
        luma=_mix(planes, _BT601[0] / 255),
        blue=_mix(quarters, _BT601[1] / 1020),
        red=_mix(quarters, _BT601[2] / 1020),
        alpha=alpha,
        chroma_alpha=((quarters[3] + 2) // 4).astype(np.uint8),
    )


def straight_to_yuva(rgba: Bytes) -> YuvaFrame:
    """Convert (height, width, 4) RGBA that is not premultiplied; height and width are even."""
    premultiplied = rgba.copy()
    shares = rgba[..., 3:].astype(np.float32) / 255
    premultiplied[..., :3] = np.rint(rgba[..., :3] * shares)
    return to_yuva(premultiplied)


def yuv(colour: Rgb) -> tuple[int, int, int]:
    """Y (16–235), Cb and Cr (16–240) of an opaque colour."""
    pixel = np.array([[[*colour, 255]]], np.uint8).repeat(2, axis=0).repeat(2, axis=1)
    planes = to_yuva(pixel)
    return int(planes.luma[0, 0]), int(planes.blue[0, 0]), int(planes.red[0, 0])


def _sum_of_four(plane: Bytes) -> Sums:
    """The sum of each 2x2 block; four slices are several times faster than a reduction."""
    rows = plane[::2].astype(np.uint16) + plane[1::2]
    return rows[:, ::2] + rows[:, 1::2]


def _mix(planes: Sequence[Bytes | Sums], weights: Floats) -> Bytes:
    """Weighted sum of planes, rounded; the weights of BT.601 keep it within 0–255."""
    mixed = np.full(planes[0].shape, 0.5, dtype=np.float32)
    for plane, weight in zip(planes, weights, strict=True):
        mixed += plane * np.float32(weight)
    return mixed.astype(np.uint8)
