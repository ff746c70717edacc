"""Mugs, cups and bottles near a mouth: MediaPipe's detector of everyday objects.

The detector is the first stage of MediaPipe's Objectron: SSD MobileNetV2 on 300x300 pixels, 23
kinds of things. It costs as much as a body (7.3 ms), so it runs only while a hand that may hold
something is at the mouth, in every third sample or less (``vessel_schedule``), on the part of the
picture around the mouth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, dist, hypot, radians
from typing import Protocol

import numpy as np

from reactions.landmark_types import Face, Hand, RgbImage, Vessel
from reactions.landmarks.default_boxes import BoxLayer, default_boxes_of, placed_boxes
from reactions.landmarks.interpreter import Interpreter, Range, Tensor
from reactions.landmarks.model_manifest import VESSELS
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.roi import Roi
from reactions.landmarks.vessel_schedule import Place
from reactions.landmarks.warp import crop_on_edge

_KINDS = (12, 13, 16)
"""Mug, coffee cup and bottle among the detector's outputs; 0 is the background."""
_FAINTEST = 0.1
"""From this score on a vessel is reported; what counts as one is the scorer's."""
LIKELY = 0.2
"""From this score on there may be one, so that another look is worth its cost."""
_AROUND = 2.4
"""Face heights of the square around the mouth that is looked at."""
_REACH = 0.8
"""Face heights from the mouth within which a hand may hold a vessel to it: around a mug's lower
half, or at its handle, it is 8 to 13 cm away."""
_FOREHEAD, _CHIN, _LIPS = 10, 152, (13, 14)
_FINGERS = ((5, 6, 8), (9, 10, 12), (13, 14, 16), (17, 18, 20))
"""Knuckle, middle joint and tip of each finger but the thumb."""
_STRAIGHT, _UP = cos(radians(25)), cos(radians(30))
"""A finger that is bent by less, and one that is turned from upright by less."""
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


@dataclass(frozen=True, slots=True)
class MouthLook:
    """Where a vessel may be."""

    region: Roi
    """The part of the picture around the mouth."""
    place: Place
    """The middle of the nearest hand from the mouth, in face heights."""


def mouth_look(face: Face, hands: Sequence[Hand]) -> MouthLook | None:
    """Where to look for a vessel at the mouth of ``face``; None where none of ``hands`` may hold
    one there."""
    if not hands:
        return None
    points = face.points[:, :2]
    unit = dist(points[_FOREHEAD].tolist(), points[_CHIN].tolist()) or 1.0
    x, y = points[list(_LIPS)].mean(axis=0).tolist()
    near: list[tuple[float, Place]] = []
    for hand in hands:
        away = (hand.points[:, :2] - np.array([x, y], np.float32)) / np.float32(unit)
        gap = float(np.hypot(away[:, 0], away[:, 1]).min())
        if gap <= _REACH and not _is_open(hand):
            right, down = away.mean(axis=0).tolist()
            near.append((gap, (right, down)))
    if not near:
        return None
    side = _AROUND * unit
    # What is drunk from is below the mouth and before it.
    return MouthLook(Roi(x, y + 0.35 * unit, side, side), min(near)[1])


def _is_open(hand: Hand) -> bool:
    """Whether all four fingers are stretched and point up: such a hand holds nothing."""
    joints = hand.points[:, :2].tolist()
    return all(_points_up(*(joints[joint] for joint in finger)) for finger in _FINGERS)


def _points_up(knuckle: Sequence[float], joint: Sequence[float], tip: Sequence[float]) -> bool:
    (a, b), (c, d) = (
        (joint[0] - knuckle[0], joint[1] - knuckle[1]),
        (tip[0] - joint[0], tip[1] - joint[1]),
    )
    lengths = hypot(a, b) * hypot(c, d)
    up, way = knuckle[1] - tip[1], hypot(tip[0] - knuckle[0], tip[1] - knuckle[1])
    return a * c + b * d >= _STRAIGHT * lengths and up >= _UP * way


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
