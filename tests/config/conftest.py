"""Settings files are looked for in an empty folder, not on the machine that runs the tests."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def empty_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings file where one would be found, and no variable that names one."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(
        "config.toml_files.user_config_path", lambda name: tmp_path / "platform" / name
    )
