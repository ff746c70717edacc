"""Single files out of a wheel or an npm package, with a limit on each."""

import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import IO

from config.errors import ModelError

_DAMAGE = (
    *(KeyError, ValueError, OSError, EOFError, RuntimeError),
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, struct.error),
)
"""What the readers of the two formats raise on archives that are not what they should be."""


def read_members(archive: Path, members: Mapping[str, int]) -> Mapping[str, bytes]:
    """The files of ``archive`` by their path in it, each of exactly the given size in bytes.

    Raises ``ModelError`` where the archive is damaged, or a file is missing or of another size;
    nothing is ever read beyond that size.
    """
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as wheel:
                return {name: _exactly(wheel.open(name), size) for name, size in members.items()}
        with tarfile.open(archive) as tarball:
            return {name: _exactly(_regular(tarball, name), size) for name, size in members.items()}
    except _DAMAGE as error:
        raise ModelError(
            f"the package doesn't hold the models we know ({error})",
            where=archive.name,
            do="check that your package mirror serves the original file",
        ) from error


def _regular(tarball: tarfile.TarFile, name: str) -> IO[bytes]:
    member = tarball.extractfile(name)
    if member is None:
        raise ValueError(f"{name} is not a regular file")
    return member


def _exactly(stream: IO[bytes], size: int) -> bytes:
    with closing(stream):
        content = stream.read(size + 1)
    if len(content) != size:
        raise ValueError(f"a file isn't {size} bytes long")
    return content
