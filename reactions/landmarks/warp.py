"""Crops: a turned region of a picture, resampled to a net's input size.

The region's corners land on the crop's corners without a half-pixel shift, bilinear and without
antialiasing, as MediaPipe's CPU graphs do it.
"""

import math
import os
from typing import TypeAlias

import numpy as np

from reactions.landmarks.roi import Roi
from reactions.observation import RgbImage

# kornia-rs starts a pool of threads at its first call; ours is one thread a worker.
os.environ.setdefault("RAYON_NUM_THREADS", "1")
from kornia_rs import imgproc

Matrix: TypeAlias = tuple[float, float, float, float, float, float]


def crop_on_black(picture: RgbImage, roi: Roi, width: int, height: int) -> RgbImage:
    """The region ``roi`` at ``width`` x ``height``, black outside the picture: for detectors."""
    matrix = _to_crop(roi, width, height)
    return np.asarray(imgproc.warp_affine(picture, matrix, (height, width), "bilinear"))


def crop_on_edge(picture: RgbImage, roi: Roi, width: int, height: int) -> RgbImage:
    """As ``crop_on_black``, but the picture's edge goes on outside it: for landmark nets.

    It goes on for one picture size; what lies farther is black.
    """
    rows, columns = picture.shape[:2]
    left, top, right, bottom = roi.bounds()
    if left >= 0 and top >= 0 and right <= columns - 1 and bottom <= rows - 1:
        return crop_on_black(picture, roi, width, height)
    x = range(max(math.floor(left), -columns), min(math.ceil(right) + 1, 2 * columns))
    y = range(max(math.floor(top), -rows), min(math.ceil(bottom) + 1, 2 * rows))
    moved = Roi(roi.x - x.start, roi.y - y.start, roi.width, roi.height, roi.angle)
    return crop_on_black(_extended(picture, x, y), moved, width, height)


def _extended(picture: RgbImage, x: range, y: range) -> RgbImage:
    """Columns ``x`` and rows ``y`` of ``picture``, those outside repeating its edge."""
    rows, columns = picture.shape[:2]
    left, right = np.clip((x.start, x.stop), 0, columns).tolist()
    top, bottom = np.clip((y.start, y.stop), 0, rows).tolist()
    extended = np.zeros((len(y), len(x), 3), np.uint8)
    if left >= right or top >= bottom:
        return extended
    first, last = left - x.start, right - x.start
    above, below = top - y.start, bottom - y.start
    middle = extended[above:below]
    middle[:, first:last] = picture[top:bottom, left:right]
    middle[:, :first] = middle[:, first : first + 1]
    middle[:, last:] = middle[:, last - 1 : last]
    extended[:above] = extended[above]
    extended[below:] = extended[below - 1]
    return extended


def _to_crop(roi: Roi, width: int, height: int) -> Matrix:
    """The affine map from the picture's pixels to the crop's."""
    cos, sin = math.cos(roi.angle), math.sin(roi.angle)
    across, down = width / roi.width, height / roi.height
    return (
        cos * across,
        sin * across,
        width / 2 - (roi.x * cos + roi.y * sin) * across,
        -sin * down,
        cos * down,
        height / 2 + (roi.x * sin - roi.y * cos) * down,
    )
