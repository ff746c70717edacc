import json
import os
import shutil
from pathlib import Path

import pytest

from config.errors import ModelError
from gifs.loader import StickerLimits
from reactions.bundle import (
    CARD,
    CLASSIFIER_CARD,
    MAX_STICKER,
    TAUGHT,
    WEIGHTS,
    ModelBundle,
    write_card,
)
from reactions.gestures.hand_classifier import SHIPPED
from reactions.taught_labels import write_taught
from tests.taught import taught_label


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
        ({"created": "\x1b[2J"}, "created: "),
        ({"parent": "../other"}, "parent: "),
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


def with_sticker(folder: Path, sticker: str, *, listed: bool = True) -> None:
    """Make ``folder`` a bundle that teaches a label with ``sticker``, as a hand-made file may."""
    write_taught([taught_label("vulcan", kind="sticker", sticker="party")], folder / TAUGHT)
    text = (folder / TAUGHT).read_text().replace('"party"', json.dumps(sticker))
    (folder / TAUGHT).write_text(text)
    write_card(folder)
    if not listed:
        files = json.loads((folder / CARD).read_text())["files"]
        change(folder, files={name: each for name, each in files.items() if name != sticker})


@pytest.mark.parametrize(
    "sticker",
    [
        "/etc/hostname", "../secret.gif", "..", "../../token", "a/b.gif", "a\\b.gif", ".hidden.gif",
        "secret.gif\n", "other.gif", CARD, WEIGHTS, TAUGHT,
    ],
)  # fmt: skip
def test_a_sticker_that_is_no_listed_file_of_the_bundle_is_refused(
    folder: Path, sticker: str
) -> None:
    (folder.parent / "secret.gif").write_bytes(b"key")
    with_sticker(folder, sticker)
    with pytest.raises(ModelError, match="sticker") as caught:
        ModelBundle.read(folder)
    assert "\n" not in str(caught.value)


def test_a_sticker_needs_a_checksum_and_is_no_link(folder: Path) -> None:
    (folder.parent / "secret.gif").write_bytes(b"key")
    (folder / "vulcan.gif").symlink_to(folder.parent / "secret.gif")
    with_sticker(folder, "vulcan.gif", listed=False)
    with pytest.raises(ModelError, match="is no file that the bundle lists"):
        ModelBundle.read(folder)
    with_sticker(folder, "vulcan.gif")
    with pytest.raises(ModelError, match="is not a plain file of the bundle"):
        ModelBundle.read(folder)


def test_a_sticker_above_the_limit_of_stickers_is_refused(folder: Path) -> None:
    assert StickerLimits().file_bytes == MAX_STICKER
    (folder / "vulcan.gif").write_bytes(b"GIF89a" + bytes(MAX_STICKER))
    with_sticker(folder, "vulcan.gif")
    with pytest.raises(ModelError, match=r"vulcan\.sticker: exceeds"):
        ModelBundle.read(folder)


def test_our_stickers_need_no_file(folder: Path) -> None:
    with_sticker(folder, "party")
    assert ModelBundle.read(folder).stickers == {}


@pytest.mark.parametrize("name", [CARD, CLASSIFIER_CARD])
def test_a_pipe_in_place_of_a_file_is_not_waited_for(folder: Path, name: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(ModelError, match=name.replace(".", r"\.")):
        ModelBundle.read(folder)


def test_a_nested_card_of_the_classifier_is_one_line(folder: Path) -> None:
    (folder / CLASSIFIER_CARD).write_text("[" * 200_000)
    write_card(folder)
    with pytest.raises(ModelError, match="not the card of a hand classifier"):
        ModelBundle.read(folder)
