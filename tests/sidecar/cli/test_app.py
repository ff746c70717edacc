"""The command as a whole: exit status, and one line for each user error."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.errors import RoomError
from tests.sidecar.cli.conftest import Run


def test_help_lists_the_commands(run: Run) -> None:
    status, out, _ = run("--help")
    assert status == 0
    for command in ("demo", "replay", "annotate", "models", "config"):
        assert f"\n  {command} " in out


@pytest.mark.parametrize("command", ["demo", "replay", "annotate", "models", "config"])
def test_every_command_explains_itself(command: str, run: Run) -> None:
    status, out, _ = run(command, "--help")
    assert status == 0
    assert out.startswith(f"Usage: sidecar {command}")


def test_demo_has_the_options_that_others_build_on(run: Run) -> None:
    _, out, _ = run("demo", "--help")
    for option in ("--port N", "--host H", "--no-browser", "--mannequins N", "--for DURATION"):
        assert option in out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["dance"], "No such command 'dance'."),
        (["demo", "--bad"], "No such option: --bad"),
        (["demo", "--mannequins", "99"], "Invalid value for '--mannequins'"),
        (["demo", "--for", "soon"], "--for: 'soon' is not a duration"),
        (["demo", "--port", "70000"], "--port: server.port: 70000 is refused"),
        (["replay", "in.mp4"], "Missing argument 'OUT'."),
        (["annotate"], "name pictures, or a list of them with --list, not both"),
        (["annotate", "a.png", "--list", "b"], "name pictures, or a list of them"),
        (["config", "--config", "gone.toml"], "gone.toml: no such file"),
        (["config", "--reactions", "gone.toml"], "gone.toml: no such file"),
    ],
)
def test_mistake_is_one_line_on_standard_error_and_status_2(
    arguments: list[str], line: str, run: Run
) -> None:
    status, out, err = run(*arguments)
    assert status == 2
    assert err.startswith("sidecar: error: ")
    assert line in err
    assert err.count("\n") == 1
    assert out == ""


def test_message_of_many_lines_becomes_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RoomError("two\n  lines", where="here")

    monkeypatch.setattr("config.settings.load_with_origins", fail)
    assert run("config") == (2, "", "sidecar: error: here: two lines\n")


def test_interrupt_is_status_130_without_a_word(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("config.settings.load_with_origins", interrupt)
    assert run("config") == (130, "", "")


def test_config_prints_settings_with_their_origin(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIDECAR_SERVER__PORT", "9")
    status, out, err = run("config")
    assert (status, err) == (0, "")
    assert "port = 9" in out
    assert "# SIDECAR_SERVER__PORT" in out


def test_config_prints_the_reaction_table(run: Run) -> None:
    status, out, _ = run("config", "--table")
    assert status == 0
    assert '[thumbs_up]\nkind = "sticker"' in out


def test_reader_that_went_away_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "sidecar", "config"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""


def test_help_loads_no_media_and_no_models() -> None:
    program = (
        "import sys; from sidecar.cli import app; app.run(['--help']); "
        "heavy = {'av', 'aiortc', 'aiohttp', 'ai_edge_litert', 'numpy', 'PIL', 'pydantic'}; "
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_full_disk_is_one_line_and_status_2() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-u", "-m", "sidecar", "config"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == "sidecar: error: no space left on a disk (free some)\n"


@pytest.mark.parametrize("command", ["demo", "join", "serve", "replay", "annotate", "doctor"])
def test_the_help_of_each_command_has_an_example(command: str, run: Run) -> None:
    _, out, _ = run(command, "--help")
    assert f"Example: sidecar {command}" in " ".join(out.split())
