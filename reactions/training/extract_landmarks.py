"""The landmarks of licence-clean photos, as numbers that may be checked in.

``python -m reactions.training.extract_landmarks FOLDER``

FOLDER has an ``index.csv`` as docs/training.md describes. Only sources whose licence allows it are
read.
"""

import argparse
from pathlib import Path

import numpy as np

from reactions.gestures.hand_classes import CLASSES
from reactions.landmark_types import ModelFamily
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.scheduler import LandmarkScheduler
from reactions.training.dataset import FREE_SOURCES, REAL_HANDS, RealHands, label_hands
from reactions.training.exit_status import exits_on_errors
from reactions.training.photos import load_picture, read_index
from reactions.training.sightings import Sightings, look_twice


def collect_photos(folder: Path) -> RealHands:
    """The labelled hands in the photos of ``folder`` that may be learnt from, each read twice."""
    photos = [
        photo
        for photo in read_index(folder)
        if photo.kind == "image" and photo.source in FREE_SOURCES and photo.shape is not None
    ]
    scheduler = LandmarkScheduler(ModelStore(), frozenset({ModelFamily.HANDS, ModelFamily.FACE}))
    seen = [look_twice(scheduler, load_picture(folder, photo)) for photo in photos]
    still, streamed = (label_hands(photos, Sightings.of(each)) for each in zip(*seen, strict=True))
    return still.joined(streamed)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, prog="reactions.training.extract_landmarks"
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=REAL_HANDS)
    options = parser.parse_args()
    with exits_on_errors():
        hands = collect_photos(options.folder)
    hands.save(options.out)
    counts = np.bincount(hands.classes, minlength=len(CLASSES))
    for name, count in zip(CLASSES, counts, strict=True):
        print(f"{name:12} {count:4}")


if __name__ == "__main__":
    main()
