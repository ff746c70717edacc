"""Photos of hands: a folder with an ``index.csv``, and the landmarks that our nets find in it."""

import csv
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from config.errors import PictureError
from reactions.gestures.features import Landmarks
from reactions.gestures.shapes import CLASSES, NONE
from reactions.labels import Net
from reactions.landmarks.cascade import Cascade
from reactions.landmarks.store import ModelStore
from reactions.observation import Observation, RgbImage, Sample, Side

INDEX = "index.csv"
_COLUMNS = ("source", "label", "file", "kind")
_SAME_SHAPE = {"ok": "ok_hand", "open_palm_stop": "open_palm"}
_LOOK_ALIKES = ("neg_", "other_hand_")
_OTHER_NAMES = frozenset({"negative", "victory_back"})
# Cropped to the hand: a detector that expects a scene needs some scene around it.
_TIGHT = frozenset({"hagrid_crops"})
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
        label = _SAME_SHAPE.get(self.label, self.label)
        if label in CLASSES:
            return label
        if label.startswith(_LOOK_ALIKES) or label in _OTHER_NAMES:
            return NONE
        return None


@dataclass(frozen=True, slots=True)
class FoundHands:
    """The hands found in some photos, one row a hand."""

    photo: npt.NDArray[np.int64]
    """(n,): which of the photos."""
    points: Landmarks
    """(n, 21, 3), pixels of the picture looked at."""
    left: npt.NDArray[np.bool_]
    side_score: npt.NDArray[np.float32]
    presence: npt.NDArray[np.float32]
    size: npt.NDArray[np.int64]
    """(n, 2): width and height of the picture, pixels."""


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
    if photo.source not in _TIGHT:
        return pixels
    margin = int(max(pixels.shape[:2]) * _MARGIN)
    return np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), mode="edge")


def observe(folder: Path, photos: Sequence[Photo], store: ModelStore) -> Iterator[Observation]:
    """What the cascade finds in each of ``photos``, as still pictures."""
    cascade = Cascade(store, frozenset({Net.HANDS}))
    for photo in photos:
        observation, _ = cascade.observe(Sample(load_picture(folder, photo), 0.0), None)
        yield observation


def find_hands(
    folder: Path, photos: Sequence[Photo], store: ModelStore, cache: Path | None = None
) -> FoundHands:
    """The hands in ``photos``; with ``cache``, a file there is read, or written, instead."""
    key = hashlib.sha256("\n".join(photo.file for photo in photos).encode()).hexdigest()[:16]
    path = cache / f"hands-{key}.npz" if cache else None
    if path and path.exists():
        with np.load(path) as saved:
            return FoundHands(**saved)
    found = _gather(observe(folder, photos, store))
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, **{name: getattr(found, name) for name in FoundHands.__slots__})
    return found


def _gather(observations: Iterator[Observation]) -> FoundHands:
    rows = [
        (i, hand, (seen.width, seen.height))
        for i, seen in enumerate(observations)
        for hand in seen.hands
    ]
    points = np.zeros((len(rows), 21, 3), np.float32)
    for row, (_, hand, _) in enumerate(rows):
        points[row] = hand.points
    return FoundHands(
        photo=np.array([i for i, _, _ in rows], np.int64),
        points=points,
        left=np.array([hand.side is Side.LEFT for _, hand, _ in rows], np.bool_),
        side_score=np.array([hand.side_score for _, hand, _ in rows], np.float32),
        presence=np.array([hand.presence for _, hand, _ in rows], np.float32),
        size=np.array([size for _, _, size in rows], np.int64).reshape(-1, 2),
    )
