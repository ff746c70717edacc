"""The formats by name."""

from collections.abc import Mapping
from types import MappingProxyType

from config.errors import DatasetError
from reactions.datasets.formats.coco import read_coco, write_coco
from reactions.datasets.formats.cvat import read_cvat, write_cvat
from reactions.datasets.formats.folders import read_folders, write_folders
from reactions.datasets.formats.hagrid import read_hagrid, write_hagrid
from reactions.datasets.formats.labelme import read_labelme, write_labelme
from reactions.datasets.formats.labelstudio import read_labelstudio, write_labelstudio
from reactions.datasets.formats.roboflow import read_roboflow, write_roboflow
from reactions.datasets.formats.table import read_csv, write_csv
from reactions.datasets.formats.tfrecord import write_tfrecord
from reactions.datasets.formats.voc import read_voc, write_voc
from reactions.datasets.formats.yolo import read_yolo, write_yolo
from reactions.datasets.found import FormatReader
from reactions.datasets.leaving import FormatWriter

READERS: Mapping[str, FormatReader] = MappingProxyType(
    {
        "voc": read_voc,
        "yolo": read_yolo,
        "coco": read_coco,
        "cvat": read_cvat,
        "labelme": read_labelme,
        "labelstudio": read_labelstudio,
        "roboflow": read_roboflow,
        "folders": read_folders,
        "hagrid": read_hagrid,
        "csv": read_csv,
    }
)
WRITERS: Mapping[str, FormatWriter] = MappingProxyType(
    {
        "voc": write_voc,
        "yolo": write_yolo,
        "coco": write_coco,
        "cvat": write_cvat,
        "labelme": write_labelme,
        "labelstudio": write_labelstudio,
        "roboflow": write_roboflow,
        "folders": write_folders,
        "hagrid": write_hagrid,
        "csv": write_csv,
        "tfrecord": write_tfrecord,
    }
)


def reader_of(name: str) -> FormatReader:
    """The reader of the format ``name``; raises DatasetError for one that isn't read."""
    if name not in READERS:
        what = f"format {name!r} is not read"
        raise DatasetError(what, where="dataset import", do=f"use {' '.join(READERS)}")
    return READERS[name]


def writer_of(name: str) -> FormatWriter:
    """The writer of the format ``name``; raises DatasetError for one that isn't written."""
    if name not in WRITERS:
        what = f"format {name!r} is not written"
        raise DatasetError(what, where="dataset export", do=f"use {' '.join(WRITERS)}")
    return WRITERS[name]
