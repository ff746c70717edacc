"""What ``sidecar config`` prints."""

import tomllib
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from config.dump import describe_settings, describe_table, toml_item
from config.reaction_table import load_table_with_origins
from config.settings import load_with_origins
from reactions.labels import LABELS

SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.from_regex(r"[a-z_]+", fullmatch=True), inner)
    ),
    max_leaves=8,
)


@given(VALUES)
@settings(max_examples=50)
def test_value_survives_being_written_as_toml(value: Any) -> None:
    assert tomllib.loads(f"value = {toml_item(value).as_string()}")["value"] == value


def test_printed_settings_are_a_settings_file_that_gives_the_same_settings(tmp_path: Path) -> None:
    loaded = load_with_origins(options={"server.port": 9}, environ={})
    path = tmp_path / "sidecar.toml"
    path.write_text(describe_settings(loaded))
    assert load_with_origins(path, environ={}).settings == loaded.settings


def test_each_value_stands_beside_its_origin() -> None:
    printed = describe_settings(load_with_origins(environ={"SIDECAR_SERVER__PORT": "9"}))
    lines = {line.split("#")[0].strip(): line.split("# ")[-1] for line in printed.splitlines()}
    assert lines["port = 9"] == "SIDECAR_SERVER__PORT"
    assert lines['host = "127.0.0.1"'] == "default"


def test_secrets_are_masked() -> None:
    servers = '[{"url": "turn:t", "username": "me", "credential": "s3cret"}]'
    printed = describe_settings(load_with_origins(environ={"SIDECAR_SERVER__ICE_SERVERS": servers}))
    assert "s3cret" not in printed
    assert '{url = "turn:t", username = "me", credential = "**********"}' in printed


def test_printed_table_is_a_reaction_table_that_gives_the_same_rules(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[victory]\nthreshold = 0.9")
    loaded = load_table_with_origins(LABELS, path, environ={})
    printed = describe_table(loaded)
    assert f"threshold = 0.9                         # {path}" in printed
    path.write_text(printed)
    assert load_table_with_origins(LABELS, path, environ={}).table == loaded.table
