from pathlib import Path

import pytest

from config.errors import ConfigError
from sidecar.supervisor.secrets import RoomSecrets, SecretReferences, SecretStore

GIVEN = {"LIVEKIT_API_KEY": "env:LIVEKIT_API_KEY", "LIVEKIT_API_SECRET": "tell-no-one"}


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text("k" * 40)
    return path


def test_a_sealed_secret_is_not_readable_and_opens_again(key_file: Path) -> None:
    sealed = SecretStore.from_file(key_file).seal(GIVEN)
    assert "tell-no-one" not in str(sealed)
    assert sealed["LIVEKIT_API_KEY"] == "env:LIVEKIT_API_KEY"
    assert SecretStore.from_file(key_file).open(sealed) == GIVEN


def test_without_a_key_a_value_is_not_stored() -> None:
    sealed = SecretStore().seal(GIVEN)
    assert "tell-no-one" not in str(sealed)
    with pytest.raises(ConfigError, match="LIVEKIT_API_SECRET is not known any more"):
        SecretStore().open(sealed)


def test_another_key_opens_nothing(key_file: Path, tmp_path: Path) -> None:
    sealed = SecretStore.from_file(key_file).seal(GIVEN)
    other = tmp_path / "other"
    other.write_text("x" * 40)
    with pytest.raises(ConfigError, match="sealed with another key"):
        SecretStore.from_file(other).open(sealed)


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    short = tmp_path / "key"
    short.write_text("short")
    with pytest.raises(ConfigError, match="too short"):
        SecretStore.from_file(short)


def references(tmp_path: Path) -> SecretReferences:
    folder = tmp_path / "secrets"
    folder.mkdir(exist_ok=True)
    (folder / "token").write_text("from-file\n")
    return SecretReferences({"ALLOWED": "a", "HOME": "/"}, frozenset({"ALLOWED"}), folder)


def test_references_are_replaced_by_what_they_name(tmp_path: Path) -> None:
    given = {"A": "env:ALLOWED", "B": "file:token", "C": "plain"}
    assert references(tmp_path).resolve(given) == {"A": "a", "B": "from-file", "C": "plain"}


@pytest.mark.parametrize(
    "value", ["env:HOME", "env:", "file:/etc/passwd", "file:../key", "file:nothing", "file:."]
)
def test_other_variables_and_files_can_t_be_read(tmp_path: Path, value: str) -> None:
    (tmp_path / "key").write_text("outside")
    with pytest.raises(ConfigError):
        references(tmp_path).resolve({"TOKEN": value})


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    allowed = references(tmp_path)
    (tmp_path / "outside").write_text("outside")
    (tmp_path / "secrets" / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(ConfigError, match="no such file"):
        allowed.resolve({"TOKEN": "file:link"})


def test_a_room_has_the_secrets_that_were_given_while_its_server_runs(tmp_path: Path) -> None:
    given = {"A": "env:ALLOWED", "B": "plain"}
    stored = SecretStore().seal(given)
    room = RoomSecrets(references(tmp_path), SecretStore(), stored, given)
    assert room.all() == {"A": "a", "B": "plain"}
    assert room.one("B") == "plain"
    assert "plain" not in repr(room)


def test_a_room_of_an_earlier_run_has_the_secrets_that_were_stored(tmp_path: Path) -> None:
    stored = SecretStore().seal({"A": "env:ALLOWED", "B": "plain"})
    room = RoomSecrets(references(tmp_path), SecretStore(), stored)
    assert room.one("A") == "a"
    with pytest.raises(ConfigError, match="the secret B is not known any more"):
        room.all()
