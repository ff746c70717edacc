from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reactions.labels import LABELS
from reactions.mannequin.contact_sheet import contact_sheet, legend_picture, main


def test_a_legend_picture_is_square() -> None:
    assert legend_picture("thumbs_up", 64).shape == (64, 64, 3)


def test_labels_have_different_legend_pictures() -> None:
    pictures = {legend_picture(label, 32).tobytes() for label in LABELS}
    assert len(pictures) == len(LABELS)


def test_a_label_without_a_pose_is_refused() -> None:
    with pytest.raises(KeyError, match="somersault"):
        legend_picture("somersault")


def test_a_contact_sheet_has_a_cell_for_every_name() -> None:
    one, five = contact_sheet(["fist"], 80), contact_sheet(["fist"] * 5, 80)
    assert five.shape[1] == one.shape[1]
    assert five.shape[0] > 1.8 * one.shape[0]


def test_the_command_writes_the_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = np.zeros((9, 16, 3), np.uint8)
    monkeypatch.setattr("reactions.mannequin.contact_sheet.contact_sheet", lambda: small)
    assert main([str(tmp_path / "sheet.png")]) == 0
    with Image.open(tmp_path / "sheet.png") as picture:
        assert picture.size == (16, 9)


def test_the_command_names_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "reactions.mannequin.contact_sheet.contact_sheet", lambda: np.zeros((9, 16, 3), np.uint8)
    )
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
    assert main([str(tmp_path / "sheet.nothing")]) == 2
    assert "sheet.nothing" in capsys.readouterr().err
