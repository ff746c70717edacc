"""Boxes that fit, and imports that are repeated."""

import json
from contextlib import suppress
from datetime import date
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from reactions.datasets.formats.table import read_csv
from reactions.datasets.found import FoundBox
from reactions.datasets.importing import ImportOptions, PictureImport, fitted_box
from reactions.datasets.problems import ProblemList
from reactions.datasets.records import Origin, Split
from reactions.datasets.source_tree import opened_source
from reactions.datasets.store import changing_dataset, open_dataset
from sidecar.pictures_of_videos import look_at
from tests.reactions.datasets.pictures import draw, import_into, make_dataset

EDGE = st.floats(-1e6, 1e6)
SIDE = st.integers(1, 65_535)


@given(EDGE, EDGE, EDGE, EDGE, SIDE, SIDE, st.booleans())
def test_a_fitted_box_is_inside_and_has_an_area(
    left: float, top: float, right: float, bottom: float, width: int, height: int, shares: bool
) -> None:
    found = FoundBox("cup", left, top, right, bottom, shares=shares)
    box, _ = fitted_box(found, "cup", (width, height))
    if box is not None:
        assert 0 <= box.left <= box.right <= width
        assert 0 <= box.top <= box.bottom <= height


@given(st.integers(0, 99), st.integers(0, 99), st.integers(1, 99), st.integers(1, 99))
def test_a_box_inside_stays_as_it_is(left: int, top: int, across: int, down: int) -> None:
    found = FoundBox("cup", left, top, left + across, top + down)
    box, cut = fitted_box(found, "cup", (200, 200))
    assert box is not None
    assert not cut
    assert (box.left, box.top, box.width, box.height) == (left, top, across, down)


def test_repeating_an_import_changes_nothing(tmp_path: Path) -> None:
    for seed in range(3):
        draw(tmp_path / "source" / "cup" / f"{seed}.png", seed)
    import_into(tmp_path / "set", "folders", tmp_path / "source")
    before = (tmp_path / "set" / "dataset.jsonl").read_bytes()
    _, report, problems = import_into(tmp_path / "set", "folders", tmp_path / "source")
    assert (report.pictures, report.known, problems) == (0, 3, [])
    assert (tmp_path / "set" / "dataset.jsonl").read_bytes() == before


def test_other_labels_of_a_known_picture_are_listed_and_not_taken(tmp_path: Path) -> None:
    draw(tmp_path / "one" / "cup" / "a.png", 1)
    draw(tmp_path / "two" / "mug" / "a.png", 1)
    import_into(tmp_path / "set", "folders", tmp_path / "one")
    dataset, _, problems = import_into(tmp_path / "set", "folders", tmp_path / "two")
    assert [record.labels for record in dataset.records.values()] == [("cup",)]
    assert problems == ["mug/a.png: a.png is in the data set with other labels, which are kept"]


def test_an_interrupted_import_keeps_what_it_has(tmp_path: Path) -> None:
    for seed in range(3):
        draw(tmp_path / "source" / f"{seed}.png", seed)
    rows = "".join(f"{seed}.png,cup\n" for seed in range(3))
    (tmp_path / "source" / "a.csv").write_text(f"filename,class\n{rows}")

    def stop(share: float, what: str) -> None:
        if what == "2.png":
            raise KeyboardInterrupt

    problems = ProblemList()
    with (
        opened_source(tmp_path / "source", problems) as tree,
        changing_dataset(tmp_path / "set", create=True) as dataset,
    ):
        work = PictureImport(dataset, ImportOptions(), look_at, problems)
        with suppress(KeyboardInterrupt):
            work.run(read_csv, tree, stop)
    assert len(open_dataset(tmp_path / "set").records) == 2
    _, report, _ = import_into(tmp_path / "set", "csv", tmp_path / "source")
    assert (report.pictures, report.known) == (1, 2)


def test_options_fill_what_the_source_leaves_open(tmp_path: Path) -> None:
    draw(tmp_path / "source" / "a.png", 1)
    (tmp_path / "source" / "a.csv").write_text("filename,class,person\na.png,like,ada\n")
    origin = Origin(person="bob", licence="MIT", delete_after=date(2027, 1, 31))
    options = ImportOptions(origin, Split.TEST, names={"like": "thumbs_up"})
    dataset, _, _ = import_into(tmp_path / "set", "csv", tmp_path / "source", options)
    (record,) = dataset.records.values()
    assert record.origin == Origin(person="ada", licence="MIT", delete_after=date(2027, 1, 31))
    assert (record.split, record.labels) == (Split.TEST, ("thumbs_up",))


def test_texts_that_no_manifest_holds_are_cleaned(tmp_path: Path) -> None:
    draw(tmp_path / "source" / "a.png", 1)
    entry = {"a": {"bboxes": [], "labels": [], "user_id": "\ud800 ada"}}
    (tmp_path / "source" / "a.json").write_text(json.dumps(entry))
    options = ImportOptions(Origin(licence="x" * 9999, author="\udcff"))
    made, _, problems = import_into(tmp_path / "set", "hagrid", tmp_path / "source", options)
    assert problems == []
    (record,) = open_dataset(tmp_path / "set").records.values()
    assert record == next(iter(made.records.values()))
    assert (record.origin.person, record.origin.author) == ("? ada", "?")


def test_a_made_data_set_is_read_again_as_it_was(tmp_path: Path) -> None:
    made = make_dataset(tmp_path / "set")
    assert open_dataset(tmp_path / "set").records == made.records
