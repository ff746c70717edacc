"""Observations in files, so that a second run needs no landmark models."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

import reactions
from reactions import landmark_types
from reactions.landmark_types import Observation
from reactions.training.array_errors import UNREADABLE_ARRAYS

_Numbers: TypeAlias = npt.NDArray[np.float32]

_TYPES: dict[str, Callable[..., object]] = {
    name: kind
    for name, kind in vars(landmark_types).items()
    if isinstance(kind, type) and is_dataclass(kind)
}
_ENUMS: dict[str, type[StrEnum]] = {
    name: kind
    for name, kind in vars(landmark_types).items()
    if isinstance(kind, type) and issubclass(kind, StrEnum)
}
_SOURCES = (
    "landmarks/*.py",
    "landmark_types.py",
    "frame_sampler.py",
    "training/photos.py",
    "training/evaluation/camera_stream.py",
    "training/evaluation/conditions.py",
    "training/evaluation/readings.py",
)
"""What the landmarks of a stream follow from."""
_DRAWING = ("mannequin/*.py",)
"""And those of a mannequin."""


class LandmarkCache:
    """A folder with one file a sequence of observations; any change of the models empties it."""

    def __init__(self, folder: Path | None, variant: str = "") -> None:
        """Without a ``folder`` nothing is kept; each ``variant`` of the models is kept apart."""
        self._folder = folder
        self._variant = variant

    def observations(
        self, key: str, make: Callable[[], Sequence[Observation]], *, drawn: bool = False
    ) -> Sequence[Observation]:
        """What is kept under ``key``, else what ``make`` returns, which is then kept.

        ``drawn`` says that it follows from how mannequins are drawn.
        """
        if self._folder is None:
            return make()
        sources = _digest_of(_SOURCES + _DRAWING if drawn else _SOURCES)
        digest = hashlib.sha256(f"{sources} {self._variant}{key}".encode()).hexdigest()[:24]
        path = self._folder / digest[:2] / f"{digest}.npz"
        try:
            return read_observations(path)
        except UNREADABLE_ARRAYS:
            # Not there, or cut short by an interrupted run.
            made = make()
            path.parent.mkdir(parents=True, exist_ok=True)
            write_observations(path, made)
            return made


def write_observations(path: Path, observations: Sequence[Observation]) -> None:
    """Write ``observations`` to ``path``."""
    numbers: list[_Numbers] = []
    outline = [_outlined(each, numbers) for each in observations]
    flat = np.concatenate([*(each.ravel() for each in numbers), np.zeros(0, np.float32)])
    with path.open("wb") as file:
        np.savez_compressed(file, outline=np.array(json.dumps(outline)), numbers=flat)


def read_observations(path: Path) -> Sequence[Observation]:
    """The observations in ``path``. Raises one of ``UNREADABLE_ARRAYS`` for another file."""
    with path.open("rb") as file, np.load(file) as saved:
        outline, numbers = json.loads(str(saved["outline"])), saved["numbers"]
    place = [0]
    restored = [_restored(each, numbers, place) for each in outline]
    seen = [each for each in restored if isinstance(each, Observation)]
    if len(seen) < len(restored):
        raise ValueError(f"{path}: not observations")
    return seen


def _outlined(value: object, numbers: list[_Numbers]) -> object:
    if isinstance(value, np.ndarray):
        numbers.append(value.astype(np.float32))
        return {"array": list(value.shape)}
    if isinstance(value, StrEnum):
        return {"enum": type(value).__name__, "value": value.value}
    if is_dataclass(value) and type(value).__name__ in _TYPES:
        kept = {f.name: _outlined(getattr(value, f.name), numbers) for f in fields(value)}
        return {"type": type(value).__name__, "fields": kept}
    if isinstance(value, tuple):
        return [_outlined(each, numbers) for each in value]
    if isinstance(value, str | float | int | bool | None):
        return value
    raise TypeError(f"observations hold a {type(value).__name__}, which the cache does not know")


def _restored(outline: Any, numbers: _Numbers, place: list[int]) -> object:
    if isinstance(outline, list):
        return tuple(_restored(each, numbers, place) for each in outline)
    if not isinstance(outline, dict):
        return outline
    if "array" in outline:
        shape = tuple(outline["array"])
        start, place[0] = place[0], place[0] + int(np.prod(shape))
        return numbers[start : place[0]].reshape(shape)
    if "enum" in outline:
        return _ENUMS[outline["enum"]](outline["value"])
    kept = {name: _restored(each, numbers, place) for name, each in outline["fields"].items()}
    return _TYPES[outline["type"]](**kept)


@cache
def _digest_of(patterns: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    root = Path(reactions.__file__).parent
    for pattern in patterns:
        for path in sorted(root.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()
