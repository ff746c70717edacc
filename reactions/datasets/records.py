"""What a data set knows of a picture: one JSON line of its manifest (docs/datasets.md)."""

from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, TypeAdapter, ValidationError

MAX_NAME: Final = 200
"""Characters of a label, a name or a person."""
MAX_TEXT: Final = 2000
"""Characters of a text about a picture's origin."""
MAX_LABELS: Final = 100
"""Of one whole picture."""
MAX_BOXES: Final = 10_000
"""Of one picture."""

Coordinate = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
Text = Annotated[str, Field(max_length=MAX_TEXT)]


def storable(text: str) -> str:
    """``text`` without control characters and what UTF-8 lacks, which names and JSON may have."""
    valid = text.encode(errors="replace").decode()
    return "".join(char if char.isprintable() else "_" for char in valid)


class Split(StrEnum):
    """What a picture is for."""

    NONE = ""
    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class LabelledBox:
    """A label and where it is: pixels of the upright picture, from its left and top edge."""

    label: Name
    left: Coordinate
    top: Coordinate
    right: Coordinate
    bottom: Coordinate

    @property
    def width(self) -> float:
        """Pixels, never negative in a record that an import made."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Pixels, as ``width``."""
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Origin:
    """Who is in a picture, what it was taken from, and what may be done with it.

    ``source``: the recording or folder; pictures of one are alike. ``delete_after``: the last day
    on which the picture may be kept. ``url``: where it was downloaded from.
    """

    person: Text = ""
    source: Text = ""
    author: Text = ""
    licence: Text = ""
    consent: Text = ""
    delete_after: date | None = None
    url: Text = ""

    def cleaned(self) -> "Origin":
        """The same with texts that a manifest can hold: see `storable`."""
        return replace(
            self,
            person=storable(self.person)[:MAX_TEXT],
            source=storable(self.source)[:MAX_TEXT],
            author=storable(self.author)[:MAX_TEXT],
            licence=storable(self.licence)[:MAX_TEXT],
            consent=storable(self.consent)[:MAX_TEXT],
            url=storable(self.url)[:MAX_TEXT],
        )


@dataclass(frozen=True, slots=True)
class PictureRecord:
    """A picture and its labels.

    ``file``: SHA-256 of the content and a suffix; ``name``: the file's name where it came from;
    ``look``: 64 bits as hexadecimal digits, alike for pictures that look alike; ``labels``: what
    the whole picture shows; ``time``: seconds in the video that it is a frame of.
    """

    file: Annotated[str, Field(pattern=r"^[0-9a-f]{64}\.[a-z0-9]{1,5}$")]
    name: Name
    width: Annotated[int, Field(ge=1, le=65_535)]
    height: Annotated[int, Field(ge=1, le=65_535)]
    look: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    boxes: Annotated[tuple[LabelledBox, ...], Field(max_length=MAX_BOXES)] = ()
    labels: Annotated[tuple[Name, ...], Field(max_length=MAX_LABELS)] = ()
    split: Split = Split.NONE
    origin: Origin = field(default_factory=Origin)
    time: Coordinate | None = None

    @property
    def shown(self) -> tuple[str, ...]:
        """The label of each box and of the whole picture; one that both have is named once."""
        boxed = [box.label for box in self.boxes]
        return (*boxed, *(label for label in self.labels if label not in boxed))

    def to_json(self) -> bytes:
        """One line, without its end; fields with their defaults are left out."""
        return _RECORDS.dump_json(self, exclude_defaults=True)


_RECORDS = TypeAdapter(PictureRecord)


def record_from_json(line: bytes) -> PictureRecord:
    """The record in ``line``; raises ValueError that names the first wrong field."""
    try:
        return _RECORDS.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ValueError(f"{where}: {first['msg']}" if where else first["msg"]) from error
