"""TFRecord files of ``tf.train.Example``, with the keys of TensorFlow's object detection API.

A record is length, masked CRC-32C of the length, data, masked CRC-32C of the data
(tensorflow/core/lib/io/record_writer.h). The protocol buffers (tensorflow/core/example) are three
nested levels of field 1, so they are written here: TensorFlow would be 500 MB for it.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Final, TypeAlias, TypeVar

from reactions.datasets.leaving import LeavingPicture, by_split, classes_of, list_unboxed
from reactions.datasets.parsing import missing_extra
from reactions.datasets.problems import ProblemList

Feature: TypeAlias = Sequence[bytes] | Sequence[float] | Sequence[int]
Value = TypeVar("Value")
_CODED: Final = {".jpg": b"jpeg", ".jpeg": b"jpeg", ".png": b"png", ".gif": b"gif", ".bmp": b"bmp"}
"""What ``tf.io.decode_image`` reads."""


def write_tfrecord(pictures: Sequence[LeavingPicture], target: Path, problems: ProblemList) -> None:
    """Write ``SPLIT.tfrecord`` (``all.tfrecord`` without splits) and ``label_map.pbtxt``.

    Pictures that TensorFlow can't decode are listed and left out.
    """
    list_unboxed(pictures, problems, "tfrecord")
    classes = {label: index for index, label in enumerate(classes_of(pictures), 1)}
    for split, members in by_split(pictures).items():
        with (target / f"{split.value or 'all'}.tfrecord").open("wb") as file:
            for member in members:
                if member.path.suffix not in _CODED:
                    problems.add(member.name, 0, "is of a kind TensorFlow can't read: left out")
                    continue
                write_framed(file, example(_features(member, classes)))
    items = (
        f"item {{\n  id: {index}\n  name: {_quoted(name)}\n}}\n" for name, index in classes.items()
    )
    (target / "label_map.pbtxt").write_text("".join(items), encoding="utf-8")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _features(picture: LeavingPicture, classes: Mapping[str, int]) -> Mapping[str, Feature]:
    record, boxes = picture.record, picture.record.boxes
    return {
        "image/height": [record.height],
        "image/width": [record.width],
        "image/filename": [picture.name.encode()],
        "image/source_id": [picture.name.encode()],
        "image/encoded": [picture.path.read_bytes()],
        "image/format": [_CODED[picture.path.suffix]],
        "image/object/bbox/xmin": [box.left / record.width for box in boxes],
        "image/object/bbox/xmax": [box.right / record.width for box in boxes],
        "image/object/bbox/ymin": [box.top / record.height for box in boxes],
        "image/object/bbox/ymax": [box.bottom / record.height for box in boxes],
        "image/object/class/text": [box.label.encode() for box in boxes],
        "image/object/class/label": [classes[box.label] for box in boxes],
    }


def example(features: Mapping[str, Feature]) -> bytes:
    """A serialized ``tf.train.Example``: lists of bytes, of floats, or of integers of 0 or more."""
    entries = (
        _field(1, _field(1, key.encode()) + _field(2, _feature(values)))
        for key, values in features.items()
    )
    return _field(1, b"".join(entries))


def _feature(values: Feature) -> bytes:
    match values[0] if values else None:
        case bytes():
            return _field(1, b"".join(_field(1, bytes(value)) for value in _only(values, bytes)))
        case float():
            floats = _only(values, float)
            return _field(2, _field(1, struct.pack(f"<{len(floats)}f", *floats)))
        case int():
            return _field(3, _field(1, b"".join(map(_varint, _only(values, int)))))
    return b""


def _only(values: Iterable[object], kind: type[Value]) -> list[Value]:
    return [value for value in values if isinstance(value, kind)]


def _field(number: int, data: bytes) -> bytes:
    """Field ``number`` of wire type 2 (length-delimited)."""
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def write_framed(file: IO[bytes], data: bytes) -> None:
    """Write one record of a TFRecord file."""
    length = struct.pack("<Q", len(data))
    file.write(length + _masked_crc(length) + data + _masked_crc(data))


def _masked_crc(data: bytes) -> bytes:
    """CRC-32C, rotated right by 15 bits and shifted by a constant (tensorflow/core/lib/hash)."""
    try:
        import google_crc32c
    except ImportError as error:
        raise missing_extra(error) from error
    crc = int(google_crc32c.value(data))
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
