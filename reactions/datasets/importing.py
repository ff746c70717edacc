"""Take pictures of another tool's format into a data set."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

from config.errors import PictureError
from reactions.datasets.found import FormatReader, FoundBox, FoundPicture
from reactions.datasets.look import Look, Looker
from reactions.datasets.problems import ProblemList
from reactions.datasets.records import (
    MAX_BOXES,
    MAX_LABELS,
    MAX_NAME,
    LabelledBox,
    Origin,
    PictureRecord,
    Split,
    storable,
)
from reactions.datasets.source_tree import SourceTree
from reactions.datasets.store import Dataset, content_name

_SAVE_EVERY: Final = 10.0
"""Seconds between two writings of the manifest: what an interrupted import has to do again."""
_ROUNDING: Final = 1.5
"""Pixels by which a box may leave the picture: VOC counts from 1, others round."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What an import adds, and which labels it takes.

    ``origin``: fields that are set fill those that the source leaves empty; ``split`` likewise.
    ``classes``: labels that are taken, all if None. ``names``: ours for the source's.
    """

    origin: Origin = field(default_factory=Origin)
    split: Split = Split.NONE
    classes: Collection[str] | None = None
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class ImportReport:
    """How many pictures and boxes came in, and how many were there already, unchanged."""

    pictures: int = 0
    boxes: int = 0
    known: int = 0


class PictureImport:
    """One import into ``dataset``; ``look`` decodes the pictures."""

    def __init__(
        self,
        dataset: Dataset,
        options: ImportOptions,
        look: Looker,
        problems: ProblemList,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dataset = dataset
        self._options = options
        self._look = look
        self._problems = problems
        self._clock = clock
        self._seen: dict[str, Path] = {}
        self.report = ImportReport()

    def run(
        self, read: FormatReader, tree: SourceTree, move: Callable[[float, str], None]
    ) -> ImportReport:
        """Import what ``read`` finds; ``move`` gets the share that is done and the file.

        The manifest is written every ten seconds and at the end, also after an error: the next
        import of the same source goes on from there.
        """
        saved, total = self._clock(), max(len(tree.pictures), 1)
        try:
            for done, found in enumerate(read(tree, self._problems)):
                move(min(done / total, 1.0), found.path.name)
                self._take(found)
                if self._clock() - saved > _SAVE_EVERY:
                    self._dataset.save()
                    saved = self._clock()
        finally:
            self._dataset.save()
        move(1.0, "")
        return self.report

    def _take(self, found: FoundPicture) -> None:
        try:
            file = content_name(found.path)
        except OSError as error:
            self._problems.add(found.path, 0, f"can't be read: {error.strerror}")
            return
        if file in self._seen:
            other = self._seen[file].name
            self._problems.add(found.path, 0, f"is the same picture as {other}: left out")
            return
        self._seen[file] = found.path
        there = self._dataset.records.get(file)
        look = self._looked(found) if there is None else _look_of(there)
        if look is None:
            return
        record = self._record(found, file, look)
        if there is None:
            self._dataset.put(record, found.path)
            self.report.pictures += 1
            self.report.boxes += len(record.boxes)
        elif (record.boxes, record.labels) == (there.boxes, there.labels):
            self.report.known += 1
        else:
            what = "is in the data set with other labels, which are kept"
            self._problems.add(found.file, found.line, f"{found.path.name} {what}")

    def _looked(self, found: FoundPicture) -> Look | None:
        try:
            look = self._look(found.path)
        except PictureError as error:
            self._problems.add(found.path, 0, f"{error.what}: left out")
            return None
        if found.size is not None and found.size != (look.width, look.height):
            stated = f"states {found.size[0]}x{found.size[1]}"
            what = f"{stated}, but {found.path.name} is {look.width}x{look.height}: left out"
            self._problems.add(found.file, found.line, what)
            return None
        return look

    def _record(self, found: FoundPicture, file: str, look: Look) -> PictureRecord:
        size = look.width, look.height
        boxes = (self._box(found, box, size) for box in found.boxes[:MAX_BOXES])
        if len(found.boxes) > MAX_BOXES:
            self._problems.add(found.file, found.line, f"has more than {MAX_BOXES} boxes: cut off")
        labels = (self._label(label, found, found.line) for label in found.labels)
        return PictureRecord(
            file,
            storable(found.path.name)[-MAX_NAME:],
            *size,
            f"{look.bits:016x}",
            tuple(box for box in boxes if box is not None),
            tuple(dict.fromkeys(label for label in labels if label))[:MAX_LABELS],
            found.split or self._options.split,
            _filled(found.origin, self._options.origin).cleaned(),
        )

    def _label(self, name: str, found: FoundPicture, line: int) -> str:
        """Our label; empty, and listed, for one that is not taken."""
        label = self._options.names.get(name, name).strip()
        if not label or len(label) > MAX_NAME or not label.isprintable():
            self._problems.add(found.file, line, "has a label that is no name: left out")
            return ""
        classes = self._options.classes
        if classes is not None and label not in classes:
            self._problems.add(found.file, line, f"class {label!r} is unknown: left out")
            return ""
        return label

    def _box(self, found: FoundPicture, box: FoundBox, size: tuple[int, int]) -> LabelledBox | None:
        label = self._label(box.label, found, box.line)
        if not label:
            return None
        inside, cut = fitted_box(box, label, size)
        if inside is None:
            what = f"box of {label!r} is empty or outside the picture: left out"
            self._problems.add(found.file, box.line, what)
        elif cut:
            what = f"box of {label!r} reaches out of the picture: cut off at its edge"
            self._problems.add(found.file, box.line, what)
        return inside


def fitted_box(box: FoundBox, label: str, size: tuple[int, int]) -> tuple[LabelledBox | None, bool]:
    """``box`` in pixels, cut off at the picture's edges, and whether more than rounding was cut.

    None for a box without an area in the picture.
    """
    width, height = size
    across, down = (width, height) if box.shares else (1, 1)
    edges = box.left * across, box.top * down, box.right * across, box.bottom * down
    left, right = (min(max(edge, 0.0), float(width)) for edge in edges[::2])
    top, bottom = (min(max(edge, 0.0), float(height)) for edge in edges[1::2])
    if right <= left or bottom <= top:
        return None, True
    kept = left, top, right, bottom
    cut = max(abs(edge - inside) for edge, inside in zip(edges, kept, strict=True))
    return LabelledBox(label, *(round(edge, 4) for edge in kept)), cut > _ROUNDING


def _look_of(record: PictureRecord) -> Look:
    return Look(record.width, record.height, int(record.look, 16))


def _filled(origin: Origin, other: Origin) -> Origin:
    """``origin``, its empty fields from ``other``."""
    day: date | None = origin.delete_after or other.delete_after
    return replace(
        other,
        person=origin.person or other.person,
        source=origin.source or other.source,
        author=origin.author or other.author,
        licence=origin.licence or other.licence,
        consent=origin.consent or other.consent,
        delete_after=day,
        url=origin.url or other.url,
    )
