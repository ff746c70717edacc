"""A limit for each piece of memory that FFmpeg takes at once.

FFmpeg has such a limit (``av_max_alloc`` in ``libavutil/mem.h``, 2 GiB), and PyAV no name for it.
A camera whose description claims to have 2 GB got them without it, since the RTSP demuxer takes
what the header says before it reads.
"""

import ctypes
from functools import cache
from typing import Final

import av.frame

MAX_ALLOCATION: Final = 128 << 20
"""Bytes; the largest picture that is decoded (4096x2304, 10 bits, 4:4:4) has 57 MB."""


@cache
def limit_allocations() -> bool:
    """Refuse FFmpeg more than ``MAX_ALLOCATION`` at once, in this process, from now on.

    False where the function can't be found: FFmpeg's own limit holds then.
    """
    try:
        # The symbols of a module of PyAV's are those of the libraries that it is linked to.
        limit = ctypes.CDLL(av.frame.__file__).av_max_alloc
    except (OSError, AttributeError):
        return False
    limit.argtypes, limit.restype = [ctypes.c_size_t], None
    limit(MAX_ALLOCATION)
    return True
