"""The shared libraries that programs and extension modules load, and the packages they are from."""

import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_FOUND = re.compile(r"^\s*(?:\S+ => )?(/\S+) \(0x[0-9a-f]+\)$", re.MULTILINE)
_MISSING = re.compile(r"^\s*(\S+) => not found$", re.MULTILINE)
_MAGIC = b"\x7fELF"


class MissingLibraryError(Exception):
    """A file needs a library that is not on this machine."""


def is_elf(path: Path) -> bool:
    """Whether ``path`` is a program or a shared library."""
    with path.open("rb") as file:
        return file.read(4) == _MAGIC


def parse_ldd(text: str, of: Path) -> Sequence[Path]:
    """The libraries, as absolute paths, in what ``ldd`` printed of the file ``of``.

    Raises MissingLibraryError where one was not found.
    """
    if missing := _MISSING.findall(text):
        raise MissingLibraryError(f"{of} needs {', '.join(missing)}, which is not here")
    return [Path(found) for found in _FOUND.findall(text)]


def _libraries_of(path: Path) -> Sequence[Path]:
    run = subprocess.run(["ldd", str(path)], capture_output=True, text=True, check=False)
    return parse_ldd(run.stdout, path)


def closure(files: Iterable[Path]) -> Sequence[Path]:
    """All libraries that ``files`` load, the dynamic loader too, each by the path that ``ldd``
    gives it: in folders that are no links, under the name by which it is loaded."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        found = {library for some in pool.map(_libraries_of, files) for library in some}
    return sorted({library.parent.resolve() / library.name for library in found})


def owners(files: Iterable[Path]) -> Mapping[str, Sequence[Path]]:
    """Debian packages by name, with those of ``files`` that each brought."""
    found: dict[str, list[Path]] = {}
    for file in files:
        for name in _names(file):
            run = subprocess.run(
                ["dpkg-query", "--search", str(name)], capture_output=True, text=True, check=False
            )
            if run.returncode == 0:
                package = run.stdout.partition(":")[0]
                found.setdefault(package, []).append(file)
                break
    return found


def _names(file: Path) -> Iterable[Path]:
    """The paths under which a package may have brought ``file``: Debian's older ones are below
    /lib, which has become a link to /usr/lib."""
    for path in (file, file.resolve()):
        yield path
        if path.is_relative_to("/usr"):
            yield Path("/") / path.relative_to("/usr")
