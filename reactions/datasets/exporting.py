"""Write a data set in another tool's format."""

import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from reactions.datasets.leaving import FormatWriter, leaving
from reactions.datasets.problems import ProblemList
from reactions.datasets.records import PictureRecord
from reactions.datasets.store import Dataset, new_folder, refuse_existing, whole_file

_METHOD: Final = zipfile.ZIP_DEFLATED


def export_dataset(
    dataset: Dataset,
    write: FormatWriter,
    target: Path,
    problems: ProblemList,
    move: Callable[[float, str], None] = lambda share, what: None,
) -> int:
    """Write ``dataset`` into the new folder ``target``, or the new zip if its name ends so.

    It appears whole or not at all. Returns how many pictures were at hand; those whose file is
    missing are listed. ``move`` gets the share that is copied. Raises DatasetError where
    ``target`` is there.
    """
    refuse_existing(target)
    found = leaving(_present(dataset, problems), move)
    if target.suffix.lower() != ".zip":
        with new_folder(target) as folder:
            write(found, folder, problems)
        return len(found)
    with tempfile.TemporaryDirectory(prefix="sidecar-dataset-") as temporary:
        write(found, Path(temporary), problems)
        with whole_file(target) as partial, zipfile.ZipFile(partial, "w", _METHOD) as packed:
            for path in sorted(Path(temporary).rglob("*")):
                packed.write(path, path.relative_to(temporary).as_posix())
    return len(found)


def _present(dataset: Dataset, problems: ProblemList) -> Iterator[tuple[PictureRecord, Path]]:
    for record in dataset.records.values():
        path = dataset.path(record)
        if path.is_file():
            yield record, path
        else:
            problems.add(record.name, 0, f"its file {record.file} is missing: left out")
