from pathlib import Path

import pytest

from config.errors import ModelError
from reactions.bundle import MODEL_CARD, ModelBundle, write_card
from reactions.training.bundle_maker import add_taught
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
