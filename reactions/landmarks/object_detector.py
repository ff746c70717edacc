"""Objects anywhere in a picture, by the detector that a bundle carries."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from config.errors import ModelError
from reactions.geometry import Box
from reactions.landmark_types import FoundObject, RgbImage
from reactions.landmarks.default_boxes import BoxLayer, default_boxes_of, placed_boxes
from reactions.landmarks.interpreter import Interpreter, Range, Tensor
from reactions.landmarks.roi import letterbox
from reactions.landmarks.ssd import merge
from reactions.landmarks.warp import crop_on_black

EVERY_OBJECTS: Final = 5
"""Samples from one look at the whole picture to the next: one a second at five samples."""
_FAINTEST: Final = 0.05
"""From this score on a box is reported; what counts is the label's threshold."""
_MOST: Final = 100
"""Boxes of a class that are merged, the surest ones."""


class ObjectFinder(Protocol):
    """Finds objects in a picture."""

    def find(self, picture: RgbImage) -> tuple[FoundObject, ...]:
        """All objects, the surest of each class first."""
        ...


@dataclass(frozen=True, slots=True)
class DetectorInput:
    """What an object detector wants: its input's size, its layers of boxes, and its classes."""

    width: int
    height: int
    layers: tuple[BoxLayer, ...]
    classes: tuple[str, ...]


class ObjectDetector:
    """A detector in LiteRT. Not thread-safe: one a worker."""

    def __init__(self, path: Path, wants: DetectorInput) -> None:
        """Raises ModelError where the file at ``path`` is no model, or not one of ``wants``."""
        self._boxes = default_boxes_of(wants.layers)
        count = len(self._boxes)
        self._classes = wants.classes
        outputs = ((1, count, 4), (1, count, len(wants.classes)))
        # With four classes, codes and logits are of one shape.
        self._session = Interpreter(path, Range.SYMMETRIC, outputs, in_signature_order=True)
        size = self._session.width, self._session.height
        if size != (wants.width, wants.height):
            what = f"takes {size[0]}x{size[1]} pixels, not {wants.width}x{wants.height}"
            raise ModelError(what, where=str(path), do="make the bundle again")
        self._aspect = self._session.width / self._session.height

    def find(self, picture: RgbImage) -> tuple[FoundObject, ...]:
        """All objects in ``picture`` that are at least faintly seen."""
        rows, columns = picture.shape[:2]
        region = letterbox(columns, rows, self._aspect)
        crop = crop_on_black(picture, region, self._session.width, self._session.height)
        codes, logits = self._session.run(crop)
        found = []
        for name, score, (left, top, right, bottom) in self._merged(codes[0], logits[0]):
            x, y = region.to_picture(np.array([[left, top], [right, bottom]], np.float32)).T
            box = Box.around(np.column_stack([x, y]), columns, rows).clipped()
            if box.width > 0 and box.height > 0:
                found.append(FoundObject(name, score, box))
        return tuple(found)

    def _merged(
        self, codes: Tensor, logits: Tensor
    ) -> Sequence[tuple[str, float, tuple[float, float, float, float]]]:
        """Class, score and corners (0–1 of the input) of each object."""
        found = []
        least = float(np.log(_FAINTEST / (1 - _FAINTEST)))
        for number, name in enumerate(self._classes):
            kept = np.flatnonzero(logits[:, number] > least)
            kept = kept[np.argsort(-logits[kept, number], kind="stable")[:_MOST]]
            if not kept.size:
                continue
            scores = (1 / (1 + np.exp(-logits[kept, number]))).astype(np.float32)
            corners = placed_boxes(codes[kept], self._boxes[kept])
            low, high = corners[:, 0], corners[:, 1]
            for score, box in merge(scores, np.concatenate([(low + high) / 2, high - low], 1)):
                x, y, wide, tall = (float(value) for value in box)
                ends = (x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2)
                found.append((name, score, ends))
        return found
