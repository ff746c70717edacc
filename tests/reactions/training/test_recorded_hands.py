from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from config.errors import ModelError
from reactions.training import recorded_hands
from reactions.training.recorded_hands import RecordedHands
from tests.reactions.training.recorded import recorded, save

HANDS = recorded(("victory", "", "one"), ("other:salute", "open_palm", "two"), ("fist", "", "one"))


def test_recorded_hands_come_back_from_their_file(tmp_path: Path) -> None:
    save(HANDS, tmp_path / "hands.npz")
    again = RecordedHands.load(tmp_path / "hands.npz")
    np.testing.assert_allclose(again.points, HANDS.points, rtol=1e-3, atol=1e-3)
    assert (again.labels, again.nears, again.sources) == (
        HANDS.labels,
        HANDS.nears,
        HANDS.sources,
    )
    np.testing.assert_array_equal(again.source, [0, 1, 0])


def test_a_mirrored_palm_is_the_other_hands() -> None:
    mirrored = HANDS.pick(np.arange(3))
    mirrored.points[:, :, 0] *= -1
    assert not HANDS.left.any()
    assert mirrored.left.all()


@pytest.mark.parametrize("text", [b"", b"not an archive", b"PK\x03\x04 cut short"])
def test_what_is_no_archive_is_refused_by_name(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "hands.npz").write_bytes(text)
    with pytest.raises(ModelError, match=r"hands\.npz"):
        RecordedHands.load(tmp_path / "hands.npz")


def test_a_missing_array_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "hands.npz", points=HANDS.points)
    with pytest.raises(ModelError, match="lacks label, labels"):
        RecordedHands.load(tmp_path / "hands.npz")


def test_an_index_outside_its_names_is_refused(tmp_path: Path) -> None:
    broken = HANDS.pick(np.arange(3))
    broken.source[1] = 9
    save(broken, tmp_path / "hands.npz")
    with pytest.raises(ModelError, match="source must hold 3 indices"):
        RecordedHands.load(tmp_path / "hands.npz")


def test_points_of_another_form_are_refused(tmp_path: Path) -> None:
    save(HANDS, tmp_path / "hands.npz")
    with np.load(tmp_path / "hands.npz") as saved:
        arrays = dict(saved)
    np.savez(tmp_path / "hands.npz", **(arrays | {"points": arrays["points"][:, :20]}))
    with pytest.raises(ModelError, match=r"\(n, 21, 2\)"):
        RecordedHands.load(tmp_path / "hands.npz")


def changed(tmp_path: Path, **arrays: npt.NDArray[np.generic]) -> Path:
    """A file of HANDS in which ``arrays`` are others."""
    path = tmp_path / "hands.npz"
    save(HANDS, path)
    with np.load(path) as saved:
        kept = dict(saved)
    np.savez(path, **(kept | arrays))
    return path


def test_the_depth_of_points_is_not_read(tmp_path: Path) -> None:
    deep = np.concatenate([HANDS.points, np.full_like(HANDS.points[..., :1], np.nan)], axis=2)
    again = RecordedHands.load(changed(tmp_path, points=deep))
    np.testing.assert_array_equal(again.points, HANDS.points)


@pytest.mark.parametrize("dtype", ["U8", "S8", "bool", "complex64"])
def test_points_that_are_no_numbers_are_refused(tmp_path: Path, dtype: str) -> None:
    with pytest.raises(ModelError, match="no recorded hands"):
        RecordedHands.load(changed(tmp_path, points=HANDS.points.astype(dtype)))


@pytest.mark.parametrize("points", [np.float32(1), np.full((3, 21, 2), np.nan, np.float32)])
def test_points_that_are_no_hands_are_refused(
    tmp_path: Path, points: npt.NDArray[np.generic]
) -> None:
    with pytest.raises(ModelError, match="points must be finite"):
        RecordedHands.load(changed(tmp_path, points=np.asarray(points)))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.npz: there is no such file"):
        RecordedHands.load(tmp_path / "none.npz")


def test_learning_from_a_wheel_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded_hands, "PEOPLES_HANDS", tmp_path / "data" / "people.npz")
    with pytest.raises(ModelError, match="are not in the wheel") as caught:
        recorded_hands.require_checkout(tmp_path / "data" / "people.npz")
    assert "\n" not in str(caught.value)
    (tmp_path / "data").mkdir()
    recorded_hands.require_checkout(tmp_path / "data" / "people.npz")
