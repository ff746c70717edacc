"""What a reader finds: pictures as another tool describes them, not checked yet."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TypeAlias

from reactions.datasets.problems import ProblemList
from reactions.datasets.records import Origin, Split
from reactions.datasets.source_tree import SourceTree


@dataclass(frozen=True, slots=True)
class FoundBox:
    """Edges in pixels, or in shares of the picture (0–1) if ``shares``; ``line`` of the file."""

    label: str
    left: float
    top: float
    right: float
    bottom: float
    line: int = 0
    shares: bool = False


@dataclass(frozen=True, slots=True)
class FoundPicture:
    """A picture in ``path`` that ``file``:``line`` describes; ``size``: width and height that it
    states, None without."""

    path: Path
    file: Path
    line: int = 0
    boxes: tuple[FoundBox, ...] = ()
    labels: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    split: Split = Split.NONE
    origin: Origin = Origin()  # noqa: RUF009 (frozen)


FormatReader: TypeAlias = Callable[[SourceTree, ProblemList], Iterator[FoundPicture]]
"""Finds the pictures of a source; lists what it can't read, and goes on."""

_SPLITS = {
    "train": Split.TRAIN,
    "training": Split.TRAIN,
    "val": Split.VALIDATION,
    "valid": Split.VALIDATION,
    "validation": Split.VALIDATION,
    "test": Split.TEST,
    "testing": Split.TEST,
}


def split_named(name: str) -> Split:
    """The split that ``name`` means, as other tools call it; NONE for any other name."""
    return _SPLITS.get(name.strip().lower(), Split.NONE)


def split_of_path(path: PurePath) -> Split:
    """The split that a folder or a part of the name of ``path`` tells: ``instances_val.json``."""
    parts = [*reversed(path.parts[:-1]), *path.stem.split("_")]
    return next((split for part in parts if (split := split_named(part))), Split.NONE)
