"""JPEGs that are decoded in about a millisecond: few pixels, one scan, shown as they are stored."""

import struct
from typing import Final

_START: Final = b"\xff\xd8"
_SCAN: Final = 0xDA
_BASELINE: Final = 0xC0
_PLAIN: Final = frozenset({0xC4, 0xDB, 0xDD, 0xE0, 0xFE})
"""Huffman and quantisation tables, restart interval, JFIF's segment, comments (ITU-T T.81, table
B.1; T.871). Exif, colour profiles and Adobe's colours are in others."""
_FRAME: Final = struct.Struct(">BHHB")
"""Precision, height, width and number of components (T.81, B.2.2)."""


def plain_jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a baseline JPEG of three components whose pixels are stored upright and
    without a colour profile; None for any other, and where ``data`` is damaged before its scan.

    It has a single scan: each scan, be it empty, costs as much as the whole picture.
    """
    if not data.startswith(_START) or data.count(b"\xff\xda") != 1:
        return None
    at, size = len(_START), None
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        if marker == _SCAN:
            return size
        if marker == _BASELINE:
            size = _frame_size(data[at + 4 : at + 2 + length])
        elif marker not in _PLAIN:
            return None
        at += 2 + length
    return None


def _frame_size(header: bytes) -> tuple[int, int] | None:
    """Width and height of a frame of 8 bits and three components."""
    if len(header) < _FRAME.size:
        return None
    precision, height, width, components = _FRAME.unpack_from(header)
    return (width, height) if (precision, components) == (8, 3) and width and height else None
