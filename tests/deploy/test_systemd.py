"""The systemd unit: settings that exist, a stop that waits for the drain, and few rights."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import Settings, load_settings

UNIT = Path(__file__).parents[2] / "deploy/systemd/reaction-sidecar.service"
PROGRAM = "/opt/reaction-sidecar/bin/sidecar"
SPECIFIERS = {"%E": "/etc", "%S": "/var/lib", "%C": "/var/cache", "%d": "/run/credentials/unit"}


def values(key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", UNIT.read_text(), re.MULTILINE)


def environment() -> dict[str, str]:
    text = "\n".join(values("Environment"))
    for specifier, folder in SPECIFIERS.items():
        text = text.replace(specifier, folder)
    return dict(line.split("=", 1) for line in text.splitlines())


def settings_in(folder: Path) -> Settings:
    """The settings that the service has, with an empty file."""
    file = folder / "sidecar.toml"
    file.touch()
    return load_settings(environ={**environment(), "SIDECAR_CONFIG": str(file)})


def test_its_variables_are_settings(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    assert settings.serve.token_file == Path("/run/credentials/unit/tokens")
    assert settings.serve.journal == Path("/var/lib/reaction-sidecar/rooms.db")


def test_stopping_waits_for_the_drain_and_for_closing(tmp_path: Path) -> None:
    (seconds,) = values("TimeoutStopSec")
    assert int(seconds) >= settings_in(tmp_path).serve.drain_timeout + 30


def test_each_credential_is_used() -> None:
    names = {value.partition(":")[0] for value in values("LoadCredential")}
    used = {line.partition("=")[2] for line in values("Environment")}
    # The folder's files are reached by the secrets folder, as secrets_NAME.
    assert {f"%d/{name}" for name in names - {"secrets"}} | {"%d"} <= used


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    if (program := shutil.which("systemd-analyze")) is None:
        pytest.skip("this system has no such thing: systemd-analyze")
    command = [program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_systemd_finds_no_fault(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace(PROGRAM, sys.executable))
    done = analyze("verify", "--man=no", unit)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_key_that_systemd_does_not_know_is_found(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("ProtectHome=", "ProtectHouse="))
    assert "ProtectHouse" in analyze("verify", "--man=no", unit).stderr


def test_its_exposure_is_low() -> None:
    # 0 to 10, by systemd's own weights; what is left is the network, which the program is for.
    done = analyze("security", "--offline=true", "--threshold=20", UNIT)
    assert done.returncode == 0, done.stdout[-300:]
