"""The fixed places that an SSD detector's boxes are counted from."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

Anchors = npt.NDArray[np.float32]
"""(n, 2): x and y of the centres, in pixels of the model's input."""


@cache
def anchors(width: int, height: int, strides: Sequence[int]) -> Anchors:
    """The anchors of a model with an input of ``width`` x ``height``, in the order of its outputs.

    MediaPipe's SSD anchors for these models: size 1, centred in their cell, two a layer (aspect
    1 and an interpolated one). Layers of the same stride share their cells.
    """
    parts = []
    for stride in sorted(set(strides)):
        x = (np.arange(width // stride, dtype=np.float32) + 0.5) * stride
        y = (np.arange(height // stride, dtype=np.float32) + 0.5) * stride
        cells = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        parts.append(np.repeat(cells, 2 * list(strides).count(stride), axis=0))
    centres = np.concatenate(parts)
    centres.flags.writeable = False
    return centres
