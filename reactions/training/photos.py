"""Photos of people: a folder with an ``index.csv``, and the landmarks that the models find."""

import csv
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from PIL import Image

from config.errors import PictureError
from reactions.gestures.features import Landmarks
from reactions.gestures.hand_classes import NONE, SHAPES
from reactions.landmark_types import Face, Hand, ModelFamily, Observation, RgbImage, Sample, Side
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.scheduler import LandmarkScheduler
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


@dataclass(frozen=True, slots=True)
class Sightings:
    """What was found in some photos: one row a hand, one a face."""

    sizes: npt.NDArray[np.int64]
    """(photos, 2): width and height of the picture looked at, pixels."""
    photo: npt.NDArray[np.int64]
    """(hands,): in which of the photos."""
    points: Landmarks
    """(hands, 21, 3), pixels."""
    left: npt.NDArray[np.bool_]
    side_score: npt.NDArray[np.float32]
    presence: npt.NDArray[np.float32]
    face_photo: npt.NDArray[np.int64]
    """(faces,): in which of the photos."""
    face_points: npt.NDArray[np.float32]
    """(faces, 468, 3), pixels."""
    face_presence: npt.NDArray[np.float32]

    @classmethod
    def of(cls, observations: Iterable[Observation]) -> Self:
        """The same as ``observations``, one a photo, in arrays."""
        seen = list(observations)
        hands = [(i, hand) for i, each in enumerate(seen) for hand in each.hands]
        faces = [(i, each.face) for i, each in enumerate(seen) if each.face is not None]
        return cls(
            sizes=np.array([(each.width, each.height) for each in seen], np.int64).reshape(-1, 2),
            photo=np.array([i for i, _ in hands], np.int64),
            points=np.array([hand.points for _, hand in hands], np.float32).reshape(-1, 21, 3),
            left=np.array([hand.side is Side.LEFT for _, hand in hands], np.bool_),
            side_score=np.array([hand.side_score for _, hand in hands], np.float32),
            presence=np.array([hand.presence for _, hand in hands], np.float32),
            face_photo=np.array([i for i, _ in faces], np.int64),
            face_points=np.array([f.points for _, f in faces], np.float32).reshape(-1, 468, 3),
            face_presence=np.array([f.presence for _, f in faces], np.float32),
        )

    def observation(self, photo: int) -> Observation:
        """What was found in one photo."""
        width, height = (int(side) for side in self.sizes[photo])
        hands = tuple(
            Hand(
                self.points[k],
                Side.LEFT if self.left[k] else Side.RIGHT,
                float(self.side_score[k]),
                float(self.presence[k]),
            )
            for k in np.flatnonzero(self.photo == photo)
        )
        faces = [
            Face(self.face_points[k], float(self.face_presence[k]))
            for k in np.flatnonzero(self.face_photo == photo)
        ]
        return Observation(width, height, 0.0, hands, faces[0] if faces else None)


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


def look_twice(scheduler: LandmarkScheduler, pixels: RgbImage) -> tuple[Observation, Observation]:
    """What ``pixels`` show as a still picture, and then as the next sample of a stream.

    A still picture's hands are read with care, a stream's from where they just were: the two have
    different errors, and a classifier should know both.
    """
    still, tracks = scheduler.observe(Sample(pixels, 0.0), None)
    return still, scheduler.observe(Sample(pixels, 0.2), tracks)[0]


def look(
    folder: Path, photos: Sequence[Photo], store: ModelStore, cache: Path | None = None
) -> Sightings:
    """The hands and faces in ``photos``, each looked at as a still picture.

    With a folder ``cache``, what an earlier run found in the same photos is read from there; empty
    it whenever the models or the way of looking change.
    """
    key = hashlib.sha256("\n".join(photo.file for photo in photos).encode()).hexdigest()[:16]
    path = cache / f"sightings-{key}.npz" if cache else None
    if path and path.exists():
        with np.load(path) as saved:
            return Sightings(**saved)
    scheduler = LandmarkScheduler(store, frozenset({ModelFamily.HANDS, ModelFamily.FACE}))
    found = Sightings.of(
        scheduler.observe(Sample(load_picture(folder, photo), 0.0), None)[0] for photo in photos
    )
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, **{f.name: getattr(found, f.name) for f in fields(found)})
    return found
