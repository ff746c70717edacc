"""The command, run in this process."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.cli import app

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def own_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command sends the log to its test's standard error, which is closed after the test."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs the command in an empty folder; gives status, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SIDECAR_SERVE__DATA_FOLDER", str(tmp_path / "data"))
    monkeypatch.setattr("config.toml_files.user_config_path", lambda name: tmp_path / "none" / name)

    def run(*arguments: str) -> tuple[int, str, str]:
        status = app.run(arguments)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run
