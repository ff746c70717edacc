"""Photos and clips of people: a folder with an ``index.csv``."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from config.errors import PictureError
from reactions.gestures.hand_classes import NONE, SHAPES
from reactions.landmark_types import RgbImage
from reactions.training.label_names import Shown, meaning_of

INDEX = "index.csv"
_COLUMNS = ("source", "label", "file", "kind")
# Cropped to the hand: a detector that expects a scene needs some scene around it.
TIGHT = frozenset({"hagrid_crops"})
_MARGIN = 0.5


@dataclass(frozen=True, slots=True)
class Photo:
    """One picture or clip of the index."""

    source: str
    label: str
    file: str
    kind: str

    @property
    def shape(self) -> str | None:
        """The class that its hand shows, ``none`` for a look-alike, None where we can't say."""
        meaning = meaning_of(self.label)
        if meaning.shown in (Shown.LOOK_ALIKE, Shown.ORDINARY):
            return NONE
        return meaning.label if meaning.label in SHAPES else None


def read_index(folder: Path) -> list[Photo]:
    """The rows of ``folder``'s index. Raises PictureError without one, or with columns missing."""
    path = folder / INDEX
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise PictureError("can't be read", where=str(path), do="name a folder with one") from error
    missing = [name for name in _COLUMNS if rows and name not in rows[0]]
    if missing:
        raise PictureError(f"lacks the columns {', '.join(missing)}", where=str(path))
    return [Photo(*(row[name] for name in _COLUMNS)) for row in rows]


def load_picture(folder: Path, photo: Photo) -> RgbImage:
    """The pixels of ``photo``; one cropped tightly to its hand gets a margin of its edge's colour.

    Raises PictureError where it can't be read.
    """
    path = folder / photo.file
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
    except (OSError, ValueError) as error:
        raise PictureError("not a picture", where=str(path)) from error
    if photo.source not in TIGHT:
        return pixels
    margin = int(max(pixels.shape[:2]) * _MARGIN)
    return np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
