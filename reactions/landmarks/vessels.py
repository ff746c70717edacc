"""Mugs, cups and bottles near a mouth: MediaPipe's detector of everyday objects.

The detector is the first stage of MediaPipe's Objectron: SSD MobileNetV2 on 300x300 pixels, 23
kinds of things. It costs as much as a body (7.3 ms), so it runs only while a hand is at the mouth,
in every third sample, on the part of the picture around the mouth.
"""

from collections.abc import Sequence
from math import dist
from typing import Protocol

import numpy as np

from reactions.landmark_types import Face, Hand, RgbImage, Vessel
from reactions.landmarks.default_boxes import BoxLayer, default_boxes_of, placed_boxes
from reactions.landmarks.interpreter import Interpreter, Range, Tensor
from reactions.landmarks.model_manifest import VESSELS
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.roi import Roi
from reactions.landmarks.warp import crop_on_edge

EVERY = 3
"""Samples from one look to the next while a hand is at the mouth."""
_KINDS = (12, 13, 16)
"""Mug, coffee cup and bottle among the detector's outputs; 0 is the background."""
_FAINTEST = 0.1
"""From this score on a vessel is reported; what counts as one is the scorer's."""
_AROUND = 2.4
"""Face heights of the square around the mouth that is looked at."""
_REACH = 0.8
"""Face heights from the mouth within which a hand may hold a vessel to it: around a mug's lower
half, or at its handle, it is 8 to 13 cm away."""
_FOREHEAD, _CHIN, _LIPS = 10, 152, (13, 14)
_COUNTS = (19, 10, 5, 3, 2, 1)
"""Cells a side of the detector's six layers (strides 16 to 512 of 300 pixels)."""
_SMALLEST, _LARGEST = 0.2, 0.95
"""Sizes of the first and the last layer's boxes, in sides of the input (MediaPipe's options)."""


class Vessels(Protocol):
    """Finds vessels in a part of a picture."""

    def find(self, picture: RgbImage, region: Roi) -> tuple[Vessel, ...]:
        """The surest vessel in ``region``, or none."""
        ...


class VesselDetector:
    """Finds mugs, cups and bottles."""

    def __init__(self, store: ModelStore) -> None:
        outputs = ((1, 1917, 4), (1, 1917, 24))
        self._session = Interpreter(store.path(VESSELS), Range.SYMMETRIC, outputs)
        self._boxes = default_boxes()

    def find(self, picture: RgbImage, region: Roi) -> tuple[Vessel, ...]:
        """The surest vessel in ``region``, or none."""
        size = self._session.width
        codes, logits = self._session.run(crop_on_edge(picture, region, size, size))
        kinds = logits[0][:, list(_KINDS)].max(axis=1)
        best = int(kinds.argmax())
        score = 1 / (1 + float(np.exp(-kinds[best])))
        if score < _FAINTEST:
            return ()
        corners = placed_boxes(codes[0, best : best + 1], self._boxes[best : best + 1])[0]
        points = region.to_picture(corners)
        return (Vessel(np.column_stack([points, np.zeros(2, np.float32)]), score),)


def mouth_region(face: Face, hands: Sequence[Hand]) -> Roi | None:
    """The part of the picture around the mouth of ``face``, if one of ``hands`` is near to it."""
    points = face.points[:, :2]
    unit = dist(points[_FOREHEAD].tolist(), points[_CHIN].tolist()) or 1.0
    mouth = points[list(_LIPS)].mean(axis=0)
    gaps = [np.hypot(*(hand.points[:, :2] - mouth).T).min() for hand in hands]
    if not gaps or min(gaps) > _REACH * unit:
        return None
    side = _AROUND * unit
    # What is drunk from is below the mouth and before it.
    return Roi(float(mouth[0]), float(mouth[1]) + 0.35 * unit, side, side)


def default_boxes() -> Tensor:
    """(1917, 4): y, x, height and width of the detector's default boxes, 0–1.

    Three boxes a cell in the first layer, six in the others, as MediaPipe's SSD anchors with
    ``reduce_boxes_in_lowest_layer``.
    """
    sizes = [*np.linspace(_SMALLEST, _LARGEST, len(_COUNTS)).tolist(), 1.0]
    layers = []
    for layer, count in enumerate(_COUNTS):
        size, following = sizes[layer], sizes[layer + 1]
        shapes = [(size, ratio) for ratio in (1.0, 2.0, 0.5, 3.0, 0.3333)]
        shapes.append(((size * following) ** 0.5, 1.0))
        if layer == 0:
            shapes = [(0.1, 1.0), (size, 2.0), (size, 0.5)]
        sides = tuple((one / ratio**0.5, one * ratio**0.5) for one, ratio in shapes)
        layers.append(BoxLayer(count, count, sides))
    return default_boxes_of(layers)
