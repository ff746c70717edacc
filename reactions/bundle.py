"""Bundles of models: a folder with a ``bundle.json``, the hand classifier, thresholds, checksums,
and labels that users taught.

``bundle.json`` says what is in the folder::

    {"format": 1, "name": "team-b", "created": "2026-11-01",
     "files": {"hand_classifier.tflite": "SHA-256", "hand_classifier.json": "SHA-256"},
     "labels": ["ok_hand", …], "thresholds": {"fist": 0.7}}

``taught.json`` holds taught labels, ``trained.json`` networks of faces and bodies,
``detector.tflite`` with its ``detector.json`` finds objects, ``card.md`` is for people, and
stickers of these labels are further files; all of them are listed in ``files``, and none of them is
needed. Of the folder only what is listed is ever read.

What the program itself ships is the bundle ``shipped``. A bundle is read whole and checked before
any of it is used; a wrong or changed one is refused with one line.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from errno import ENOENT
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from config.errors import ModelError
from reactions.bundle_json import read_bundle_json
from reactions.bundle_label import BUNDLE_FILE, BundleLabel
from reactions.detected_labels import DetectedLabel, read_detector
from reactions.gestures.hand_classes import CLASSES
from reactions.gestures.hand_classifier import SHIPPED, HandShapeClassifier
from reactions.landmarks.object_detector import ObjectDetector
from reactions.taught_labels import TaughtLabel, read_taught
from reactions.trained_heads import TrainedHead, read_heads

SHIPPED_NAME: Final = "shipped"
CARD: Final = "bundle.json"
WEIGHTS: Final = "hand_classifier.tflite"
CLASSIFIER_CARD: Final = "hand_classifier.json"
TAUGHT: Final = "taught.json"
TRAINED: Final = "trained.json"
MODEL_CARD: Final = "card.md"
DETECTOR: Final = "detector.tflite"
DETECTOR_CARD: Final = "detector.json"
NAME: Final = r"^[a-z0-9][a-z0-9._-]{0,63}$"
MAX_FILE: Final = 64 << 20
"""Bytes of one file; the shipped classifier has 0.2 MB."""
MAX_STICKER: Final = 8 << 20
"""Bytes of a sticker."""
_OWN: Final = frozenset(
    {CARD, WEIGHTS, CLASSIFIER_CARD, TAUGHT, TRAINED, MODEL_CARD, DETECTOR, DETECTOR_CARD}
)
_MAX_CARD: Final = 1 << 20
"""Bytes of ``bundle.json``."""
_DO: Final = "make the bundle again"


class BundleCard(BaseModel):
    """``bundle.json``."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    format: Literal[1]
    name: Annotated[str, Field(pattern=NAME)]
    """That of the folder."""
    created: Annotated[str, Field(pattern="^[ -~]*$", max_length=40)] = ""
    """A date, for people."""
    description: Annotated[str, Field(max_length=1000)] = ""
    files: Annotated[
        dict[str, Annotated[str, Field(pattern="^[0-9a-f]{64}$")]], Field(max_length=64)
    ]
    """SHA-256 of each file beside ``bundle.json``."""
    labels: tuple[str, ...]
    """What the hand classifier tells apart, in its order."""
    thresholds: dict[str, Annotated[float, Field(gt=0, le=1)]] = {}
    """The score from which a label counts, where the reaction table says nothing else."""
    parent: Annotated[str, Field(pattern=f"^$|{NAME}")] = ""
    """The bundle that this one was made from."""


@dataclass(frozen=True, slots=True)
class ModelBundle:
    """A bundle that was checked. Picklable: workers load the classifier by its path."""

    name: str
    folder: Path | None = None
    """None for what the program ships."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    created: str = ""
    description: str = ""
    taught: tuple[TaughtLabel, ...] = ()
    """Labels beside those of the vocabulary."""
    parent: str = ""
    """The bundle that this one was made from; empty for none."""
    files: frozenset[str] = frozenset()
    """What ``bundle.json`` lists: plain files of the folder, each with its checksum."""
    heads: tuple[TrainedHead, ...] = ()
    """Networks that score labels of the vocabulary in place of their rules, or beside them."""
    detected: tuple[DetectedLabel, ...] = ()
    """Objects that its detector finds."""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The bundle in ``folder``; raises ModelError for one that is incomplete or changed."""
        card = _card(folder)
        if card.name != folder.name:
            what = f"{CARD} is of the bundle {card.name!r}"
            raise ModelError(what, where=str(folder), do="name the folder like its bundle")
        if missing := sorted({WEIGHTS, CLASSIFIER_CARD} - card.files.keys()):
            raise ModelError(f"{CARD} lists no {missing[0]}", where=str(folder), do=_DO)
        for name, checksum in card.files.items():
            _check_file(folder, name, checksum)
        if card.labels != CLASSES:
            what = "the hand classifier tells other labels apart than this version"
            raise ModelError(what, where=str(folder), do="train it for this version")
        heads = read_heads(folder / TRAINED) if TRAINED in card.files else ()
        known = {*CLASSES, *(label for head in heads for label in head.labels)}
        if unknown := sorted(card.thresholds.keys() - known):
            what = f"a threshold for {unknown[0]!r}, which no network of the bundle scores"
            raise ModelError(what, where=str(folder), do=_DO)
        HandShapeClassifier(folder / WEIGHTS)
        taught = read_taught(folder / TAUGHT) if TAUGHT in card.files else ()
        thresholds = dict(card.thresholds)
        detected = _read_detector(folder, card)
        made = (card.created, card.description, taught, card.parent)
        bundle = cls(card.name, folder, thresholds, *made, frozenset(card.files), heads, detected)
        _check_names(bundle)
        _check_stickers(bundle)
        return bundle

    @property
    def weights(self) -> Path:
        """The hand classifier's file."""
        return SHIPPED if self.folder is None else self.folder / WEIGHTS

    @property
    def detector(self) -> Path | None:
        """The file of its detector of objects; None where it has none."""
        return self.folder / DETECTOR if self.folder is not None and self.detected else None

    @property
    def labels(self) -> tuple[BundleLabel, ...]:
        """All labels beside those of the vocabulary."""
        return (*self.taught, *self.detected)

    @property
    def stickers(self) -> Mapping[str, Path]:
        """The files of the bundle that its labels play, by their names."""
        if self.folder is None:
            return {}
        played = {label.sticker for label in self.labels if label.sticker is not None}
        return {name: self.folder / name for name in sorted(played & self.files - _OWN)}

    @property
    def model_card(self) -> Path | None:
        """Its own ``card.md``; None where it has none."""
        if self.folder is None or MODEL_CARD not in self.files:
            return None
        return self.folder / MODEL_CARD


SHIPPED_BUNDLE: Final = ModelBundle(SHIPPED_NAME, description="What this version ships.")


def write_card(
    folder: Path,
    *,
    name: str = "",
    created: str = "",
    description: str = "",
    thresholds: Mapping[str, float] | None = None,
    parent: str = "",
) -> None:
    """Make ``folder``, which holds a hand classifier and its card, a bundle of all its files.

    Its name is that of the folder unless ``name`` is what the folder will be called.
    """
    wanted = {WEIGHTS, CLASSIFIER_CARD}
    found = {path.name for path in folder.iterdir() if path.is_file()}
    wanted |= {one for one in found if one != CARD and not one.startswith(".")}
    card = BundleCard(
        format=1,
        name=name or folder.name,
        created=created,
        description=description,
        files={one: _checksum(folder / one) for one in sorted(wanted)},
        labels=CLASSES,
        thresholds=dict(thresholds or {}),
        parent=parent,
    )
    (folder / CARD).write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")


_CARD: Final = TypeAdapter(BundleCard)


def _card(folder: Path) -> BundleCard:
    path = folder / CARD
    if folder.is_symlink() or path.is_symlink():
        raise ModelError("is a link", where=str(folder), do="copy the bundle")
    if not path.is_file():
        what = f"can't be read: {os.strerror(ENOENT)}"
        raise ModelError(what, where=str(path), do=_DO)
    return read_bundle_json(_CARD, path, limit=_MAX_CARD, do=_DO)


def _check_file(folder: Path, name: str, checksum: str) -> None:
    where = str(folder / name)
    if re.fullmatch(BUNDLE_FILE, name) is None or not _is_plain(folder / name):
        raise ModelError("is not a plain file of the bundle", where=where, do=_DO)
    try:
        if (folder / name).stat().st_size > MAX_FILE:
            raise ModelError(f"exceeds {MAX_FILE} bytes", where=where, do=_DO)
        found = _checksum(folder / name)
    except OSError as error:
        raise ModelError(f"can't be read: {error.strerror}", where=where, do=_DO) from error
    if found != checksum:
        raise ModelError("is not the file that the bundle was made with", where=where, do=_DO)


def _read_detector(folder: Path, card: BundleCard) -> tuple[DetectedLabel, ...]:
    """The labels of a bundle's detector, which is loaded once; none where it has none."""
    listed = {DETECTOR, DETECTOR_CARD} & card.files.keys()
    if not listed:
        return ()
    if len(listed) == 1:
        other = ({DETECTOR, DETECTOR_CARD} - listed).pop()
        raise ModelError(f"{CARD} lists no {other}", where=str(folder), do=_DO)
    detector = read_detector(folder / DETECTOR_CARD)
    ObjectDetector(folder / DETECTOR, detector.wants())
    return detector.labels


def _check_names(bundle: ModelBundle) -> None:
    names = [label.name for label in bundle.labels]
    if twice := [name for name in names if names.count(name) > 1]:
        what = f"{twice[0]} is both a taught label and an object"
        raise ModelError(what, where=str(bundle.folder), do="teach it under another name")


def _check_stickers(bundle: ModelBundle) -> None:
    """Raise ModelError for a sticker that is no listed file, or too large.

    A name without a point may be one of ours.
    """
    for label in bundle.labels:
        name = label.sticker
        if name is None or ("." not in name and name not in bundle.files):
            continue
        where = f"{bundle.folder}: {label.name}.sticker"
        file = bundle.stickers.get(name)
        if file is None:
            raise ModelError("is no file that the bundle lists", where=where, do=_DO)
        if file.stat().st_size > MAX_STICKER:
            raise ModelError(f"exceeds {MAX_STICKER} bytes", where=where, do="make it smaller")


def _is_plain(file: Path) -> bool:
    """Whether ``file`` may be read: no link, and no pipe that would be waited for."""
    return not file.is_symlink() and (file.is_file() or not file.exists())


def _checksum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
