from pathlib import Path

import pytest

from config.errors import ConfigError
from sidecar.cli.env_file import MOST_SECRETS, environment, read_secrets


def test_secrets_are_lines_of_name_and_value(tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.write_text("# ours\nLIVEKIT_API_KEY=key\nexport JANUS_PIN='12 $34'\n\n")
    assert read_secrets(file) == {"LIVEKIT_API_KEY": "key", "JANUS_PIN": "12 $34"}


@pytest.mark.parametrize("content", [b"\xff\xfe=1", b"A=" + b"x" * MOST_SECRETS])
def test_a_file_that_holds_no_secrets_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "secrets"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match="--secrets"):
        read_secrets(file)


def test_a_file_goes_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JANUS_PIN", "1")
    monkeypatch.setenv("JANUS_TOKEN", "2")
    (tmp_path / "secrets").write_text("JANUS_PIN=3\n")
    variables = environment(tmp_path / "secrets")
    assert (variables["JANUS_PIN"], variables["JANUS_TOKEN"]) == ("3", "2")
