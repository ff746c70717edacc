"""CSV: a row a box, in the columns of TensorFlow's detection tutorials and the origin's.

``filename,width,height,class,xmin,ymin,xmax,ymax`` and then ``split,person,source,author,licence,
consent,url,delete_after``. A row without edges labels the whole picture, one without a class shows
nothing. Columns may be missing and in any order.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

from reactions.datasets.found import FoundBox, FoundPicture, split_named
from reactions.datasets.leaving import LeavingPicture
from reactions.datasets.parsing import number, stated_size
from reactions.datasets.problems import ProblemList
from reactions.datasets.records import MAX_NAME, MAX_TEXT, Origin
from reactions.datasets.source_tree import SourceTree, read_limited

_EDGES: Final = ("xmin", "ymin", "xmax", "ymax")
_TEXTS: Final = ("person", "source", "author", "licence", "consent", "url")
_COLUMNS: Final = (
    *("filename", "width", "height", "class"),
    *_EDGES,
    "split",
    *_TEXTS,
    "delete_after",
)
_OTHER_NAMES: Final = {"picture": "filename", "image": "filename", "file": "filename"} | {
    "label": "class",
    "name": "class",
    "license": "licence",
}


@dataclass(slots=True)
class _Row:
    """The rows of one picture, gathered."""

    path: Path
    line: int
    first: Mapping[str, str]
    boxes: list[FoundBox] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)


def read_csv(tree: SourceTree, problems: ProblemList) -> Iterator[FoundPicture]:
    """The pictures of each CSV that has a column ``filename``."""
    for path in tree.annotations(".csv"):
        found: dict[Path, _Row] = {}
        for line, row in _rows(path, problems):
            name = row.get("filename", "")
            picture = tree.find(name, path) if name else None
            if picture is None:
                problems.add(path, line, f"picture {name!r} is missing")
                continue
            _take(found.setdefault(picture, _Row(picture, line, row)), row, line, path, problems)
        for entry in found.values():
            yield FoundPicture(
                entry.path,
                path,
                entry.line,
                tuple(entry.boxes),
                tuple(dict.fromkeys(entry.labels)),
                stated_size(entry.first.get("width", ""), entry.first.get("height", "")),
                split_named(entry.first.get("split", "")),
                _origin(entry, path, problems),
            )


def _rows(path: Path, problems: ProblemList) -> Iterator[tuple[int, Mapping[str, str]]]:
    content = read_limited(path, problems)
    if content is None:
        return
    reader = csv.reader(io.StringIO(content.decode("utf-8-sig", "replace"), newline=""))
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        header = [_OTHER_NAMES.get(name, name) for name in header]
        if "filename" not in header:
            problems.add(path, 1, "has no column 'filename'")
            return
        for values in reader:
            if values and len(values) != len(header):
                what = f"has {len(values)} fields, the header {len(header)}: left out"
                problems.add(path, reader.line_num, what)
            elif values:
                yield reader.line_num, dict(zip(header, map(str.strip, values), strict=True))
    except csv.Error as error:
        problems.add(path, reader.line_num, f"is broken CSV: {error}")


def _take(
    entry: _Row, row: Mapping[str, str], line: int, path: Path, problems: ProblemList
) -> None:
    label = row.get("class", "")
    texts = [row.get(edge, "") for edge in _EDGES]
    if not label:
        return
    if not any(texts):
        entry.labels.append(label)
        return
    left, top, right, bottom = map(number, texts)
    if left is None or top is None or right is None or bottom is None:
        problems.add(path, line, "has edges that are no numbers: left out")
        return
    entry.boxes.append(FoundBox(label, left, top, right, bottom, line))


def _origin(entry: _Row, path: Path, problems: ProblemList) -> Origin:
    limits = dict.fromkeys(_TEXTS, MAX_NAME) | {"url": MAX_TEXT}
    texts = {name: entry.first.get(name, "")[:limit] for name, limit in limits.items()}
    origin = Origin(
        texts["person"],
        texts["source"],
        texts["author"],
        texts["licence"],
        texts["consent"],
        url=texts["url"],
    )
    day = entry.first.get("delete_after", "")
    try:
        return replace(origin, delete_after=date.fromisoformat(day)) if day else origin
    except ValueError:
        problems.add(path, entry.line, f"delete_after {day!r} is no date such as 2027-01-31")
        return origin


def write_csv(pictures: Sequence[LeavingPicture], target: Path, problems: ProblemList) -> None:
    """Write ``labels.csv`` and ``images``."""
    with (target / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for picture in pictures:
            picture.copy(target / "images")
            record = picture.record
            before = f"images/{picture.name}", record.width, record.height
            texts = (getattr(record.origin, name) for name in _TEXTS)
            after = record.split.value, *texts, record.origin.delete_after or ""
            rows: list[tuple[object, ...]] = [
                (box.label, box.left, box.top, box.right, box.bottom) for box in record.boxes
            ]
            rows += [(label, "", "", "", "") for label in record.labels]
            writer.writerows((*before, *row, *after) for row in rows or [("", "", "", "", "")])
