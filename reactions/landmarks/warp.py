"""Crops: a turned region of a picture, resampled to a model's input size.

The region's corners land on the crop's corners without a half-pixel shift, bilinear and without
antialiasing, as MediaPipe's CPU graphs do it.
"""

import math
import os
from typing import TypeAlias

import numpy as np

from reactions.landmark_types import RgbImage
from reactions.landmarks.roi import Roi

# kornia-rs starts a pool of threads at its first call; ours is one thread a worker.
os.environ.setdefault("RAYON_NUM_THREADS", "1")
from kornia_rs import imgproc

_REACH = 2000
"""Pixels by which an edge is repeated: enough for the body below a portrait, bounded in memory."""

_PIXEL = np.dtype((np.void, 3))
"""A pixel as one item: numpy repeats items along a row far quicker than triples."""

Matrix: TypeAlias = tuple[float, float, float, float, float, float]


def crop_on_black(picture: RgbImage, roi: Roi, width: int, height: int) -> RgbImage:
    """The region ``roi`` at ``width`` x ``height``, black outside the picture: for detectors."""
    if _inside(picture, roi):
        return _warped(picture, roi, width, height)
    rows, columns = picture.shape[:2]
    # kornia-rs cuts off at the border, where MediaPipe's warp fades to black over one pixel. That
    # pixel decides on detections near the threshold.
    framed = np.zeros((rows + 2, columns + 2, 3), np.uint8)
    framed[1:-1, 1:-1] = picture
    return _warped(framed, roi.moved(1, 1), width, height)


def crop_on_edge(picture: RgbImage, roi: Roi, width: int, height: int) -> RgbImage:
    """As ``crop_on_black``, but the picture's edge is repeated outside it: for landmark models.

    It is repeated for 2000 pixels; what lies farther is black, as is a region wholly outside.
    """
    if _inside(picture, roi):
        return _warped(picture, roi, width, height)
    rows, columns = picture.shape[:2]
    left, top, right, bottom = roi.bounds()
    # One pixel more than is shown: what rounding puts a hair outside would be black.
    x = range(max(math.floor(left) - 1, -_REACH), min(math.ceil(right) + 2, columns + _REACH))
    y = range(max(math.floor(top) - 1, -_REACH), min(math.ceil(bottom) + 2, rows + _REACH))
    extended = _extended(picture, x, y)
    return _warped(extended, roi.moved(-x.start, -y.start), width, height)


def _inside(picture: RgbImage, roi: Roi) -> bool:
    rows, columns = picture.shape[:2]
    left, top, right, bottom = roi.bounds()
    return left >= 1 and top >= 1 and right <= columns - 2 and bottom <= rows - 2


def _warped(picture: RgbImage, roi: Roi, width: int, height: int) -> RgbImage:
    matrix = _to_crop(roi, width, height)
    return np.asarray(imgproc.warp_affine(picture, matrix, (height, width), "bilinear"))


def _extended(picture: RgbImage, x: range, y: range) -> RgbImage:
    """Columns ``x`` and rows ``y`` of ``picture``, those outside repeating its edge."""
    rows, columns = picture.shape[:2]
    left, right = max(x.start, 0), min(x.stop, columns)
    top, bottom = max(y.start, 0), min(y.stop, rows)
    if left >= right or top >= bottom:
        return np.zeros((len(y), len(x), 3), np.uint8)
    first, last = left - x.start, right - x.start
    above, below = top - y.start, bottom - y.start
    extended = np.empty((len(y), len(x), 3), np.uint8)
    middle = extended[above:below]
    middle[:, first:last] = picture[top:bottom, left:right]
    pixels = middle.view(_PIXEL)
    pixels[:, :first] = pixels[:, first : first + 1]
    pixels[:, last:] = pixels[:, last - 1 : last]
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
