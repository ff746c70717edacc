"""What is exported and imported again is the same, in each format."""

import errno
import json
import struct
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import parse

import google_crc32c
import numpy as np
import pytest
from globox import AnnotationSet
from PIL import Image

from config.errors import DatasetError
from reactions.datasets.exporting import export_dataset
from reactions.datasets.formats.registry import READERS, WRITERS, reader_of, writer_of
from reactions.datasets.formats.tfrecord import example
from reactions.datasets.problems import ProblemList
from reactions.datasets.records import PictureRecord
from reactions.datasets.store import Dataset
from tests.reactions.datasets.pictures import draw, import_into, make_dataset, record_of

BOXED = sorted(READERS.keys() - {"folders"})


def export(dataset: Dataset, kind: str, target: Path) -> list[str]:
    problems = ProblemList()
    export_dataset(dataset, WRITERS[kind], target, problems)
    return [str(problem) for problem in problems]


def same(one: PictureRecord, other: PictureRecord, tolerance: float) -> bool:
    boxes = [
        [(box.left, box.top, box.right, box.bottom) for box in record.boxes]
        for record in (one, other)
    ]
    return (
        (one.shown, one.split, one.width) == (other.shown, other.split, other.width)
        and np.shape(boxes[0]) == np.shape(boxes[1])
        and np.allclose(boxes[0], boxes[1], atol=tolerance)
    )


@pytest.mark.parametrize("suffix", ["", ".zip"])
@pytest.mark.parametrize("kind", BOXED)
def test_boxes_labels_and_splits_come_back(kind: str, suffix: str, tmp_path: Path) -> None:
    before = make_dataset(tmp_path / "before")
    target = tmp_path / f"written{suffix}"
    assert export(before, kind, target) == []
    after, report, problems = import_into(tmp_path / "after", kind, target)
    assert problems == []
    assert (report.pictures, report.boxes) == (4, 4)
    assert after.records.keys() == before.records.keys()
    for file, record in before.records.items():
        assert same(record, after.records[file], tolerance=0.01), kind


@pytest.mark.parametrize("kind", ["csv", "hagrid"])
def test_people_come_back(kind: str, tmp_path: Path) -> None:
    before = make_dataset(tmp_path / "before")
    export(before, kind, tmp_path / "written")
    after, _, _ = import_into(tmp_path / "after", kind, tmp_path / "written")
    people = [[item.origin.person for item in made.records.values()] for made in (before, after)]
    assert sorted(people[0]) == sorted(people[1]) == ["ada", "ada", "bob", "cleo"]


@pytest.mark.parametrize("kind", ["folders", "cvat", "labelme", "labelstudio", "csv"])
def test_labels_of_whole_pictures_come_back(kind: str, tmp_path: Path) -> None:
    before = make_dataset(tmp_path / "before")
    for record in list(before.records.values()):
        before.put(replace(record, boxes=(), labels=("wave",)))
    export(before, kind, tmp_path / "written")
    after, _, problems = import_into(tmp_path / "after", kind, tmp_path / "written")
    assert problems == []
    assert [record.labels for record in after.records.values()] == [("wave",)] * 4
    assert all(after.records[file].split == item.split for file, item in before.records.items())


def test_globox_reads_what_is_written(tmp_path: Path) -> None:
    before = make_dataset(tmp_path / "before")
    export(before, "voc", tmp_path / "voc")
    export(before, "coco", tmp_path / "coco")
    voc = AnnotationSet.from_pascal_voc(tmp_path / "voc" / "Annotations")
    train = AnnotationSet.from_coco(tmp_path / "coco" / "annotations" / "instances_train.json")
    assert (voc.nb_boxes(), len(voc), train.nb_boxes(), len(train)) == (4, 4, 3, 2)


def test_voc_has_the_children_that_tutorials_count(tmp_path: Path) -> None:
    export(make_dataset(tmp_path / "before"), "voc", tmp_path / "voc")
    thing = parse(tmp_path / "voc" / "Annotations" / "picture 0.xml").find("object")
    assert thing is not None
    assert [child.tag for child in thing][0::4] == ["name", "bndbox"]
    assert [int(edge.text or "") for edge in thing[4]] == [4, 8, 20, 24]


def test_pictures_of_one_name_stay_apart(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "before")
    other = draw(tmp_path / "other" / "picture 0.png", 99)
    dataset.put(record_of(other), other)
    export(dataset, "yolo", tmp_path / "yolo")
    assert len(list((tmp_path / "yolo").rglob("picture 0-*.png"))) == 2


def test_an_export_overwrites_nothing_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "before")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").touch()
    with pytest.raises(DatasetError, match="is there already"):
        export(dataset, "voc", tmp_path / "there")

    def fail(pictures: object, folder: Path, problems: ProblemList) -> None:
        (folder / "half").touch()
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        export_dataset(dataset, fail, tmp_path / "new", ProblemList())
    assert {path.name for path in tmp_path.iterdir()} == {"before", "drawn", "there"}


def test_a_full_disk_leaves_nothing_of_a_zip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(tmp_path / "before")

    def fill(packed: zipfile.ZipFile, path: Path, name: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "write", fill)
    with pytest.raises(OSError, match="No space"):
        export(dataset, "voc", tmp_path / "new.zip")
    assert {path.name for path in tmp_path.iterdir()} == {"before", "drawn"}


def test_what_a_format_cannot_hold_is_listed(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "before")
    first = next(iter(dataset.records.values()))
    dataset.put(replace(first, labels=("wave",)))
    dataset.path(list(dataset.records.values())[-1]).unlink()
    listed = export(dataset, "coco", tmp_path / "coco")
    assert [line.partition(":")[0] for line in listed] == ["picture 3.png", "picture 0.png"]
    listed = export(dataset, "folders", tmp_path / "folders")
    assert listed[1] == "picture 0.png: shows cup, thumbs_up, wave; a folder is one label: left out"


def test_unknown_formats_are_refused_by_name() -> None:
    with pytest.raises(DatasetError, match="use voc yolo coco"):
        reader_of("tfrecord")
    with pytest.raises(DatasetError, match="tfrecord"):
        writer_of("odd")


def test_tfrecord_frames_and_sums_are_right(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "before")
    assert export(dataset, "tfrecord", tmp_path / "records") == []
    data = (tmp_path / "records" / "train.tfrecord").read_bytes()
    count = 0
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        for part, crc in (
            (data[:8], data[8:12]),
            (data[12 : 12 + length], data[12 + length :][:4]),
        ):
            # The inverse of the mask in tensorflow/core/lib/hash/crc32c.h.
            rotated = (struct.unpack("<I", crc)[0] - 0xA282EAD8) & 0xFFFFFFFF
            assert ((rotated >> 17) | (rotated << 15)) & 0xFFFFFFFF == google_crc32c.value(part)
        assert b"image/object/bbox/xmin" in data[12 : 12 + length]
        data, count = data[16 + length :], count + 1
    assert count == 2
    label_map = (tmp_path / "records" / "label_map.pbtxt").read_text()
    assert label_map.startswith('item {\n  id: 1\n  name: "cup"\n}')


def test_an_example_is_the_protocol_buffer_of_tensorflow() -> None:
    # tf.train.Example(...).SerializeToString() of TensorFlow 2.21.
    assert example({"a": [300]}).hex() == "0a0d0a0b0a016112061a040a02ac02"
    assert example({"b": [b"xy"]}).hex() == "0a0d0a0b0a016212060a040a027879"
    assert example({"f": [0.5]}).hex() == "0a0f0a0d0a0166120812060a040000003f"


def test_boxes_follow_the_upright_picture(tmp_path: Path) -> None:
    turned = Image.new("RGB", (40, 20), "red")
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "a.jpg", exif=exif)
    (tmp_path / "a.csv").write_text(
        "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,20,40,cup,1,2,19,39\n"
    )
    dataset, _, problems = import_into(tmp_path / "set", "csv", tmp_path / "a.csv")
    (record,) = dataset.records.values()
    assert problems == []
    assert (record.width, record.height, record.boxes[0].bottom) == (20, 40, 39)


def test_a_roboflow_zip_may_hold_yolo(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "before")
    export(dataset, "yolo", tmp_path / "yolo")
    with zipfile.ZipFile(tmp_path / "robo.zip", "w") as archive:
        for path in (tmp_path / "yolo").rglob("*.*"):
            kind, _, split = path.parent.relative_to(tmp_path / "yolo").as_posix().partition("/")
            inside = f"{split}/{kind}/{path.name}" if split else path.name
            archive.write(path, inside.replace("val/", "valid/"))
    after, report, problems = import_into(tmp_path / "after", "roboflow", tmp_path / "robo.zip")
    assert (problems, report.boxes) == ([], 4)
    assert all(after.records[file].split == item.split for file, item in dataset.records.items())


def test_label_studio_urls_lead_to_local_files(tmp_path: Path) -> None:
    draw(tmp_path / "my cup.png", 1)
    value = {"x": 50, "y": 0, "width": 50, "height": 100, "rotation": 0, "rectanglelabels": ["cup"]}
    task = {
        "data": {"image": "/data/upload/7/1a2b3c4d-my%20cup.png"},
        "annotations": [
            {
                "result": [{"type": "rectanglelabels", "value": {**value, "x": 0}}],
                "was_cancelled": True,
            },
            {"result": [{"type": "rectanglelabels", "value": value}]},
        ],
    }
    (tmp_path / "tasks.json").write_text(json.dumps([task]))
    dataset, _, problems = import_into(tmp_path / "set", "labelstudio", tmp_path / "tasks.json")
    (record,) = dataset.records.values()
    (box,) = record.boxes
    assert problems == []
    assert (box.left, box.top, box.right, box.bottom) == (32, 0, 64, 48)
