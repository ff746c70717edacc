"""A data set on disk: a manifest and pictures that are named by their content.

    FOLDER/dataset.jsonl       a line that names format and version, then a line a picture
    FOLDER/pictures/ab/ab….jpg  the files, unchanged, by the first two digits of their SHA-256
    FOLDER/annotations/ab….xml  the boxes as labelImg reads them, of pictures labelled on the page
    FOLDER/cache                thumbnails and the recogniser's opinions: may be deleted

The manifest is replaced as a whole, and a picture's file is there before its line: what is killed
in between leaves files without a line, which the next import of the same picture takes up and
``sidecar dataset prune`` deletes.
"""

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Final

from filelock import FileLock, Timeout

from config.errors import DatasetError
from reactions.datasets.records import PictureRecord, record_from_json

MANIFEST: Final = "dataset.jsonl"
FORMAT: Final = "reaction-sidecar-dataset"
VERSION: Final = 1
CACHE: Final = "cache"
_PICTURES: Final = "pictures"
_LOCK: Final = ".lock"
_PARTIAL: Final = re.compile(r"\.[0-9a-f]{16}\.partial")
_CONTENT: Final = re.compile(r"[0-9a-f]{64}\.[a-z0-9]+")
_MAX_LINE: Final = 4 << 20
"""Bytes of a line of the manifest."""


class Dataset:
    """The data set in ``folder``; `open_dataset` and `changing_dataset` make one."""

    def __init__(
        self,
        folder: Path,
        records: Mapping[str, PictureRecord],
        lines: Mapping[str, int] | None = None,
    ) -> None:
        self.folder = folder
        self._records = dict(records)
        self._lines = lines or {}

    @property
    def records(self) -> Mapping[str, PictureRecord]:
        """Each picture by its ``file``, in the order in which they came."""
        return MappingProxyType(self._records)

    def path(self, record: PictureRecord) -> Path:
        """Where the file of ``record`` is."""
        return self.folder / _PICTURES / record.file[:2] / record.file

    def annotation(self, record: PictureRecord) -> Path:
        """Where the boxes of ``record`` are kept for labelImg, if they are."""
        return self.folder / "annotations" / f"{record.file.partition('.')[0]}.xml"

    def thumbnail(self, record: PictureRecord) -> Path:
        """Where a small copy of the picture is kept, if one is."""
        stem = record.file.partition(".")[0]
        return self.folder / CACHE / "thumbnails" / stem[:2] / f"{stem}.jpg"

    def line(self, record: PictureRecord) -> int:
        """The line of the manifest that ``record`` was read from; 0 for one that is new."""
        return self._lines.get(record.file, 0)

    def put(self, record: PictureRecord, picture: Path | None = None) -> None:
        """Add or replace ``record``; ``picture`` is copied if given. `save` makes it last."""
        if picture is not None and not self.path(record).exists():
            _copy(picture, self.path(record))
        self._records[record.file] = record

    def remove(self, record: PictureRecord) -> None:
        """Delete a picture, its file first: after a crash a line without a file may stay, and the
        next call removes it."""
        for path in (self.path(record), self.annotation(record), self.thumbnail(record)):
            path.unlink(missing_ok=True)
        self._records.pop(record.file, None)

    def save(self) -> None:
        """Write the manifest whole or not at all."""
        header = json.dumps({"format": FORMAT, "version": VERSION}).encode()
        lines = [header, *(record.to_json() for record in self._records.values())]
        with whole_file(self.folder / MANIFEST) as partial:
            partial.write_bytes(b"\n".join(lines) + b"\n")


def open_dataset(folder: Path) -> Dataset:
    """The data set in ``folder``, to read; raises DatasetError where there is none."""
    manifest = folder / MANIFEST
    try:
        with manifest.open("rb") as file:
            header = file.readline(_MAX_LINE)
            _check_header(header, manifest)
            found = {record.file: (record, line) for line, record in _lines(file, manifest)}
    except OSError as error:
        do = f"name a folder that holds {MANIFEST}; sidecar dataset import makes one"
        what = f"is no data set: {error.strerror}"
        raise DatasetError(what, where=str(folder), do=do) from error
    records = {file: record for file, (record, _) in found.items()}
    return Dataset(folder, records, {file: line for file, (_, line) in found.items()})


@contextmanager
def changing_dataset(folder: Path, *, create: bool = False) -> Iterator[Dataset]:
    """The data set in ``folder``, which no other command changes meanwhile.

    ``create`` makes one in a new or empty folder. Raises DatasetError.
    """
    if not (folder / MANIFEST).exists() and create:
        _make_folder(folder)
    elif not (folder / MANIFEST).exists():
        open_dataset(folder)
    lock = FileLock(folder / _LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        what = "another command is changing this data set"
        raise DatasetError(what, where=str(folder), do="wait for it to end") from error
    try:
        yield open_dataset(folder)
    finally:
        lock.release()


def _make_folder(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(p.name != _LOCK for p in folder.iterdir())):
        what = "holds something else than a data set"
        raise DatasetError(what, where=str(folder), do="name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    Dataset(folder, {}).save()


def _check_header(line: bytes, manifest: Path) -> None:
    try:
        header = json.loads(line)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise DatasetError("is not a data set's manifest", where=f"{manifest}:1")
    if header.get("version") != VERSION:
        what = f"is of version {header.get('version')!r}; this program reads {VERSION}"
        raise DatasetError(what, where=f"{manifest}:1", do="update the program")


def _lines(file: Iterator[bytes], manifest: Path) -> Iterator[tuple[int, PictureRecord]]:
    for number, line in enumerate(file, 2):
        if not line.strip():
            continue
        try:
            yield number, record_from_json(line[:_MAX_LINE])
        except ValueError as error:
            do = "correct the line or delete it"
            raise DatasetError(str(error), where=f"{manifest}:{number}", do=do) from error


def overdue(dataset: Dataset, today: date) -> list[PictureRecord]:
    """The pictures whose last day is before ``today``."""
    days = ((record, record.origin.delete_after) for record in dataset.records.values())
    return [record for record, day in days if day is not None and day < today]


def unlisted(dataset: Dataset) -> list[Path]:
    """The pictures and unfinished copies of a command that was killed, which no record names.

    Files that users put into the folder are none of them: a picture's name is its content's.
    """
    named = set(map(dataset.path, dataset.records.values()))
    files = (path for path in (dataset.folder / _PICTURES).glob("*/*") if path not in named)
    return sorted(path for path in files if path.is_file() and _is_left_over(path))


def _is_left_over(path: Path) -> bool:
    if _PARTIAL.fullmatch(path.name):
        return True
    return _CONTENT.fullmatch(path.name) is not None and content_name(path) == path.name


def content_name(path: Path) -> str:
    """The name of a picture in a data set: its SHA-256 and its suffix in lower case."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    suffix = path.suffix.lower()
    return digest + (suffix if suffix[1:].isalnum() and suffix.isascii() else ".img")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(target) as partial:
        shutil.copyfile(source, partial)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A file beside ``path`` to write to, which replaces ``path`` when the block ends well.

    Raises DatasetError where its folder is not there.
    """
    if not path.parent.is_dir():
        what = "has no folder to be in"
        raise DatasetError(what, where=str(path), do=f"make {path.parent} first")
    partial = path.with_name(f".{secrets.token_hex(8)}.partial")  # as _PARTIAL
    try:
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink()


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder beside ``path`` to fill, which is named ``path`` when the block ends well.

    Raises DatasetError where ``path`` is there and not an empty folder.
    """
    refuse_existing(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{secrets.token_hex(8)}.partial")
    partial.mkdir()
    try:
        yield partial
        if path.is_dir():
            path.rmdir()
        partial.rename(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def refuse_existing(path: Path) -> None:
    """Raises DatasetError where ``path`` is there and not an empty folder."""
    if path.is_symlink() or (path.exists() and not (path.is_dir() and not any(path.iterdir()))):
        what = "is there already, and nothing is overwritten"
        raise DatasetError(what, where=str(path), do="name a new one, or delete it first")
