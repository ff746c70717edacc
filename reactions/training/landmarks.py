"""``python -m reactions.training.landmarks FOLDER``: the landmarks of licence-clean photos, as
numbers that may be checked in.

FOLDER has an ``index.csv`` as docs/training.md describes. Only sources whose licence allows it are
read.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from config.errors import SidecarError
from reactions.gestures.shapes import CLASSES
from reactions.landmarks.store import ModelStore
from reactions.training.dataset import FREE_SOURCES, REAL_HANDS, RealHands, label_hands
from reactions.training.photos import look, read_index


def collect(folder: Path) -> RealHands:
    """The labelled hands in the photos of ``folder`` that may be learnt from."""
    photos = [
        photo
        for photo in read_index(folder)
        if photo.kind == "image" and photo.source in FREE_SOURCES and photo.shape is not None
    ]
    return label_hands(photos, look(folder, photos, ModelStore()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="reactions.training.landmarks")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=REAL_HANDS)
    options = parser.parse_args()
    try:
        hands = collect(options.folder)
    except SidecarError as error:
        sys.exit(str(error))
    hands.save(options.out)
    counts = np.bincount(hands.classes, minlength=len(CLASSES))
    for name, count in zip(CLASSES, counts, strict=True):
        print(f"{name:12} {count:4}")


if __name__ == "__main__":
    main()
