import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from config.errors import ModelError
from reactions.bundle import CARD, MAX_FILE, MODEL_CARD, WEIGHTS, ModelBundle
from reactions.training.bundle_files import export_bundle, import_bundle, model_card
from tests.taught import taught_bundle, taught_label


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle with a taught label and its sticker."""
    label = taught_label("vulcan", kind="sticker", sticker="vulcan.gif")
    return taught_bundle(tmp_path / "mine", label)


def test_a_bundle_goes_through_a_zip_with_its_sticker(folder: Path, tmp_path: Path) -> None:
    export_bundle(ModelBundle.read(folder), tmp_path / "away.zip")
    found = import_bundle(tmp_path / "away.zip", tmp_path / "models")
    assert list(found.stickers) == ["vulcan.gif"]
    assert found.stickers["vulcan.gif"].read_bytes() == b"GIF89a"


def test_what_a_bundle_does_not_list_is_not_copied(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("key")
    (folder / MODEL_CARD).symlink_to(tmp_path / "secret")
    (folder / "notes.txt").symlink_to(tmp_path / "secret")
    bundle = ModelBundle.read(folder)
    assert "key" not in model_card(bundle)
    export_bundle(bundle, tmp_path / "away")
    taken = import_bundle(folder, tmp_path / "models").folder
    assert taken is not None
    for copied in (tmp_path / "away", taken):
        assert {path.name for path in copied.iterdir()} == bundle.files | {CARD}


def shorten(packed: Path) -> None:
    packed.write_bytes(packed.read_bytes()[:-400])


def damage(packed: Path) -> None:
    data = bytearray(packed.read_bytes())
    with zipfile.ZipFile(packed) as opened:
        at = opened.getinfo(f"away/{WEIGHTS}").header_offset + 200
    data[at : at + 40] = bytes(40)
    packed.write_bytes(data)


def encrypt(packed: Path) -> None:
    data = bytearray(packed.read_bytes())
    for start, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(start)
        while at >= 0:
            data[at + flags] |= 1
            at = data.find(start, at + 4)
    packed.write_bytes(data)


def lead_out(packed: Path) -> None:
    with zipfile.ZipFile(packed, "a") as opened:
        opened.writestr("away/../../outside", b"x")


def lead_out_by_line_end(packed: Path) -> None:
    with zipfile.ZipFile(packed, "a") as opened:
        opened.writestr("away/x\n", b"x")


def add_many(packed: Path) -> None:
    with zipfile.ZipFile(packed, "a") as opened:
        for number in range(64):
            opened.writestr(f"away/{number}", b"x")


def add_large(packed: Path) -> None:
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as opened:
        for number in range(3):
            opened.writestr(f"away/{number}", bytes(MAX_FILE))


@pytest.mark.parametrize(
    "spoil",
    [shorten, damage, encrypt, lead_out, lead_out_by_line_end, add_many, add_large],
)
def test_a_zip_that_is_no_bundle_is_one_line_and_leaves_nothing(
    folder: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    packed = tmp_path / "away.zip"
    export_bundle(ModelBundle.read(folder), packed)
    spoil(packed)
    shutil.rmtree(folder)
    with pytest.raises(ModelError) as caught:
        import_bundle(packed, tmp_path / "models")
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["away.zip"]
