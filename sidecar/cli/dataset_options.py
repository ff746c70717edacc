"""Arguments that several commands of ``sidecar dataset`` have, and what they mean."""

import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.errors import DatasetError
from sidecar.plain_text import escape_controls

if TYPE_CHECKING:
    from reactions.datasets.records import Origin

Folder = Annotated[Path, typer.Argument(metavar="DATASET", help="Folder of the data set.")]
Into = Annotated[
    Path, typer.Option("--into", metavar="DATASET", help="Data set to add to; made if missing.")
]
ReadFormat = Annotated[
    str,
    typer.Argument(
        metavar="FORMAT", help="voc yolo coco cvat labelme labelstudio roboflow folders hagrid csv"
    ),
]
Source = Annotated[Path, typer.Argument(help="A folder, a zip, or an annotation file.")]
ClassesFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Take the labels in this predefined_classes.txt alone."),
]
KeepNames = Annotated[
    bool, typer.Option("--keep-names", help="Keep the labels as the source calls them.")
]
SplitName = Annotated[
    str, typer.Option(help="train, validation or test, where the source says none.")
]
Person = Annotated[str, typer.Option(help="Who is in the pictures.")]
SourceName = Annotated[
    str, typer.Option("--source", help="What the pictures were taken from; kept in one split.")
]
Author = Annotated[str, typer.Option(help="Who made the pictures.")]
Licence = Annotated[str, typer.Option(help="Under which licence.")]
Consent = Annotated[str, typer.Option(help="Who agreed to what, and when.")]
DeleteAfter = Annotated[
    str, typer.Option("--delete-after", metavar="YYYY-MM-DD", help="The last day to keep them.")
]


def print_problems(problems: Iterable[object]) -> None:
    for problem in problems:
        print(f"sidecar: note: {shown(str(problem))}", file=sys.stderr)


def shown(text: str) -> str:
    """``text`` as it can be printed on a terminal: a file's name may hold any bytes."""
    return escape_controls(text.encode(errors="surrogateescape").decode(errors="replace"))


def origin_of(
    person: str, source: str, author: str, licence: str, consent: str, delete_after: str
) -> "Origin":
    from reactions.datasets.records import Origin

    try:
        day = date.fromisoformat(delete_after) if delete_after else None
    except ValueError as error:
        what = f"{delete_after!r} is no date"
        raise DatasetError(what, where="--delete-after", do="write it as 2027-01-31") from error
    return Origin(person, source, author, licence, consent, day)


def class_list(path: Path) -> tuple[str, ...]:
    """The labels in a predefined_classes.txt, in their order; raises DatasetError."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except ValueError as error:
        raise DatasetError("is no UTF-8 text", where=str(path)) from error
    except OSError as error:
        raise DatasetError(f"can't be read: {error.strerror}", where=str(path)) from error
    return tuple(dict.fromkeys(line.strip() for line in lines if line.strip()))
