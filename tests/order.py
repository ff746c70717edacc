"""In which order several workers take the files of tests."""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Final, Protocol, TypeVar

ROOT: Final = Path(__file__).parent
LONGEST: Final = (
    "e2e/test_tutorial.py",
    "reactions/test_recognition_of_mannequins.py",
    "reactions/training/test_detector_run.py",
    "e2e/test_dispatch.py",
    "e2e/test_serve.py",
    "e2e/test_serve_churn.py",
    "reactions/training/test_head_run.py",
)
"""Files of half a minute and more: at the end, one worker would be left alone with them."""


class HasPath(Protocol):
    """A test, as pytest collects it."""

    @property
    def path(self) -> Path: ...


Test = TypeVar("Test", bound=HasPath)


def spread(tests: Sequence[Test]) -> list[Test]:
    """The same tests: the longest files first, then those of all folders in turn.

    Models and drawings keep a processor busy, servers are waited for: side by side they take less
    time than one after the other. Browsers come in the first half.
    """
    files = [(path, list(group)) for path, group in groupby(tests, key=attrgetter("path"))]
    of_folder: dict[str, list[Path]] = {}
    for path, _ in files:
        of_folder.setdefault(_folder(path), []).append(path)

    def turn(file: tuple[Path, list[Test]]) -> tuple[int, float]:
        path, folder = file[0], _folder(file[0])
        name = _name(path)
        if name in LONGEST:
            return LONGEST.index(name), 0.0
        share = (of_folder[folder].index(path) + 0.5) / len(of_folder[folder])
        return len(LONGEST), share / 2 if folder == "e2e" else share

    return [test for _, group in sorted(files, key=turn) for test in group]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name


def _folder(path: Path) -> str:
    return _name(path).partition("/")[0]
