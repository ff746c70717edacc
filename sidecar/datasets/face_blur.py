"""Blur faces in pictures, so that people are not recognised in them."""

from collections.abc import Iterable
from typing import Final

import numpy as np
from PIL import Image, ImageFilter

from reactions.geometry import Box
from reactions.landmark_types import RgbImage, Sample
from reactions.pipeline import PipelineConfig, RecognitionPipeline

LABELS_NEEDED: Final = "face"
"""What the pipeline must recognise."""
_BEYOND: Final = 0.3
"""Of the face's box on each side: hair, ears and chin are blurred too."""
_RADIUS: Final = 0.15
"""Of the box's longer side: less leaves features that can be recognised."""


class FaceBlur:
    """Finds faces by the models of ``config``, loaded with the first picture. For one thread."""

    def __init__(self, config: PipelineConfig) -> None:
        self._config = config
        self._pipeline: RecognitionPipeline | None = None

    def blurred(self, pixels: RgbImage) -> RgbImage | None:
        """The picture with blurred faces; None where none is found: one may be there all the same.

        Raises ModelError where a model is missing.
        """
        if self._pipeline is None:
            self._pipeline = self._config.load()
        found = self._pipeline.detect(Sample(pixels, 0.0), None)
        faces = [box for box in (found.face, *found.other_faces) if box is not None]
        return blur_boxes(pixels, faces) if faces else None


def blur_boxes(pixels: RgbImage, boxes: Iterable[Box]) -> RgbImage:
    """A copy of the picture in which ``boxes``, and a rim around them, are blurred."""
    picture = Image.fromarray(pixels)
    for box in boxes:
        rim_x, rim_y = _BEYOND * box.width, _BEYOND * box.height
        wide = Box(box.x - rim_x, box.y - rim_y, box.width + 2 * rim_x, box.height + 2 * rim_y)
        inside, (width, height) = wide.clipped(), picture.size
        corners = (
            int(inside.x * width),
            int(inside.y * height),
            int(np.ceil((inside.x + inside.width) * width)),
            int(np.ceil((inside.y + inside.height) * height)),
        )
        if corners[2] <= corners[0] or corners[3] <= corners[1]:
            continue
        radius = max(_RADIUS * max(corners[2] - corners[0], corners[3] - corners[1]), 4.0)
        part = picture.crop(corners).filter(ImageFilter.GaussianBlur(radius))
        picture.paste(part, corners[:2])
    return np.asarray(picture)
