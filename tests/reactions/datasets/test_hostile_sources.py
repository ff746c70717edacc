"""Broken and hostile data: listed with file and line, or refused; the rest goes on."""

import json
import zipfile
from pathlib import Path

import pytest

from config.errors import DatasetError
from reactions.datasets import source_tree
from reactions.datasets.formats.registry import READERS
from reactions.datasets.importing import ImportOptions
from reactions.datasets.problems import ProblemList
from tests.confined import confined
from tests.reactions.datasets.pictures import draw, import_into

VOC = """<annotation>
<filename>{name}</filename>
<size><width>{width}</width><height>48</height></size>
<object><name>cup</name>
<bndbox><xmin>{left}</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax></bndbox></object>
</annotation>
"""
LAUGHS = """<?xml version="1.0"?>
<!DOCTYPE annotation [<!ENTITY a "ha">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"> <!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
]>
<annotation><filename>&c;</filename></annotation>
"""
OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation>&x;</annotation>'


def voc(name: str = "a.png", width: str = "64", left: str = "1") -> str:
    return VOC.format(name=name, width=width, left=left)


def test_broken_voc_is_listed_with_file_and_line_and_the_rest_goes_on(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for seed, name in enumerate(("a", "b", "c", "d", "e")):
        draw(source / f"{name}.png", seed)
    (source / "a.xml").write_text(voc())
    (source / "b.xml").write_text(voc("b.png")[:60])
    (source / "c.xml").write_text(voc("c.png", left="-20"))
    (source / "d.xml").write_text(voc("d.png", left="45"))
    (source / "e.xml").write_text(voc("e.png", width="640"))
    (source / "f.xml").write_text(voc("gone.png"))
    (source / "g.xml").write_text("<html>\n</html>")
    dataset, report, problems = import_into(tmp_path / "set", "voc", source)
    assert report.pictures == 3
    assert {record.name: len(record.boxes) for record in dataset.records.values()} == {
        "a.png": 1,
        "c.png": 1,
        "d.png": 0,
    }
    assert problems == [
        "b.xml:3: is broken XML: unclosed token: line 3, column 15",
        "c.xml:4: box of 'cup' reaches out of the picture: cut off at its edge",
        "d.xml:4: box of 'cup' is empty or outside the picture: left out",
        "e.xml:1: states 640x48, but e.png is 64x48: left out",
        "f.xml:1: picture 'gone.png' is missing",
        "g.xml:1: is no VOC annotation: <html>",
    ]


def laughed(folder: Path) -> list[str]:
    return import_into(folder / "set", "voc", folder / "source")[2]


@pytest.mark.parametrize("text", [LAUGHS, OUTSIDE])
def test_entities_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a.xml").write_text(text)
    (problem,) = laughed(tmp_path)
    assert "which are refused" in problem


def test_billions_of_laughs_take_neither_memory_nor_time(tmp_path: Path) -> None:
    levels = [f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12)]
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a.xml").write_text(
        f'<!DOCTYPE a [<!ENTITY l0 "ha">{"".join(levels)}]><annotation>&l11;</annotation>'
    )
    assert len(confined(laughed, tmp_path, megabytes=60, seconds=10)) == 1


@pytest.mark.parametrize("kind", ["coco", "labelme", "labelstudio", "hagrid"])
@pytest.mark.parametrize(
    "text", ["{", "[" * 100_000, '{"a": NaN}', "", "7", '{"images": 3}', "[{}]"]
)
def test_no_json_breaks_an_import(kind: str, text: str, tmp_path: Path) -> None:
    draw(tmp_path / "source" / "a.png", 1)
    (tmp_path / "source" / "a.json").write_text(text)
    _, report, problems = import_into(tmp_path / "set", kind, tmp_path / "source")
    assert report.pictures == 0
    assert problems


def test_coco_names_the_line_of_each_bad_entry(tmp_path: Path) -> None:
    draw(tmp_path / "source" / "a.png", 1)
    data = {
        "images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 48}],
        "categories": [{"id": 1, "name": "cup"}],
        "annotations": [
            {"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]},
            {"image_id": 1, "category_id": 9, "bbox": [1, 2, 3, 4]},
            {"image_id": 1, "category_id": 1, "bbox": [1, 2, "x"]},
            {"image_id": 7, "category_id": 1, "bbox": [1, 2, 3, 4]},
        ],
    }
    text = json.dumps(data).replace("}, {", "},\n{").replace(" [{", "\n[{")
    (tmp_path / "source" / "a.json").write_text(text)
    _, report, problems = import_into(tmp_path / "set", "coco", tmp_path / "source")
    assert report.boxes == 1
    assert problems == [
        "a.json:5: class 9 has no name: left out",
        "a.json:6: has no box of four numbers: left out",
        "a.json:7: no image has the id 7: left out",
    ]


def test_yolo_lists_lines_and_classes_without_a_name(tmp_path: Path) -> None:
    draw(tmp_path / "source" / "images" / "a.png", 1)
    (tmp_path / "source" / "labels").mkdir()
    (tmp_path / "source" / "labels" / "a.txt").write_text("0 .5 .5 .2 .2\n3 .5 .5 .2 .2\n0 x\n")
    (tmp_path / "source" / "labels" / "b.txt").write_text("0 .5 .5 .2 .2\n")
    (tmp_path / "source" / "classes.txt").write_text("cup\n")
    _, report, problems = import_into(tmp_path / "set", "yolo", tmp_path / "source")
    assert report.boxes == 1
    assert problems == [
        "labels/a.txt:2: class 3 has no name: left out",
        "labels/a.txt:3: is not 'class x y width height': left out",
        "labels/b.txt: its picture is missing",
    ]


def test_yaml_makes_no_objects_and_no_bombs(tmp_path: Path) -> None:
    draw(tmp_path / "source" / "a.png", 1)
    for text in (
        "names: !!python/object/apply:os.system ['true']\n",
        "a: &a [1]\nnames: *a\n",
        "names: " + "[" * 100_000,
    ):
        (tmp_path / "source" / "data.yaml").write_text(text)
        _, _, problems = import_into(tmp_path / "set", "yolo", tmp_path / "source")
        assert problems[0] in (
            "data.yaml:1: is broken YAML",
            "data.yaml: has aliases, which are refused",
            "data.yaml: has more than 50 levels, which are refused",
        )


def test_csv_lists_rows_that_do_not_fit(tmp_path: Path) -> None:
    draw(tmp_path / "source" / "a.png", 1)
    (tmp_path / "source" / "a.csv").write_text(
        "filename,class,xmin,ymin,xmax,ymax,delete_after\n"
        "a.png,cup,1,2,3,4,2027-01-31\na.png,cup\na.png,cup,1,2,3,inf,\nb.png,cup,1,2,3,4,\n"
    )
    dataset, report, problems = import_into(tmp_path / "set", "csv", tmp_path / "source")
    assert report.boxes == 1
    assert str(next(iter(dataset.records.values())).origin.delete_after) == "2027-01-31"
    assert problems == [
        "a.csv:3: has 2 fields, the header 7: left out",
        "a.csv:4: has edges that are no numbers: left out",
        "a.csv:5: picture 'b.png' is missing",
    ]


@pytest.mark.parametrize("name", ["../secret.png", "/etc/secret.png", "C:\\secret.png"])
def test_names_lead_to_no_picture_outside_the_source(name: str, tmp_path: Path) -> None:
    draw(tmp_path / "secret.png", 1)
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a.xml").write_text(voc(name))
    _, report, problems = import_into(tmp_path / "set", "voc", tmp_path / "source")
    assert report.pictures == 0
    assert "is missing" in problems[0]


def test_links_are_not_followed(tmp_path: Path) -> None:
    secret = draw(tmp_path / "secret" / "secret.png", 1)
    (tmp_path / "source" / "cup").mkdir(parents=True)
    (tmp_path / "source" / "cup" / "a.png").symlink_to(secret)
    (tmp_path / "source" / "mug").symlink_to(tmp_path / "secret")
    _, report, problems = import_into(tmp_path / "set", "folders", tmp_path / "source")
    assert report.pictures == 0
    assert sorted(problems) == [
        "cup/a.png: is a link, which is not followed",
        "mug: is a link, which is not followed",
    ]


def test_a_zip_writes_nothing_outside_its_folder(tmp_path: Path) -> None:
    picture = draw(tmp_path / "a.png", 1)
    link = zipfile.ZipInfo("cup/link.png")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.write(picture, "cup/a.png")
        for name in ("../out.png", "/tmp/out.png", "cup/../../out.png", "..\\out.png"):
            archive.writestr(name, picture.read_bytes())
        archive.writestr(link, "/etc/passwd")
    _, report, problems = import_into(tmp_path / "set", "folders", tmp_path / "bad.zip")
    assert report.pictures == 1
    assert len(problems) == 5
    assert [path.name for path in tmp_path.rglob("out.png")] == []


def test_a_zip_may_not_unpack_to_more_than_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.png", bytes(3 << 20))
    monkeypatch.setattr(source_tree, "MAX_UNPACKED", 1 << 20)
    with pytest.raises(DatasetError, match="unpacks to more"):
        import_into(tmp_path / "set", "folders", tmp_path / "bomb.zip")
    (tmp_path / "no.zip").write_bytes(b"PK\3\4 no zip")
    with pytest.raises(DatasetError, match="damaged zip"):
        import_into(tmp_path / "set", "folders", tmp_path / "no.zip")


def test_no_damaged_zip_raises_anything_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "good.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(draw(tmp_path / "a.png", 1), "cup/a.png")
    good = (tmp_path / "good.zip").read_bytes()
    refused = 0
    for index in range(0, len(good), 3):
        data = bytearray(good)
        data[index] ^= 0xFF
        (tmp_path / "bad.zip").write_bytes(data)
        try:
            with source_tree.opened_source(tmp_path / "bad.zip", ProblemList()):
                pass
        except DatasetError:
            refused += 1
    assert refused > 100


def test_files_beyond_the_limit_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw(tmp_path / "source" / "a.png", 1)
    (tmp_path / "source" / "a.xml").write_text(voc())
    monkeypatch.setattr(source_tree, "MAX_TEXT", 50)
    _, _, problems = import_into(tmp_path / "set", "voc", tmp_path / "source")
    assert problems == ["a.xml: exceeds 0 MiB"]


def test_pictures_that_are_none_and_duplicates_are_listed(tmp_path: Path) -> None:
    source = tmp_path / "source" / "cup"
    draw(source / "a.png", 1)
    draw(source / "b.png", 1)
    (source / "c.png").write_bytes(b"no picture")
    draw(tmp_path / "source" / "loose.png", 2)
    _, report, problems = import_into(tmp_path / "set", "folders", tmp_path / "source")
    assert report.pictures == 1
    assert problems == [
        "cup/b.png: is the same picture as a.png: left out",
        "cup/c.png: is not a picture of a kind that is read: left out",
        "loose.png: is in no folder, so it has no label: left out",
    ]


def test_unknown_classes_are_listed(tmp_path: Path) -> None:
    draw(tmp_path / "source" / "a.png", 1)
    (tmp_path / "source" / "a.xml").write_text(voc())
    options = ImportOptions(classes={"mug"})
    _, report, problems = import_into(tmp_path / "set", "voc", tmp_path / "source", options)
    assert (report.pictures, report.boxes) == (1, 0)
    assert problems == ["a.xml:4: class 'cup' is unknown: left out"]


def test_every_format_takes_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    for kind in READERS:
        _, report, _ = import_into(tmp_path / kind, kind, tmp_path / "source")
        assert report.pictures == 0
