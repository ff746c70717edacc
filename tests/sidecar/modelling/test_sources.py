from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from config.errors import ConfigError, ModelError
from reactions.datasets.look import difference_hash
from reactions.datasets.records import LabelledBox, PictureRecord, Split
from reactions.datasets.store import changing_dataset, content_name
from sidecar.modelling.sources import (
    MAX_PICTURES,
    find_other_files,
    find_teach_files,
    read_landmark_file,
    read_teach_file,
)


def picture(path: Path, tone: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 20), (tone, 90, 90)).save(path)
    return path


def test_a_folder_s_pictures_show_the_label(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    (tmp_path / ".hidden").write_bytes(b"")
    (found,) = find_teach_files(tmp_path, "vulcan")
    assert (found.path.name, found.shows) == ("a.png", True)
    (seen,) = read_teach_file(found)
    assert seen.pixels.shape == (20, 40, 3)


def test_folders_beside_the_label_s_show_something_else(tmp_path: Path) -> None:
    picture(tmp_path / "vulcan" / "a.png")
    picture(tmp_path / "other" / "b.png")
    found = find_teach_files(tmp_path, "vulcan")
    assert [(one.path.name, one.shows) for one in found] == [("a.png", True), ("b.png", False)]


def test_a_data_set_says_where_the_label_is_and_its_test_pictures_are_left_out(
    tmp_path: Path,
) -> None:
    with changing_dataset(tmp_path / "set", create=True) as dataset:
        for tone, split in ((1, Split.TRAIN), (2, Split.NONE), (3, Split.TEST)):
            file = picture(tmp_path / f"{tone}.png", tone)
            look = difference_hash(np.zeros((9, 9, 3), np.uint8))
            boxes = (LabelledBox("vulcan", 10, 5, 30, 15),) if tone != 2 else ()
            name = content_name(file)
            record = PictureRecord(name, file.name, 40, 20, f"{look:016x}", boxes, split=split)
            dataset.put(record, file)
        dataset.save()
    found = find_teach_files(tmp_path / "set", "vulcan")
    assert [(one.shows, one.within) for one in found] == [
        (True, (0.25, 0.25, 0.75, 0.75)),
        (False, None),
    ]
    assert [one.name for one in found] == ["1.png", "2.png"]
    with pytest.raises(ModelError, match="say by --class which of its classes that is: 'vulcan'"):
        find_teach_files(tmp_path / "set", "klingon")
    # As what shows something else, the same data set is its other picture alone.
    (other,) = find_other_files(tmp_path / "set", "vulcan")
    assert (other.path, other.shows) == (found[1].path, False)
    assert len(find_other_files(tmp_path / "set", "wave")) == 2


def test_what_shows_something_else_is_a_folder_with_its_folders_or_a_file(tmp_path: Path) -> None:
    for name in ("a.png", "vulcan/b.png", "wave/c.png", "rest/d.png"):
        picture(tmp_path / name)
    found = find_other_files(tmp_path, "vulcan")
    assert sorted(one.path.name for one in found) == ["a.png", "c.png", "d.png"]
    assert not any(one.shows for one in found)
    (file,) = find_other_files(tmp_path / "a.png", "vulcan")
    assert (file.path.name, file.shows) == ("a.png", False)
    (tmp_path / "empty" / "vulcan").mkdir(parents=True)
    with pytest.raises(ModelError, match="no picture but of vulcan"):
        find_other_files(tmp_path / "empty", "vulcan")
    with pytest.raises(ModelError, match="is not there"):
        find_other_files(tmp_path / "none", "vulcan")


def test_a_pose_that_is_written_down_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.modelling.sources.DRAWN", 2)
    file = tmp_path / "tea.toml"
    file.write_text('like = "open_palm"\nside = "right"\n')
    (found,) = find_teach_files(file, "tea")
    first, second = read_teach_file(found)
    assert first.pixels.shape == (360, 640, 3)
    assert (first.pixels != second.pixels).any()
    assert first.within is not None
    assert 0 <= first.within[0] < first.within[2] <= 1
    file.write_text("side = 3")
    with pytest.raises(ConfigError, match="side"):
        list(read_teach_file(found))


def test_more_pictures_than_help_are_thinned_evenly(tmp_path: Path) -> None:
    for number in range(MAX_PICTURES + 50):
        (tmp_path / f"{number:04}.png").write_bytes(b"")
    found = find_teach_files(tmp_path, "vulcan")
    assert len(found) == MAX_PICTURES
    assert found[-1].path.name == f"{MAX_PICTURES + 49:04}.png"


def test_an_empty_folder_and_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no picture of vulcan"):
        find_teach_files(tmp_path, "vulcan")
    with pytest.raises(ModelError, match="is not there"):
        find_teach_files(tmp_path / "none", "vulcan")


@pytest.mark.parametrize(
    "arrays",
    [
        {"points": np.zeros((0, 21, 2))},
        {"points": np.zeros((3, 20, 2))},
        {"points": np.full((3, 21, 2), np.nan)},
        {"points": np.zeros((3, 21, 2)), "left": np.zeros(2)},
        {"other": np.zeros(3)},
        {"points": np.array([{}])},
    ],
)
def test_what_is_no_file_of_landmarks_is_refused(tmp_path: Path, arrays: dict[str, Any]) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(ModelError, match=r"x\.npz"):
        read_landmark_file(tmp_path / "x.npz")


def is_refused(path: Path) -> bool:
    """Whether the file of landmarks is refused in one line; else it has three hands."""
    try:
        return len(read_landmark_file(path).points) != 3
    except ModelError:
        return True


def test_a_damaged_file_of_landmarks_is_refused_or_read(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez_compressed(path, points=np.random.default_rng(1).random((3, 21, 2)))
    whole = path.read_bytes()
    places = range(0, len(whole), 7)
    for at in places:
        path.write_bytes(whole[:at])
        assert is_refused(path)
    refused = 0
    for at in places:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        refused += is_refused(path)
    assert refused > len(places) / 2
