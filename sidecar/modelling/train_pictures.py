"""Hands in users' data sets, as the training of the hand classifier takes them."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from config.errors import PictureError
from reactions.datasets.records import LabelledBox, PictureRecord, Split
from reactions.datasets.store import Dataset, open_dataset
from reactions.gestures.hand_classes import CLASSES, NONE, SHAPES
from reactions.labels import LABELS
from reactions.landmark_types import Hand, ModelFamily, Observation, Side
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.scheduler import LandmarkScheduler
from reactions.training.checkpoints import write_whole
from reactions.training.dataset import RealHands
from reactions.training.label_names import Shown, meaning_of
from reactions.training.sightings import look_twice
from sidecar.media.pictures import read_picture

LONGEST: Final = 1280
"""Pixels of the longer side at which pictures are read."""


@dataclass(frozen=True, slots=True)
class DatasetHand:
    """One hand of a picture, in pixels, and what it shows."""

    points: list[list[float]]
    left: bool
    shape: str


def read_dataset_hands(
    folders: Sequence[Path],
    store: ModelStore,
    cache: Path,
    move: Callable[[float, str], None] = lambda share, what: None,
    *,
    splits: frozenset[Split] = frozenset({Split.NONE, Split.TRAIN, Split.VALIDATION}),
) -> RealHands:
    """The hands of data sets in ``folders``, of pictures in ``splits``, and what they show.

    What an earlier run read is taken from ``cache``. A picture that can't be read is left out.
    Raises DatasetError, and ModelError without the landmark models.
    """
    pictures = [
        (dataset, record)
        for dataset in map(open_dataset, folders)
        for record in dataset.records.values()
        if record.split in splits
    ]
    scheduler = LandmarkScheduler(store, frozenset({ModelFamily.HANDS, ModelFamily.FACE}))
    cache.mkdir(parents=True, exist_ok=True)
    found: list[DatasetHand] = []
    people: dict[str, int] = {}
    sources: list[str] = []
    for done, (dataset, record) in enumerate(pictures):
        move(done / len(pictures), record.name)
        hands = _read_cached(dataset, record, scheduler, cache)
        found += hands
        origin = record.origin
        person = origin.person or f"{dataset.folder.name}/{origin.source}"
        # The classifier's file tells the sources, and is given away: it holds no name.
        sources += [f"data set, person {people.setdefault(person, len(people) + 1)}"] * len(hands)
    return _as_real_hands(found, sources)


def _as_real_hands(found: Sequence[DatasetHand], sources: Sequence[str]) -> RealHands:
    return RealHands(
        np.array([hand.points for hand in found], np.float32).reshape(-1, 21, 2),
        np.array([hand.left for hand in found], np.bool_),
        np.array([CLASSES.index(hand.shape) for hand in found], np.int64),
        np.array(sources, np.str_),
    )


def _read_cached(
    dataset: Dataset, record: PictureRecord, scheduler: LandmarkScheduler, cache: Path
) -> list[DatasetHand]:
    file = cache / f"{record.file[:64]}.json"
    labels = record.to_json().decode()
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        if kept["record"] == labels:
            return [DatasetHand(**hand) for hand in kept["hands"]]
    except (OSError, ValueError, KeyError, TypeError):
        pass
    try:
        pixels = read_picture(dataset.path(record), longest=LONGEST).pixels
    except PictureError:
        return []
    hands = [
        hand for seen in look_twice(scheduler, pixels) for hand in label_picture_hands(record, seen)
    ]
    plain = [{"points": one.points, "left": one.left, "shape": one.shape} for one in hands]
    write_whole(file, json.dumps({"record": labels, "hands": plain}).encode())
    return hands


def label_picture_hands(record: PictureRecord, seen: Observation) -> Iterator[DatasetHand]:
    """The hands of which ``record`` says what they show: those in its boxes, or the upper hand of a
    picture that is labelled as a whole."""
    hands = sorted(seen.hands, key=lambda hand: float(hand.points[:, 1].mean()))
    across, down = seen.width / record.width, seen.height / record.height
    if not record.boxes:
        shapes = [shape for label in record.labels if (shape := hand_shape_of(label)) is not None]
        for hand in hands[:1] if len(shapes) == 1 else ():
            yield _labelled(hand, shapes[0])
        return
    for hand in hands:
        x, y = (hand.points[:, :2].mean(axis=0) / (across, down)).tolist()
        inside = [box for box in record.boxes if _holds(box, x, y)]
        shape = hand_shape_of(inside[0].label) if len(inside) == 1 else None
        if shape is not None:
            yield _labelled(hand, shape)


def _holds(box: LabelledBox, x: float, y: float) -> bool:
    return box.left <= x <= box.right and box.top <= y <= box.bottom


def _labelled(hand: Hand, shape: str) -> DatasetHand:
    points = np.round(hand.points[:, :2].astype(np.float64), 2).tolist()
    return DatasetHand(points, hand.side is Side.LEFT, shape)


def hand_shape_of(label: str) -> str | None:
    """The class of a hand that is labelled so: ``none`` for what is no label of the vocabulary;
    None where the label says nothing about the hand's shape."""
    meaning = meaning_of(label)
    if meaning.shown is Shown.UNSCORED:
        return None
    if meaning.label in SHAPES:
        return meaning.label
    return None if meaning.label in LABELS else NONE
