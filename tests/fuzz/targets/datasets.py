"""Annotations of other tools, damaged: each reader lists what is wrong, and raises nothing else."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

from config.errors import DatasetError
from reactions.datasets.formats.registry import READERS
from reactions.datasets.problems import ProblemList
from reactions.datasets.records import record_from_json
from reactions.datasets.source_tree import opened_source
from tests.fuzz.mutations import NESTED, mutated
from tests.fuzz.target import FuzzTarget, refused

_VOC: Final = b"""<annotation><filename>a.png</filename><size><width>64</width><height>48</height>
</size><object><name>cup</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax>
</bndbox></object></annotation>"""
_CVAT: Final = b"""<annotations><image id="0" name="a.png" width="64" height="48">
<box label="cup" xtl="1" ytl="2" xbr="30" ybr="40"/><tag label="x"/></image></annotations>"""
_COCO: Final = b"""{"images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 48}],
"categories": [{"id": 1, "name": "cup"}],
"annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 29, 38]}]}"""
_LABELME: Final = b"""{"imagePath": "a.png", "imageWidth": 64, "imageHeight": 48,
"flags": {"x": true},
"shapes": [{"label": "cup", "shape_type": "rectangle", "points": [[1, 2], [30, 40]]}]}"""
_STUDIO: Final = b"""[{"data": {"image": "a.png"}, "annotations": [{"result": [
{"type": "rectanglelabels", "original_width": 64, "original_height": 48, "value":
{"x": 1, "y": 2, "width": 30, "height": 40, "rectanglelabels": ["cup"]}}]}]}]"""
_HAGRID: Final = b"""{"a": {"bboxes": [[0.1, 0.2, 0.3, 0.4]], "labels": ["like"],
"user_id": "u"}}"""
_CSV: Final = b"""filename,width,height,class,xmin,ymin,xmax,ymax,person,delete_after
a.png,64,48,cup,1,2,30,40,ada,2027-01-31
"""
_YOLO: Final = b"""names: [cup, fist]
train: .
"""
FILES: Final = {
    "voc": ("a.xml", _VOC),
    "cvat": ("annotations.xml", _CVAT),
    "coco": ("instances_train.json", _COCO),
    "labelme": ("a.json", _LABELME),
    "labelstudio": ("tasks.json", _STUDIO),
    "hagrid": ("like.json", _HAGRID),
    "csv": ("labels.csv", _CSV),
    "yolo": ("data.yaml", _YOLO),
}
"""A file that each reader takes, and its name."""
_LAUGHS: Final = (
    b'<!DOCTYPE a [<!ENTITY a "haha"><!ENTITY b "&a;&a;&a;">]><annotation>&b;</annotation>'
)


def annotations(kind: str, random: Random) -> Iterator[bytes]:
    return mutated([FILES[kind][1], _LAUGHS, *NESTED], random)


def read(kind: str, data: bytes) -> bool:
    """Whether a picture is found in a source whose one annotation file holds ``data``."""
    with TemporaryDirectory() as name:
        folder, problems = Path(name), ProblemList()
        # Readers look at the name of a picture alone; an import decodes it.
        (folder / "a.png").write_bytes(b"")
        (folder / FILES[kind][0]).write_bytes(data)
        try:
            with opened_source(folder, problems) as tree:
                found = list(READERS[kind](tree, problems))
        except DatasetError as error:
            return refused(error)
        assert all(found_one.path.parent == folder for found_one in found)
        assert all(str(problem).strip() for problem in problems)
        return bool(found)


def lines(random: Random) -> Iterator[bytes]:
    record = (
        b'{"file":"' + b"0" * 64 + b'.png","name":"a.png","width":64,"height":48,'
        b'"look":"' + b"0" * 16 + b'","boxes":[{"label":"cup","left":1,"top":2,"right":3,'
        b'"bottom":4}],"labels":["x"],"origin":{"delete_after":"2027-01-31"},"time":1.5}'
    )
    return mutated([record, *NESTED], random)


def read_line(data: bytes) -> bool:
    """Whether ``data`` is a line of a manifest."""
    try:
        record_from_json(data)
    except ValueError:
        return False
    return True


def _reader(kind: str) -> Callable[[bytes], bool]:
    return partial(read, kind)


TARGETS: Final = (
    *(FuzzTarget(f"dataset_{kind}", partial(annotations, kind), _reader(kind)) for kind in FILES),
    FuzzTarget("dataset_manifest", lines, read_line),
)
