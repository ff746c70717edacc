"""How a Janus room is found, and where its keys come from."""

from pathlib import Path

import pytest

from config.errors import ConfigError
from sidecar.rooms.base import JoinOptions
from sidecar.rooms.janus.adapter import ADAPTER, environment_secret
from sidecar.rooms.registry import find_adapter


async def test_it_is_found_by_its_address_without_asking_a_server() -> None:
    assert await find_adapter("janus+wss://meet.example/1") is ADAPTER


@pytest.mark.parametrize("form", ADAPTER.forms)
def test_every_form_that_it_names_is_recognised(form: str) -> None:
    assert ADAPTER.recognises(form)
    assert ADAPTER.room(form.replace("[:PORT]", ":1"), JoinOptions("Reactions")).name


def test_a_key_comes_from_the_environment_or_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("from-file\n")
    file = {"JANUS_PIN_FILE": str(tmp_path / "pin")}
    assert environment_secret(file, "JANUS_PIN") == "from-file"
    assert environment_secret({"JANUS_PIN": "given", **file}, "JANUS_PIN") == "given"
    assert environment_secret({}, "JANUS_PIN") == ""


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    environ = {"JANUS_TOKEN_FILE": str(tmp_path / "missing")}
    with pytest.raises(ConfigError, match="JANUS_TOKEN_FILE"):
        ADAPTER.room("janus://h/1", JoinOptions("Reactions", environ))
