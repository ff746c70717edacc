"""Memory that a process and its child share, for the pixels of one sample."""

import mmap
import os
import tempfile
from contextlib import ExitStack
from typing import Self

import numpy as np

from reactions.landmark_types import RgbImage


class PixelBuffer:
    """``capacity`` bytes without a name: they are gone once no process has them mapped."""

    def __init__(self, descriptor: int, capacity: int) -> None:
        """Map ``descriptor``, which stays the caller's to close."""
        self.capacity = capacity
        self._memory = mmap.mmap(descriptor, capacity)

    @classmethod
    def allocate(cls, capacity: int) -> tuple[Self, int]:
        """A new buffer, and a descriptor by which a child maps it; the caller closes that."""
        descriptor = _anonymous_file()
        with ExitStack() as undo:
            undo.callback(os.close, descriptor)
            os.truncate(descriptor, capacity)
            buffer = cls(descriptor, capacity)
            undo.pop_all()
        return buffer, descriptor

    def write(self, pixels: RgbImage) -> None:
        """Copy pixels (height, width, 3) in; raises ValueError where they are more than fit."""
        if pixels.nbytes > self.capacity:
            raise ValueError(f"{pixels.nbytes} bytes of pixels exceed {self.capacity}")
        self._view(pixels.shape[0], pixels.shape[1])[:] = pixels

    def read(self, height: int, width: int) -> RgbImage:
        """The pixels (height, width, 3) without a copy; valid until the next ``write``."""
        view = self._view(height, width)
        view.flags.writeable = False
        return view

    def close(self) -> None:
        """Unmap the memory; views of it must be gone."""
        self._memory.close()

    def _view(self, height: int, width: int) -> RgbImage:
        flat = np.frombuffer(self._memory, np.uint8, height * width * 3)
        return flat.reshape(height, width, 3)


def _anonymous_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("pixels")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
