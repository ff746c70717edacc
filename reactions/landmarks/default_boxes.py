"""The default boxes of SSD detectors, and what is counted from them (Liu et al. 2016)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from reactions.landmarks.interpreter import Tensor

PLACE, SIZE = 10.0, 5.0
"""Factors of the box codes (``x_scale`` and ``w_scale`` of MediaPipe's decoder)."""
_LARGEST: Final = 4.0
"""A code's size is cut off there: e to that power is 55 times the default box."""


@dataclass(frozen=True, slots=True)
class BoxLayer:
    """One layer of a detector: its cells, and the boxes about each cell's middle."""

    rows: int
    columns: int
    shapes: tuple[tuple[float, float], ...]
    """Height and width of each, in sides of the input."""


def default_boxes_of(layers: Sequence[BoxLayer]) -> Tensor:
    """(n, 4): y, x, height and width of all default boxes, 0–1, in the order of the outputs."""
    parts = []
    for layer in layers:
        down, across = np.meshgrid(
            (np.arange(layer.rows) + 0.5) / layer.rows,
            (np.arange(layer.columns) + 0.5) / layer.columns,
            indexing="ij",
        )
        cells = np.stack([down, across], axis=-1).reshape(-1, 1, 2)
        each = np.broadcast_to(np.array(layer.shapes), (len(cells), len(layer.shapes), 2))
        places = np.broadcast_to(cells, each.shape)
        parts.append(np.concatenate([places, each], axis=-1).reshape(-1, 4))
    return np.concatenate(parts).astype(np.float32)


def placed_boxes(codes: Tensor, defaults: Tensor) -> Tensor:
    """The corners (n, 2, 2: x, y in 0–1) of boxes ``codes`` (n, 4) about ``defaults`` (n, 4).

    Both are y, x, height, width.
    """
    middle = codes[:, :2] / PLACE * defaults[:, 2:] + defaults[:, :2]
    size = np.exp(np.minimum(codes[:, 2:] / SIZE, _LARGEST)) * defaults[:, 2:]
    corners = np.stack([middle - size / 2, middle + size / 2], axis=1)
    return np.asarray(corners[:, :, ::-1], np.float32)


def box_codes(boxes: Tensor, defaults: Tensor) -> Tensor:
    """What ``placed_boxes`` makes ``boxes`` (n, 4: y, x, height, width) of; the way back."""
    middle = (boxes[:, :2] - defaults[:, :2]) / defaults[:, 2:] * PLACE
    size = np.log(np.maximum(boxes[:, 2:], 1e-6) / defaults[:, 2:]) * SIZE
    return np.concatenate([middle, size], axis=1).astype(np.float32)
