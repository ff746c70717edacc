"""Memory shared with another process."""

import os
import subprocess
import sys

import numpy as np
import pytest

from sidecar.inference.pixel_buffer import PixelBuffer

READER = """
import sys
from sidecar.inference.pixel_buffer import PixelBuffer
print(PixelBuffer(int(sys.argv[1]), 64 * 64 * 3).read(36, 64).astype(int).sum())
"""


def test_another_process_reads_what_is_written() -> None:
    buffer, descriptor = PixelBuffer.allocate(64 * 64 * 3)
    pixels = np.random.default_rng(0).integers(0, 255, (36, 64, 3), np.uint8)
    buffer.write(pixels)
    command = [sys.executable, "-c", READER, str(descriptor)]
    read = subprocess.run(command, pass_fds=[descriptor], capture_output=True, check=True)
    os.close(descriptor)
    buffer.close()
    assert int(read.stdout) == pixels.astype(int).sum()


def test_pixels_that_are_read_can_not_be_changed() -> None:
    buffer, descriptor = PixelBuffer.allocate(300)
    os.close(descriptor)
    buffer.write(np.full((10, 10, 3), 7, np.uint8))
    view = buffer.read(10, 10)
    assert not view.flags.writeable
    assert view.shape == (10, 10, 3)
    assert (view == 7).all()


def test_more_pixels_than_fit_are_refused() -> None:
    buffer, descriptor = PixelBuffer.allocate(300)
    os.close(descriptor)
    with pytest.raises(ValueError, match="363 bytes of pixels exceed 300"):
        buffer.write(np.zeros((11, 11, 3), np.uint8))
    buffer.close()
