from pathlib import Path

from reactions.bundle import MODEL_CARD, ModelBundle
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
