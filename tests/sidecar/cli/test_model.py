"""``sidecar model`` as a user runs it, with landmarks in place of pictures."""

import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from reactions.bundle import TAUGHT, ModelBundle
from reactions.training import taught_network, teach
from reactions.training.checkpoints import only_training
from reactions.training.recorded_hands import PEOPLES_HANDS, RecordedHands
from sidecar.cli.app import run
from tests.taught import taught_bundle, taught_label


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the bundles are."""
    monkeypatch.setenv("SIDECAR_SERVE__DATA_FOLDER", str(tmp_path / "data"))
    monkeypatch.setattr(teach, "KNOWN_HANDS", 1500)
    monkeypatch.setattr(taught_network, "_STEPS", 80)
    return tmp_path / "data" / "models"


@pytest.fixture
def poses(tmp_path: Path) -> Path:
    hands = RecordedHands.load(PEOPLES_HANDS)
    some = hands.pick(np.array(hands.labels)[hands.label] == "three")
    np.savez(tmp_path / "three.npz", points=some.points[:12], left=some.left[:12])
    return tmp_path / "three.npz"


def test_a_label_is_taught_used_and_undone(
    folder: Path, poses: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["model", "teach", "three", "--from", str(poses), "--yes"]) == 0
    out = capsys.readouterr().out
    assert "open_palm" in out
    assert "taught-1 is in use, with three" in out
    bundle = ModelBundle.read(folder / "taught-1")
    (label,) = bundle.taught
    assert (label.name, label.kind, bundle.parent) == ("three", "sticker", "shipped")
    assert (folder / "taught-1" / str(label.sticker)).read_bytes().startswith(b"GIF89a")
    assert run(["model", "card", "taught-1"]) == 0
    assert "# Model card: three" in capsys.readouterr().out
    assert run(["model", "teach", "three", "--from", str(poses)]) == 2
    assert "is taught already" in capsys.readouterr().err
    assert run(["model", "rollback"]) == 0
    assert run(["model", "list"]) == 0
    out = capsys.readouterr().out
    assert "* shipped" in out
    assert "before it taught-1" in out


def test_without_acceptance_the_bundle_is_there_and_not_used(
    folder: Path, poses: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["model", "teach", "three", "--from", str(poses), "--event"]) == 0
    assert "sidecar model use taught-1" in capsys.readouterr().out
    assert (folder / "taught-1").is_dir()
    assert not (folder / "active.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fist", "--from", "x"], "is a label of the vocabulary"),
        (["No!", "--from", "x"], "can't be the name of a label"),
        (["three", "--from", "nowhere"], "nowhere: is not there"),
        (["three", "--from", "x", "--of", "foot"], "'foot' is no view"),
        (["three", "--from", "x", "--sticker", "none.gif"], "is no sticker of ours and no file"),
        (["three", "--from", "x", "--title", "x" * 61], "--title: string should have at most 60"),
        (["three", "--from", "x", "--how", "x" * 201], "--how: string should have at most 200"),
        (["three", "--from", "x", "--hold", "nan"], "--hold"),
        (["none", "--from", "x"], "LABEL: none is a label of the vocabulary"),
        (["three", "--from", "x", "--seed", "-1"], "--seed"),
        (["three", "--webcam", "--port", "70000"], "--port"),
    ],
)
def test_what_can_t_be_taught_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["model", "teach", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_bundle_goes_to_another_machine(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taught_bundle(folder / "mine", taught_label("vulcan"))
    packed = tmp_path / "away.zip"
    assert run(["model", "export", "mine", "--to", str(packed)]) == 0
    assert run(["model", "export", "mine", "--to", str(packed)]) == 2
    assert "nothing is overwritten" in capsys.readouterr().err
    assert run(["model", "use", str(packed)]) == 0
    assert "away is in use, with vulcan" in capsys.readouterr().out
    assert ModelBundle.read(folder / "away").taught == ModelBundle.read(folder / "mine").taught


def test_a_tampered_bundle_is_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taught_bundle(folder / "mine", taught_label("vulcan"))
    packed, other = tmp_path / "away.zip", tmp_path / "other.zip"
    assert run(["model", "export", "mine", "--to", str(packed)]) == 0
    with zipfile.ZipFile(packed) as before, zipfile.ZipFile(other, "w") as after:
        for name in before.namelist():
            data = before.read(name)
            after.writestr(name, data.replace(b"vulcan", b"klingo") if TAUGHT in name else data)
    assert run(["model", "use", str(other)]) == 2
    error = capsys.readouterr().err
    assert "is not the file that the bundle was made with" in error
    assert error.count("\n") == 1
    assert run(["model", "use", "nothing"]) == 2
    with zipfile.ZipFile(other, "w") as after:
        after.writestr("away/../../x", b"")
    assert run(["model", "use", str(other)]) == 2


def test_a_bundle_whose_sticker_is_not_there_is_not_used(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taught_bundle(folder / "mine", taught_label("vulcan", kind="sticker", sticker="volcano"))
    assert run(["model", "use", "mine"]) == 2
    error = capsys.readouterr().err
    assert "bundle mine: vulcan.sticker: there is no sticker volcano" in error
    assert error.count("\n") == 1
    assert not (folder / "active.json").exists()


def test_two_trainings_do_not_read_into_one_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if find_spec("tensorflow") is None:  # which is not imported: aiortc can't be after it
        pytest.skip("training needs the extra 'train'")
    with only_training(tmp_path / "run" / "readings"):
        assert run(["model", "train", "motion", "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert "another training works there" in error
    assert error.count("\n") == 1


def test_the_shipped_classifier_has_a_card_and_can_be_exported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["model", "card", "shipped"]) == 0
    assert "| `ok_hand` |" in capsys.readouterr().out
    assert run(["model", "export", "shipped", "--to", str(tmp_path / "copy")]) == 0
    assert ModelBundle.read(tmp_path / "copy").taught == ()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "motion", "--out", "x", "--data", "missing"], "is no folder"),
        (["train", "foot", "--out", "x"], "is no kind that is trained"),
        (["evaluate", "nowhere"], "nowhere: is no data set"),
        (["use", "nowhere.zip"], "nowhere.zip: is no file"),
        (["evaluate", "nowhere", "--against", "none"], "there is no such bundle"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["model", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "nowhere", "--out", "new"], "nowhere"),
        (["--data", "x", "--out", "new", "--size", "300x300"], "'300x300' is no size"),
        (["--data", "x", "--out", "letters"], "holds something else than a training"),
    ],
)
def test_what_no_detector_can_be_trained_from_is_one_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if find_spec("tensorflow") is None:  # which is not imported: aiortc can't be after it
        pytest.skip("training needs the extra 'train'")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("ada")
    assert run(["model", "detector", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
