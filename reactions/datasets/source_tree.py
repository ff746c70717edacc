"""The files of a source: a folder, or a zip that is unpacked within limits.

Pictures are looked up among the files that are there. So no name in an annotation leads out of the
source, whichever dots and slashes it has. Links are not followed.
"""

import errno
import lzma
import os
import stat
import struct
import tempfile
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final

from config.errors import DatasetError
from reactions.datasets.problems import ProblemList

PICTURE_SUFFIXES: Final = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".heic", ".jp2"}
)
MAX_FILES: Final = 1_000_000
MAX_TEXT: Final = 256 << 20
"""Bytes of an annotation file."""
MAX_UNPACKED: Final = 32 << 30
"""Bytes of all files of a zip."""
MAX_MEMBER: Final = 512 << 20
"""Bytes of one file of a zip."""
_CHUNK: Final = 1 << 20
_DAMAGED: Final = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(NotImplementedError, EOFError, RuntimeError, ValueError, OSError),
)
"""What zipfile raises for damaged files: OSError where an offset is negative."""


class SourceTree:
    """The regular files under ``root``, or the one file that ``root`` is with its folder's."""

    def __init__(self, root: Path, problems: ProblemList) -> None:
        self.single = root if root.is_file() else None
        """The annotation file that the user named, if it was a file."""
        self.root = root.parent if self.single else root
        problems.root = self.root
        self.files: Sequence[Path] = sorted(_files(self.root, problems))
        self.pictures: Sequence[Path] = [
            path for path in self.files if path.suffix.lower() in PICTURE_SUFFIXES
        ]
        self._by_path = {path.relative_to(self.root).as_posix(): path for path in self.pictures}
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        for path in self.pictures:
            self._by_name[path.name].append(path)
            self._by_name[path.stem].append(path)

    def annotations(self, *suffixes: str) -> Iterator[Path]:
        """The files with one of ``suffixes`` (".xml"), or the one file that was named."""
        if self.single is not None:
            yield self.single
            return
        yield from (path for path in self.files if path.suffix.lower() in suffixes)

    def find(self, name: str, near: Path) -> Path | None:
        """The picture that an annotation in ``near`` calls ``name``, or None.

        As a path from the annotation's folder or from the root, else by its last part where that
        is unique: tools write the paths of the machine that they ran on.
        """
        posix = name.replace("\\", "/")
        try:
            folder = near.parent.relative_to(self.root).as_posix()
        except ValueError:
            folder = "."
        for path in (f"{folder}/{posix}", posix):
            if found := self._by_path.get(os.path.normpath(path)):
                return found
        last = PurePosixPath(posix)
        for key in (last.name, last.stem):
            if len(found_by_name := set(self._by_name.get(key, ()))) == 1:
                return found_by_name.pop()
        return None


def _files(root: Path, problems: ProblemList) -> Iterator[Path]:
    count = 0
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        for name in list(folders):
            if (here / name).is_symlink():
                problems.add(here / name, 0, "is a link, which is not followed")
        folders[:] = [name for name in folders if not name.startswith((".", "__MACOSX"))]
        for name in names:
            if name.startswith("."):
                continue
            mode = (here / name).lstat().st_mode
            if stat.S_ISLNK(mode):
                problems.add(here / name, 0, "is a link, which is not followed")
            elif stat.S_ISREG(mode):
                count += 1
                yield here / name
        if count > MAX_FILES:
            raise DatasetError(f"holds more than {MAX_FILES} files", where=str(root))


@contextmanager
def opened_source(source: Path, problems: ProblemList) -> Iterator[SourceTree]:
    """The files of ``source``: a folder, an annotation file in one, or a zip.

    A zip is unpacked into a temporary folder. Raises DatasetError where it can't be read.
    """
    if not source.exists():
        raise DatasetError("is not there", where=str(source), do="name a folder, a file or a zip")
    if source.suffix.lower() != ".zip":
        yield SourceTree(source.absolute(), problems)
        return
    with tempfile.TemporaryDirectory(prefix="sidecar-dataset-") as folder:
        _unpack(source, Path(folder), problems)
        yield SourceTree(Path(folder), problems)


def _unpack(source: Path, folder: Path, problems: ProblemList) -> None:
    left = MAX_UNPACKED
    try:
        with zipfile.ZipFile(source) as archive:
            if len(archive.infolist()) > MAX_FILES:
                raise DatasetError(f"holds more than {MAX_FILES} files", where=str(source))
            for member in archive.infolist():
                if why := _refused(member):
                    problems.add(f"{source.name}/{member.filename}", 0, f"{why}: left out")
                elif not member.is_dir():
                    with archive.open(member) as data:
                        left -= _write_member(data, folder / member.filename, left, source)
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        raise DatasetError(f"is a damaged zip: {error}", where=str(source)) from error


def _refused(member: zipfile.ZipInfo) -> str:
    """Why ``member`` is not unpacked; empty if it is."""
    name = PurePosixPath(member.filename.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or ":" in member.filename:
        return "leads out of the zip"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "is a link"
    if member.flag_bits & 1:
        return "is encrypted"
    if member.file_size > MAX_MEMBER:
        return f"exceeds {MAX_MEMBER >> 20} MiB"
    return ""


def _write_member(data: IO[bytes], target: Path, left: int, source: Path) -> int:
    """Bytes that were written; the sizes in the zip are not believed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with target.open("wb") as file:
        while chunk := data.read(_CHUNK):
            written += len(chunk)
            if written > min(left, MAX_MEMBER):
                raise DatasetError("unpacks to more than the limit", where=str(source))
            file.write(chunk)
    return written


def read_limited(path: Path, problems: ProblemList) -> bytes | None:
    """The content of an annotation file; lists one that is too large or can't be read."""
    try:
        if path.stat().st_size > MAX_TEXT:
            problems.add(path, 0, f"exceeds {MAX_TEXT >> 20} MiB")
            return None
        return path.read_bytes()
    except OSError as error:
        problems.add(path, 0, f"can't be read: {error.strerror}")
        return None
