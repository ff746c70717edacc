"""How a picture looks, in 64 bits: pictures that look alike differ in few of them.

The difference hash (N. Krawetz, "Kind of Like That", 2013): grey, 9x8, and whether each pixel is
brighter than its right neighbour.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reactions.landmark_types import RgbImage

ALIKE = 4
"""Bits in which two pictures may differ and be near-duplicates."""


@dataclass(frozen=True, slots=True)
class Look:
    """Width and height in pixels of the upright picture, and its hash of 64 bits."""

    width: int
    height: int
    bits: int


Looker: TypeAlias = Callable[[Path], Look]
"""Decodes a picture; raises PictureError where that fails."""


def difference_hash(pixels: RgbImage) -> int:
    """The 64 bits of a picture."""
    grey = Image.fromarray(pixels).convert("L").resize((9, 8), Image.Resampling.BOX)
    values = np.asarray(grey, np.int16)
    return int.from_bytes(np.packbits(values[:, :-1] > values[:, 1:]).tobytes(), "big")


def differing_bits(one: int, other: int) -> int:
    """In how many of 64 bits two pictures differ."""
    return (one ^ other).bit_count()


def alike_rows(looks: Sequence[int], most: int = ALIKE) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """The index of each picture, with those after it that differ in at most ``most`` bits, if any.

    A row at a time: pictures that are all alike, as of a camera that stands still, take no memory.
    """
    bits = np.array(looks, np.uint64)
    for index in range(len(bits) - 1):
        near = np.flatnonzero(np.bitwise_count(bits[index + 1 :] ^ bits[index]) <= most)
        if near.size:
            yield index, near + (index + 1)
