"""H.264 and H.265 sequence parameter sets: what decoding them will take. Pure.

FFmpeg compares the size after cropping with ``max_pixels``, and allocates the size before it: a
set that crops 16000x16000 to 64x64 passes. So the sets are read here before FFmpeg sees them.
ITU-T H.264, 7.3.2.1.1, and H.265, 7.3.2.2.1; only the fields up to what is asked for are read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

CODECS: Final = frozenset({"h264", "hevc"})
"""FFmpeg's names of the codecs whose parameter sets are read."""
_START_CODE: Final = re.compile(rb"\x00\x00\x01")
_LONGEST: Final = 4096
"""Bytes of a parameter set that are read."""
_CHROMA_PROFILES: Final = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244})
"""profile_idc values whose H.264 parameter sets have chroma_format_idc and scaling lists."""
_MOST_REFERENCES: Final = 16
"""More are invalid in both standards."""


@dataclass(frozen=True, slots=True)
class DecodedPictures:
    """The pictures that a decoder keeps for one sequence."""

    width: int
    """Coded width in pixels, before cropping."""
    height: int
    """Coded height in pixels, before cropping."""
    count: int
    """Reference pictures and the one that is being decoded."""
    depth: int = 8
    """Bits a sample."""

    @property
    def pixels(self) -> int:
        return self.width * self.height

    @property
    def nbytes(self) -> int:
        """Bytes of all pictures in 4:2:0; FFmpeg keeps more than 8 bits in 16."""
        return self.pixels * self.count * 3 // 2 * (1 if self.depth == 8 else 2)


def announced(codec: str, data: bytes, length_size: int = 0) -> Iterator[DecodedPictures]:
    """What each parameter set in ``data``, a packet of ``codec`` in ``CODECS``, announces.

    ``length_size`` is the number of bytes before each NAL unit in MP4 and Matroska; 0 for a byte
    stream with start codes (annex B). Sets that end early are skipped.
    """
    for unit in _split(data, length_size) if length_size else _byte_stream(data):
        yield from _read(codec, unit)


def configured(codec: str, extradata: bytes) -> tuple[int, list[DecodedPictures]]:
    """The ``length_size`` of a track's packets, and what the parameter sets in its header announce.

    ``extradata`` is an avcC or hvcC record (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1) or a byte
    stream.
    """
    if not extradata.startswith(b"\x01"):
        return 0, list(announced(codec, extradata))
    at = 4 if codec == "h264" else 21
    length_size = extradata[at] % 4 + 1 if len(extradata) > at else 4
    units = _avcc(extradata) if codec == "h264" else _hvcc(extradata)
    return length_size, [pictures for unit in units for pictures in _read(codec, unit)]


def _avcc(record: bytes) -> Iterator[bytes]:
    count = record[5] % 32 if len(record) > 5 else 0
    return _counted(record, 6, count)


def _hvcc(record: bytes) -> Iterator[bytes]:
    position = 23
    for _ in range(record[22] if len(record) > 22 else 0):
        count = int.from_bytes(record[position + 1 : position + 3], "big")
        units = list(_counted(record, position + 3, count))
        yield from units
        position += 3 + sum(2 + len(unit) for unit in units)


def _counted(record: bytes, position: int, count: int) -> Iterator[bytes]:
    """``count`` units that each follow their length in two bytes."""
    for _ in range(count):
        if position >= len(record):
            return
        start = position + 2
        position = start + int.from_bytes(record[position:start], "big")
        yield record[start:position]


def _byte_stream(data: bytes) -> Iterator[bytes]:
    starts = [match.end() for match in _START_CODE.finditer(data)]
    for start, end in pairwise([*starts, len(data)]):
        yield data[start : min(end, start + _LONGEST)]


def _split(data: bytes, length_size: int) -> Iterator[bytes]:
    position = 0
    while position < len(data):
        start = position + length_size
        position = start + int.from_bytes(data[position:start], "big")
        yield data[start : min(position, start + _LONGEST)]


def _read(codec: str, unit: bytes) -> Iterator[DecodedPictures]:
    """The parameter set that the NAL unit is, if it is one."""
    try:
        if codec == "h264" and unit and unit[0] % 32 == 7:
            yield _h264(_Bits(_unescaped(unit[1:])))
        elif codec == "hevc" and unit and unit[0] >> 1 & 63 == 33:
            yield _hevc(_Bits(_unescaped(unit[2:])))
    except ValueError:
        return


def _unescaped(payload: bytes) -> bytes:
    """Without emulation prevention bytes."""
    return payload.replace(b"\x00\x00\x03", b"\x00\x00")


def _h264(bits: "_Bits") -> DecodedPictures:
    profile = bits.unsigned(8)
    bits.unsigned(16)  # Constraint flags and level_idc.
    bits.golomb()  # seq_parameter_set_id
    depth = _h264_chroma(bits) if profile in _CHROMA_PROFILES else 8
    bits.golomb()  # log2_max_frame_num_minus4
    _skip_picture_order(bits)
    references = min(bits.golomb(), _MOST_REFERENCES)
    bits.unsigned(1)  # gaps_in_frame_num_value_allowed_flag
    width = (bits.golomb() + 1) * 16
    map_units = bits.golomb() + 1
    frames_only = bits.unsigned(1)
    return DecodedPictures(width, map_units * 16 * (2 - frames_only), references + 1, depth)


def _h264_chroma(bits: "_Bits") -> int:
    """Skip chroma format and scaling lists; bits a sample of luma."""
    chroma_format = bits.golomb()
    if chroma_format == 3:
        bits.unsigned(1)  # separate_colour_plane_flag
    depth = bits.golomb() + 8
    bits.golomb()  # bit_depth_chroma_minus8
    bits.unsigned(1)  # qpprime_y_zero_transform_bypass_flag
    if bits.unsigned(1):
        for index in range(8 if chroma_format != 3 else 12):
            if bits.unsigned(1):
                _skip_scaling_list(bits, 16 if index < 6 else 64)
    return depth


def _skip_scaling_list(bits: "_Bits", size: int) -> None:
    last, following = 8, 8
    for _ in range(size):
        if following:
            following = (last + bits.signed_golomb()) % 256
        last = following or last


def _skip_picture_order(bits: "_Bits") -> None:
    kind = bits.golomb()
    if kind == 0:
        bits.golomb()  # log2_max_pic_order_cnt_lsb_minus4
    elif kind == 1:
        bits.unsigned(1)
        bits.golomb()
        bits.golomb()
        for _ in range(bits.golomb()):
            bits.golomb()


def _hevc(bits: "_Bits") -> DecodedPictures:
    bits.unsigned(4)  # sps_video_parameter_set_id
    sub_layers = bits.unsigned(3)
    bits.unsigned(1)  # sps_temporal_id_nesting_flag
    _skip_profile(bits, sub_layers)
    bits.golomb()  # sps_seq_parameter_set_id
    if bits.golomb() == 3:  # chroma_format_idc
        bits.unsigned(1)
    width, height = bits.golomb(), bits.golomb()
    if bits.unsigned(1):
        for _ in range(4):
            bits.golomb()  # Offsets of the conformance window.
    depth = bits.golomb() + 8
    bits.golomb()  # bit_depth_chroma_minus8
    bits.golomb()  # log2_max_pic_order_cnt_lsb_minus4
    every_layer = bits.unsigned(1)
    kept = 0
    for _ in range(sub_layers + 1 if every_layer else 1):
        kept = max(kept, min(bits.golomb(), _MOST_REFERENCES))
        bits.golomb()  # sps_max_num_reorder_pics
        bits.golomb()  # sps_max_latency_increase_plus1
    return DecodedPictures(width, height, kept + 1, depth)


def _skip_profile(bits: "_Bits", sub_layers: int) -> None:
    """profile_tier_level(), H.265, 7.3.3."""
    bits.unsigned(96)
    if not sub_layers:
        return
    present = [(bits.unsigned(1), bits.unsigned(1)) for _ in range(8)]
    for profile, level in present[:sub_layers]:
        bits.unsigned(88 * profile + 8 * level)


class _Bits:
    """Reads bits from the front of ``data``; ValueError well beyond the end.

    FFmpeg retries a set that ends early with zeros in place of what is missing.
    """

    def __init__(self, data: bytes) -> None:
        padded = data[:_LONGEST] + bytes(16)
        self._value = int.from_bytes(padded, "big")
        self._left = len(padded) * 8

    def unsigned(self, count: int) -> int:
        if count > self._left:
            raise ValueError("the parameter set ends early")
        self._left -= count
        return self._value >> self._left & (1 << count) - 1

    def golomb(self) -> int:
        """An unsigned Exp-Golomb code, ITU-T H.264, 9.1, of at most 32 bits after the zeros."""
        zeros = 0
        while not self.unsigned(1):
            zeros += 1
            if zeros > 32:
                raise ValueError("an Exp-Golomb code is too long")
        return (1 << zeros) - 1 + self.unsigned(zeros)

    def signed_golomb(self) -> int:
        code = self.golomb()
        return (code + 1) // 2 if code % 2 else -(code // 2)
