from pathlib import Path

import pytest

from config.errors import ModelError
from reactions.bundle import (
    DETECTOR,
    DETECTOR_CARD,
    MODEL_CARD,
    SHIPPED_BUNDLE,
    WEIGHTS,
    ModelBundle,
    write_card,
)
from reactions.detected_labels import DetectedLabel, DetectorCard, LayerTable, write_detector
from reactions.training.bundle_maker import add_detector, add_taught
from tests.taught import taught_bundle, taught_label


def taught(base: ModelBundle, folder: Path, label: str, text: str) -> ModelBundle:
    card = f"# Model card: {label}\n\n{text}\n"
    return add_taught(base, taught_label(label), folder, created="2026-11-30", card=card)


def test_the_card_describes_every_taught_label_once(tmp_path: Path) -> None:
    base = ModelBundle.read(taught_bundle(tmp_path / "base"))
    one = taught(base, tmp_path / "taught-1", "vulcan", "Parted fingers.")
    two = taught(one, tmp_path / "taught-2", "letter_l", "Thumb and index finger.")
    three = taught(two, tmp_path / "taught-3", "vulcan", "Newly taught.")
    assert three.folder is not None
    assert (three.folder / MODEL_CARD).read_text().splitlines() == [
        "# Model card: vulcan", "", "Newly taught.", "",
        "# Model card: letter_l", "", "Thumb and index finger.",
    ]  # fmt: skip


def test_a_bundle_that_could_not_be_used_is_not_left_behind(tmp_path: Path) -> None:
    base = ModelBundle.read(taught_bundle(tmp_path / "base"))
    label = taught_label("vulcan", kind="sticker", sticker="gone.gif")
    with pytest.raises(ModelError, match="is no file that the bundle lists"):
        add_taught(base, label, tmp_path / "taught-1", created="2026-11-30", card="")
    assert [path.name for path in tmp_path.iterdir()] == ["base"]


def test_a_card_of_other_bytes_is_kept_as_far_as_it_can_be_read(tmp_path: Path) -> None:
    folder = taught_bundle(tmp_path / "base", taught_label("letter_l"))
    (folder / MODEL_CARD).write_bytes(b"# Model card: letter_l\n\ncaf\xe9\n")
    write_card(folder)
    one = taught(ModelBundle.read(folder), tmp_path / "taught-1", "vulcan", "Parted fingers.")
    assert one.folder is not None
    assert "caf\N{REPLACEMENT CHARACTER}" in (one.folder / MODEL_CARD).read_text("utf-8")


def detector_folder(folder: Path, sticker: str) -> Path:
    """What a training left, with a sticker in its row."""
    row = {"name": "mug", "how": "hold it", "threshold": 0.5}
    label = DetectedLabel.model_validate({**row, "kind": "sticker", "sticker": sticker})
    layers = (LayerTable(rows=1, columns=1, shapes=((0.5, 0.5),)),)
    folder.mkdir()
    write_detector(
        DetectorCard(width=64, height=64, layers=layers, labels=(label,)), folder / DETECTOR_CARD
    )
    (folder / DETECTOR).write_bytes(b"weights")
    return folder


def with_detector(folder: Path, trained: Path) -> ModelBundle:
    return add_detector(SHIPPED_BUNDLE, trained, folder, created="2026-11-30", card="")


def test_the_sticker_of_an_object_may_be_a_file_beside_its_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reactions.bundle.ObjectDetector", lambda path, wants: None)
    trained = detector_folder(tmp_path / "trained", "mug.gif")
    with pytest.raises(ModelError, match=r"mug\.sticker: mug\.gif is not there"):
        with_detector(tmp_path / "none", trained)
    (trained / "mug.gif").write_bytes(b"GIF89a")
    bundle = with_detector(tmp_path / "mine", trained)
    assert bundle.stickers["mug.gif"].read_bytes() == b"GIF89a"
    other = detector_folder(tmp_path / "other", WEIGHTS)
    (other / WEIGHTS).write_bytes(b"GIF89a")
    with pytest.raises(ModelError, match="is the name of another file of the bundle"):
        with_detector(tmp_path / "wrong", other)
    assert {path.name for path in tmp_path.iterdir()} == {"trained", "mine", "other"}
