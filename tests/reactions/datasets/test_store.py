"""The manifest: whole, versioned, changed by one command at a time."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from config.errors import DatasetError
from reactions.datasets.records import Origin
from reactions.datasets.store import MANIFEST, changing_dataset, open_dataset, overdue, whole_file
from tests.reactions.datasets.pictures import make_dataset


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(DatasetError, match="something else"),
        changing_dataset(tmp_path, create=True),
    ):
        pass
    with pytest.raises(DatasetError, match="is no data set"):
        open_dataset(tmp_path)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (1, "{}"),
        (1, '{"format": "reaction-sidecar-dataset", "version": 2}'),
        (3, "{"),
        (3, '{"file": "../../etc/passwd", "name": "a", "width": 1, "height": 1, "look": "0"}'),
    ],
)
def test_a_damaged_manifest_names_its_line(line: int, text: str, tmp_path: Path) -> None:
    make_dataset(tmp_path / "set")
    manifest = tmp_path / "set" / MANIFEST
    lines = manifest.read_text().split("\n")
    lines[line - 1] = text
    manifest.write_text("\n".join(lines))
    with pytest.raises(DatasetError, match=f"{MANIFEST}:{line}: "):
        open_dataset(tmp_path / "set")


def test_two_commands_do_not_change_one_data_set(tmp_path: Path) -> None:
    make_dataset(tmp_path / "set")
    with (
        changing_dataset(tmp_path / "set"),
        pytest.raises(DatasetError, match="another command"),
        changing_dataset(tmp_path / "set"),
    ):
        pass


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")

    def fill() -> None:
        with whole_file(tmp_path / "file") as partial:
            partial.write_text("half")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fill()
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_a_picture_is_overdue_on_the_day_after_its_last(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "set")
    first = next(iter(dataset.records.values()))
    dataset.put(replace(first, origin=Origin(delete_after=date(2027, 1, 31))))
    assert overdue(dataset, date(2027, 1, 31)) == []
    (due,) = overdue(dataset, date(2027, 2, 1))
    dataset.remove(due)
    assert not dataset.path(due).exists()
    assert len(dataset.records) == 3
