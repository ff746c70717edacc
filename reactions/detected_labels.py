"""Labels of a bundle that are objects: what a detector of the bundle tells apart.

``detector.json`` beside the ``detector.tflite`` says what the detector wants and what its classes
are called, how surely each must be seen, and what the reaction table does with it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from config.errors import ModelError
from reactions.bundle_json import read_bundle_json
from reactions.bundle_label import BundleLabel
from reactions.gestures.context import Context, Scorer, Sighting
from reactions.labels import LABELS, Group, LabelSpec
from reactions.landmark_types import ModelFamily
from reactions.landmarks.default_boxes import BoxLayer
from reactions.landmarks.object_detector import DetectorInput

MAX_CLASSES: Final = 32
"""Classes of one detector."""
_MOST_BOXES: Final = 50_000
_MAX_FILE: Final = 1 << 20
"""Bytes of ``detector.json``."""
Side = Annotated[float, Field(gt=0, le=8)]
Count = Annotated[int, Field(ge=1, le=512)]
Share = Annotated[float, Field(ge=0, le=1)]


class DetectedLabel(BundleLabel):
    """One class of the detector, and what it does."""

    release: ClassVar[float] = 0.3

    def spec(self) -> LabelSpec:
        """The label as one of the vocabulary."""
        families = frozenset({ModelFamily.DETECTOR})
        score = _object_scorer(self.name)
        return LabelSpec(
            self.name, Group.OBJECT, families, score, self.how, self.threshold, self.title
        )


def _object_scorer(name: str) -> Scorer:
    def score(context: Context) -> Iterator[Sighting]:
        for reading in context.motion.objects:
            if reading.name == name:
                yield Sighting(reading.score, reading.box)

    return score


class LayerTable(BaseModel):
    """One layer of default boxes, see ``BoxLayer``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: Count
    columns: Count
    shapes: Annotated[tuple[tuple[Side, Side], ...], Field(min_length=1, max_length=32)]


class ObjectFigures(BaseModel):
    """How well one class is detected in held-out pictures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    boxes: Annotated[int, Field(ge=0)]
    average_precision: Share | None = None
    """At an overlap of 0.5; None without boxes."""
    recall: Share | None = None
    """Of the boxes, so many are found at the threshold."""
    precision: Share | None = None
    """Of what is found at the threshold, so much is right."""
    false_a_hundred: Annotated[float, Field(ge=0)] | None = None
    """Boxes at the threshold, a hundred pictures, where no object of the class is."""


class DetectorCard(BaseModel):
    """``detector.json``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    width: Annotated[int, Field(ge=32, le=1024)]
    height: Annotated[int, Field(ge=32, le=1024)]
    """Of the input, pixels."""
    layers: Annotated[tuple[LayerTable, ...], Field(min_length=1, max_length=8)]
    labels: Annotated[tuple[DetectedLabel, ...], Field(min_length=1, max_length=MAX_CLASSES)]
    """In the order of the detector's classes."""
    figures: dict[str, ObjectFigures] = {}
    """By label, in pictures that were held out of the training."""
    trained: dict[str, str | int | float] = {}
    """How it was trained, for people."""

    @model_validator(mode="after")
    def _fits(self) -> "DetectorCard":
        names = [label.name for label in self.labels]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"{twice[0]} is detected twice")
        if sum(one.rows * one.columns * len(one.shapes) for one in self.layers) > _MOST_BOXES:
            raise ValueError("has too many boxes")
        return self

    def wants(self) -> DetectorInput:
        """What the detector is run with."""
        layers = tuple(BoxLayer(one.rows, one.columns, one.shapes) for one in self.layers)
        names = tuple(label.name for label in self.labels)
        return DetectorInput(self.width, self.height, layers, names)


_CARD: Final = TypeAdapter(DetectorCard)


def read_detector(path: Path) -> DetectorCard:
    """The ``detector.json`` at ``path``; raises ModelError that says in one line what is wrong."""
    return read_bundle_json(_CARD, path, limit=_MAX_FILE, do="make the bundle again")


def write_detector(card: DetectorCard, path: Path) -> None:
    """Write ``card`` for ``read_detector``."""
    path.write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")


def label_of_box(name: str) -> str:
    """As ``object_label``, but empty where there is no such label."""
    try:
        return object_label(name)
    except ModelError:
        return ""


def object_label(name: str) -> str:
    """The name of a label for the class ``name`` of a data set.

    Raises ModelError where it has no letter.
    """
    words = "".join(c if c.isascii() and c.isalpha() else " " for c in name.lower()).split()
    label = "_".join(words)[:40].rstrip("_")
    if not label:
        do = "rename it, with letters of a to z"
        raise ModelError("can't be the name of a label", where=repr(name[:60]), do=do)
    return f"{label[:33]}_object" if label in LABELS else label


HOW: Final[Mapping[str, str]] = {
    "mug": "hold a mug into the picture",
    "phone": "hold a phone into the picture",
    "glass": "hold a glass into the picture",
    "book": "hold a book into the picture",
    "glasses": "wear glasses",
}
"""How people show our own classes; others are shown in general words."""
OBJECT_STICKERS: Final[Mapping[str, str]] = {
    "mug": "coffee",
    "phone": "call_me",
    "glass": "party",
    "book": "idea",
    "glasses": "eyes",
}
"""What our own classes play where a row makes them stickers; detected objects are events first."""
