"""Decode the raw tensors of an SSD detector, and merge overlapping boxes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reactions.landmark_types import RgbImage
from reactions.landmarks.anchors import anchors
from reactions.landmarks.interpreter import Interpreter, Range, Tensor
from reactions.landmarks.roi import Positions, Roi
from reactions.landmarks.warp import crop_on_black, crop_on_edge

_SAME_THING = 0.3
"""Boxes that overlap more (intersection over union) show the same thing."""


@dataclass(frozen=True, slots=True, eq=False)
class DetectedBox:
    """A box with its keypoints (n, 2), in pixels of the picture, and its score, 0–1."""

    box: Roi
    keypoints: Positions
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class DetectorLook:
    """What one look showed: boxes, best first, and the middles (n, 2; pixels) of all that reach a
    lower score, unmerged."""

    boxes: list[DetectedBox]
    faint: Positions


class SsdDetector:
    """An SSD model over a region of a picture."""

    def __init__(
        self,
        path: Path,
        inputs: Range,
        strides: Sequence[int],
        keypoints: int,
        threshold: float = 0.5,
    ) -> None:
        """The model at ``path`` has one layer of boxes a stride, each with so many keypoints."""
        self._session = Interpreter(path, inputs, ((1, -1, 4 + 2 * keypoints), (1, -1, 1)))
        self._anchors = anchors(self._session.width, self._session.height, tuple(strides))
        self._threshold = threshold

    def detect(self, picture: RgbImage, region: Roi, *, edge: bool = False) -> list[DetectedBox]:
        """What is in ``region``, best first.

        Outside the picture it is black, as MediaPipe has it, or its ``edge`` is repeated.
        """
        return self.look(picture, region, self._threshold, edge=edge).boxes

    def look(
        self, picture: RgbImage, region: Roi, faint: float, *, edge: bool = False
    ) -> DetectorLook:
        """As ``detect``, with what reaches the score ``faint``, which is no more than the
        threshold."""
        width, height = self._session.width, self._session.height
        crop = (crop_on_edge if edge else crop_on_black)(picture, region, width, height)
        raw, logits = self._session.run(crop)
        scores, boxes = decode(raw[0], logits[0, :, 0], self._anchors, faint)
        size = np.array([width, height], np.float32)
        sure = scores > self._threshold
        return DetectorLook(
            [
                _placed(score, box.reshape(-1, 2) / size, region)
                for score, box in merge(scores[sure], boxes[sure])
            ],
            region.to_picture(boxes[:, :2] / size),
        )


def decode(raw: Tensor, logits: Tensor, centres: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Scores (m,) and boxes (m, 4 + 2k) above ``threshold``, of raw ones (n, 4 + 2k).

    A box is its centre, its size and its keypoints, each x, y in pixels of the model's input.
    """
    kept = np.flatnonzero(logits > math.log(threshold / (1 - threshold)))
    if not kept.size:  # most samples show no hand
        return np.empty(0, np.float32), np.empty((0, raw.shape[1]), np.float32)
    scores = 1 / (1 + np.exp(-logits[kept]))
    boxes = raw[kept].reshape(len(kept), raw.shape[1] // 2, 2)
    moved = boxes + centres[kept, None]
    moved[:, 1] = boxes[:, 1]  # a size has no place
    return scores.astype(np.float32), moved.reshape(len(kept), raw.shape[1])


def merge(scores: Tensor, boxes: Tensor) -> list[tuple[float, Tensor]]:
    """Weighted non-maximum suppression: one box a thing, best first.

    Each is the mean of the boxes that overlap the best one, weighted by score, with that best
    one's score.
    """
    order = np.argsort(-scores, kind="stable")
    scores, boxes = scores[order], boxes[order]
    merged = []
    while len(scores):
        same = _overlaps(boxes) > _SAME_THING
        same[0] = True
        weights = scores[same, None]
        merged.append((float(scores[0]), (boxes[same] * weights).sum(axis=0) / weights.sum()))
        scores, boxes = scores[~same], boxes[~same]
    return merged


def _overlaps(boxes: Tensor) -> npt.NDArray[np.float32]:
    """Intersection over union of every box with the first."""
    size = np.maximum(boxes[:, 2:4], 0)
    low, high = boxes[:, :2] - size / 2, boxes[:, :2] + size / 2
    shared = np.maximum(np.minimum(high, high[0]) - np.maximum(low, low[0]), 0).prod(axis=1)
    union = size.prod(axis=1) + size[0].prod() - shared
    overlaps: npt.NDArray[np.float32] = shared / np.maximum(union, np.float32(1e-9))
    return overlaps


def _placed(score: float, points: Tensor, region: Roi) -> DetectedBox:
    """A box in fractions of an upright ``region`` as pixels of the picture."""
    x, y = region.to_picture(points[:1])[0]
    box = Roi(
        float(x), float(y), float(points[1, 0]) * region.width, float(points[1, 1]) * region.height
    )
    return DetectedBox(box, region.to_picture(points[2:]), score)
