"""What ``numpy.load`` and its archives raise for a damaged file."""

import lzma
import struct
import zlib
from typing import Final
from zipfile import BadZipFile

UNREADABLE_ARRAYS: Final = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    TypeError,
    BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    # Archives that are encrypted (RuntimeError) or of another compression (NotImplementedError).
    RuntimeError,
    # A header that announces more than there is.
    MemoryError,
)
