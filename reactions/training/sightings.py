"""The landmarks that the models find in photos."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from reactions.gestures.features import Landmarks
from reactions.labels import LABELS, families_for
from reactions.landmark_types import Observation, RgbImage, Sample, Side
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.scheduler import LandmarkScheduler
from reactions.training.evaluation.landmark_cache import LandmarkCache
from reactions.training.photos import Photo, load_picture


@dataclass(frozen=True, slots=True)
class Sightings:
    """The hands in some photos, one row a hand."""

    photo: npt.NDArray[np.int64]
    """(hands,): in which of the photos."""
    points: Landmarks
    """(hands, 21, 3), pixels."""
    left: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, observations: Iterable[Observation]) -> Self:
        """The hands of ``observations``, one a photo."""
        hands = [(i, hand) for i, each in enumerate(observations) for hand in each.hands]
        return cls(
            photo=np.array([i for i, _ in hands], np.int64),
            points=np.array([hand.points for _, hand in hands], np.float32).reshape(-1, 21, 3),
            left=np.array([hand.side is Side.LEFT for _, hand in hands], np.bool_),
        )


def look_twice(scheduler: LandmarkScheduler, pixels: RgbImage) -> tuple[Observation, Observation]:
    """What ``pixels`` show as a still picture, and then as the next sample of a stream.

    A still picture's hands are read with care, a stream's from where they just were: the two have
    different errors, and a classifier should know both.
    """
    still, tracks = scheduler.observe(Sample(pixels, 0.0), None)
    return still, scheduler.observe(Sample(pixels, 0.2), tracks)[0]


def look(
    folder: Path, photos: Sequence[Photo], store: ModelStore, cache: Path | None = None
) -> list[Observation]:
    """What the models of all labels find in ``photos``, each looked at as a still picture.

    With a folder ``cache``, what an earlier run found in a photo is read from there. Raises
    PictureError where a photo can't be read, ModelError where a model is missing.
    """
    scheduler, kept = LandmarkScheduler(store, families_for(LABELS)), LandmarkCache(cache)
    seen: list[Observation] = []
    for photo in photos:

        def observe(photo: Photo = photo) -> list[Observation]:
            return [scheduler.observe(Sample(load_picture(folder, photo), 0.0), None)[0]]

        seen += kept.observations(f"photo {photo.file}", observe)
    return seen
