"""Which pixels of a picture show which object: true boxes for detectors that learn from it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

_Mask: TypeAlias = npt.NDArray[np.bool_]
_Window: TypeAlias = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class SeenObject:
    """The pixels around what is seen of an object: left, top, right, bottom."""

    name: str
    left: int
    top: int
    right: int
    bottom: int
    share: float
    """Of its pixels inside the picture, how many nothing covers, 0–1."""


class ObjectTrace:
    """Follows what a canvas lays."""

    def __init__(self, width: int, height: int) -> None:
        self._owner = np.zeros((height, width), np.int16)
        self._whole: list[_Mask] = []
        self._names: list[str] = []
        self._now = 0

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """What is laid meanwhile belongs to one object called ``name``."""
        self._names.append(name)
        self._whole.append(np.zeros(self._owner.shape, np.bool_))
        self._now = len(self._names)
        try:
            yield
        finally:
            self._now = 0

    def lay(self, window: _Window, cover: _Mask, seen: _Mask) -> None:
        """Something covers pixels of ``window``, and some of them are ``seen``."""
        self._owner[window][seen] = self._now
        if self._now:
            self._whole[self._now - 1][window] |= cover

    def seen(self) -> tuple[SeenObject, ...]:
        """All objects of which a pixel is seen."""
        found = []
        for number, (name, whole) in enumerate(zip(self._names, self._whole, strict=True), 1):
            mask = self._owner == number
            rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            if not rows.size:
                continue
            share = float(mask.sum() / max(int(whole.sum()), 1))
            left, right = int(columns[0]), int(columns[-1]) + 1
            top, bottom = int(rows[0]), int(rows[-1]) + 1
            found.append(SeenObject(name, left, top, right, bottom, min(share, 1.0)))
        return tuple(found)
