"""What heads learn from: readings of mannequins and of the pictures in users' data sets."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reactions.datasets.records import PictureRecord, Split
from reactions.datasets.store import Dataset, open_dataset
from reactions.gestures.context import Context
from reactions.gestures.hand_classes import NONE
from reactions.gestures.motion import Motion
from reactions.gestures.recognizer import Recognizer
from reactions.labels import families_for
from reactions.landmark_types import RgbImage
from reactions.landmarks.model_store import ModelStore
from reactions.landmarks.scheduler import LandmarkScheduler
from reactions.trained_heads import (
    HEAD_LABELS,
    HeadKind,
    head_classes,
    read_for_head,
    rule_scores,
)
from reactions.training.head_network import HeadExamples, HeadPlan
from reactions.training.head_pictures import HeadPicture, head_pictures
from reactions.training.label_names import meaning_of
from reactions.training.sightings import look_twice
from sidecar.media.pictures import read_picture
from sidecar.modelling.kept_readings import collect_readings

LONGEST: Final = 1280
"""Pixels of the longer side at which pictures of data sets are read."""
_SPLITS: Final = frozenset({Split.NONE, Split.TRAIN, Split.VALIDATION})


@dataclass(frozen=True, slots=True)
class _Source:
    """One picture, what it shows, and whose it is."""

    label: str
    person: str
    read: Callable[[], RgbImage]


class HeadReader:
    """Reads pictures as heads do; belongs to one thread. Raises ModelError without the models."""

    def __init__(self, kind: HeadKind, store: ModelStore) -> None:
        self._kind = kind
        labels = HEAD_LABELS[kind]
        self._scheduler = LandmarkScheduler(store, families_for(labels))
        self._recognizer = Recognizer(labels)

    def rows(self, source: _Source) -> Iterator[list[float]]:
        """The readings of one picture: class, the rules' scores, and the vector, in one list."""
        shown = head_classes(self._kind).index(source.label)
        for context in self._contexts(source.read()):
            reading = read_for_head(self._kind, context)
            if reading is not None:
                rules = rule_scores(self._kind, context)
                yield [float(shown), *rules, *reading.vector.tolist()]

    def _contexts(self, pixels: RgbImage) -> Iterator[Context]:
        for observation in look_twice(self._scheduler, pixels):
            yield self._recognizer.measure(observation, Motion())


def read_head_examples(
    plan: HeadPlan,
    folders: Sequence[Path],
    store: ModelStore,
    cache: Path,
    move: Callable[[float, str], None] = lambda share, what: None,
) -> HeadExamples:
    """The readings of the mannequins of ``plan``, and of the data sets in ``folders``.

    A picture without a label of the kind shows none of them. What an earlier run read is taken from
    ``cache``. A picture that can't be read is left out. Raises DatasetError, ModelError.
    """
    sources = [*map(_of_mannequin, head_pictures(plan.kind, plan.pictures, plan.seed))]
    for folder in folders:
        sources += _of_dataset(open_dataset(folder), plan.kind)
    reader = HeadReader(plan.kind, store)
    return collect_readings(plan, sources, reader.rows, cache, move)


def _of_mannequin(picture: HeadPicture) -> _Source:
    return _Source(picture.label, picture.person, picture.pixels)


def _of_dataset(dataset: Dataset, kind: HeadKind) -> Iterator[_Source]:
    for record in dataset.records.values():
        if record.split in _SPLITS and record.shown:
            yield _of_record(dataset, record, kind)


def _of_record(dataset: Dataset, record: PictureRecord, kind: HeadKind) -> _Source:
    names = {meaning_of(label).label for label in record.shown}
    mine = [label for label in HEAD_LABELS[kind] if label in names]
    origin = record.origin
    person = origin.person or origin.source or record.name
    path = dataset.path(record)
    return _Source(
        mine[0] if mine else NONE,
        f"{dataset.folder.name}/{person}",
        lambda: read_picture(path, longest=LONGEST).pixels,
    )
