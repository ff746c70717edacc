import json
import shutil
from pathlib import Path

import pytest

from config.errors import ModelError
from reactions.bundle import CARD, CLASSIFIER_CARD, WEIGHTS, ModelBundle, write_card
from reactions.gestures.hand_classifier import SHIPPED


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped hand classifier as the bundle ``mine``."""
    folder = tmp_path / "mine"
    folder.mkdir()
    shutil.copy(SHIPPED, folder / WEIGHTS)
    shutil.copy(SHIPPED.with_suffix(".json"), folder / CLASSIFIER_CARD)
    write_card(folder, created="2026-11-29", thresholds={"fist": 0.8})
    return folder


def change(folder: Path, **values: object) -> None:
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps(card | values))


def test_a_bundle_is_read(folder: Path) -> None:
    bundle = ModelBundle.read(folder)
    assert (bundle.name, bundle.created, bundle.thresholds) == ("mine", "2026-11-29", {"fist": 0.8})
    assert bundle.weights == folder / WEIGHTS


def test_a_changed_file_is_refused_in_one_line(folder: Path) -> None:
    weights = bytearray((folder / WEIGHTS).read_bytes())
    weights[1000] ^= 1
    (folder / WEIGHTS).write_bytes(weights)
    with pytest.raises(ModelError, match="is not the file that the bundle was made with") as caught:
        ModelBundle.read(folder)
    assert "\n" not in str(caught.value)
    assert WEIGHTS in str(caught.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"format": 2}, "format: "),
        ({"name": "other"}, "is of the bundle 'other'"),
        ({"files": {}}, "lists no hand_classifier"),
        ({"files": {"../x": "0" * 64, WEIGHTS: "0" * 64, CLASSIFIER_CARD: "0" * 64}}, "plain file"),
        ({"labels": ["fist"]}, "other labels"),
        ({"thresholds": {"fist": 1.5}}, "thresholds.fist: "),
        ({"thresholds": {"wave": 0.5}}, "'wave'"),
        ({"more": 1}, "more: "),
    ],
)
def test_a_wrong_card_is_refused(folder: Path, values: dict[str, object], message: str) -> None:
    change(folder, **values)
    with pytest.raises(ModelError, match=message.replace(".", r"\.")):
        ModelBundle.read(folder)


def test_weights_that_are_no_model_are_refused(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(b"no model")
    write_card(folder)
    with pytest.raises(ModelError, match="can't be loaded"):
        ModelBundle.read(folder)


def test_a_folder_without_a_card_and_a_link_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(ModelError, match="is a link"):
        ModelBundle.read(tmp_path / "link")
    (folder / CARD).unlink()
    with pytest.raises(ModelError, match=r"bundle\.json: can't be read"):
        ModelBundle.read(folder)
