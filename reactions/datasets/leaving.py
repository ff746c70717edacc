"""Pictures on their way out: names that are unique in a folder, and globox' annotations of them."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final, TypeAlias

from reactions.datasets.parsing import missing_extra
from reactions.datasets.problems import ProblemList
from reactions.datasets.records import LabelledBox, PictureRecord, Split

if TYPE_CHECKING:
    from globox import Annotation, AnnotationSet

_HASH: Final = 8
"""Digits of the content's hash that make a name unique."""


@dataclass(frozen=True, slots=True)
class LeavingPicture:
    """A picture, its file, and the name that it gets; names differ without their suffixes, too."""

    record: PictureRecord
    path: Path
    name: str
    copied: Callable[[str], None] = lambda name: None
    """Is called with the name after each copy."""

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return PurePath(self.name).stem

    def copy(self, folder: Path) -> None:
        """Put the file into ``folder``, which is made if it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.path, folder / self.name)
        self.copied(self.name)


FormatWriter: TypeAlias = Callable[[Sequence[LeavingPicture], Path, ProblemList], None]
"""Writes pictures and labels into a new folder; lists what the format can't hold."""


def leaving(
    pictures: Iterable[tuple[PictureRecord, Path]], move: Callable[[float, str], None]
) -> list[LeavingPicture]:
    """Each picture with a unique name: its own, or with eight digits of its hash.

    ``move`` gets the share of them that is copied, and a name.
    """
    pairs = list(pictures)
    stems = Counter(PurePath(record.name).stem.lower() for record, _ in pairs)
    found = []
    copied = 0

    def count(name: str) -> None:
        nonlocal copied
        copied += 1
        move(copied / len(pairs), name)

    for record, path in pairs:
        stem = PurePath(record.name).stem
        if stems[stem.lower()] > 1:
            stem = f"{stem}-{record.file[:_HASH]}"
        found.append(LeavingPicture(record, path, stem + path.suffix, count))
    return found


def classes_of(pictures: Iterable[LeavingPicture]) -> list[str]:
    """The labels of all boxes, sorted: the classes of a detector."""
    return sorted({box.label for picture in pictures for box in picture.record.boxes})


def by_split(pictures: Iterable[LeavingPicture]) -> dict[Split, list[LeavingPicture]]:
    """The pictures of each split that has some."""
    found: dict[Split, list[LeavingPicture]] = {}
    for picture in pictures:
        found.setdefault(picture.record.split, []).append(picture)
    return found


def list_unboxed(pictures: Iterable[LeavingPicture], problems: ProblemList, kind: str) -> None:
    """List labels of whole pictures, which formats of boxes can't hold."""
    for picture in pictures:
        if picture.record.labels:
            what = f"{', '.join(picture.record.labels)!r} has no box, and {kind} holds boxes alone"
            problems.add(picture.name, 0, what)


def annotation(picture: LeavingPicture, name: str = "") -> "Annotation":
    """What globox writes for ``picture``, under ``name`` if given."""
    try:
        from globox import Annotation
    except ImportError as error:
        raise missing_extra(error) from error
    size = picture.record.width, picture.record.height
    return Annotation(name or picture.name, size, [_box(box) for box in picture.record.boxes])


def annotation_set(pictures: Iterable[LeavingPicture]) -> "AnnotationSet":
    """What globox writes for ``pictures``."""
    annotations = [annotation(picture) for picture in pictures]
    from globox import AnnotationSet

    return AnnotationSet(annotations)


def _box(box: LabelledBox) -> object:
    from globox import BoundingBox

    return BoundingBox(
        label=box.label, xmin=box.left, ymin=box.top, xmax=box.right, ymax=box.bottom
    )
