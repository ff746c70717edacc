"""Settings: which source overrides which, and the error for a mistake."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from config.errors import ConfigError
from config.settings import Settings, load_settings, load_with_origins


def written(folder: Path, text: str, name: str = "sidecar.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    return path


def config_error_from(text: str, tmp_path: Path) -> str:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_settings(path, environ={})
    return str(caught.value).removeprefix(f"{path}: ")


def keys() -> Iterator[tuple[str, str]]:
    for section, field in Settings.model_fields.items():
        model: Any = field.annotation
        assert issubclass(model, BaseModel)
        for key in model.model_fields:
            yield section, key


def test_shipped_settings_are_those_of_default_toml() -> None:
    assert load_settings(environ={}) == Settings()
    assert Settings().server.port == 8080


def required(section: str, key: str) -> bool:
    model: Any = Settings.model_fields[section].annotation
    return bool(model.model_fields[key].is_required())


def test_default_toml_gives_every_setting_but_those_that_are_optional() -> None:
    path = Path(Settings.model_config["toml_file"])  # type: ignore[arg-type]
    shipped = tomllib.loads(path.read_text())
    named = {(section, key) for section, table in shipped.items() for key in table}
    optional = {(section, key) for section, key in keys() if not required(section, key)}
    assert set(keys()) - named == optional
    assert ("models", "folder") in optional


def test_every_setting_is_described() -> None:
    for section, key in keys():
        model: Any = Settings.model_fields[section].annotation
        assert model.model_fields[key].description, f"{section}.{key}"


def test_a_part_can_be_changed_when_settings_are_made_in_code() -> None:
    settings = Settings(composite={"width": 640})
    assert (settings.composite.width, settings.composite.height) == (640, 720)


def test_settings_can_not_be_changed_afterwards() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_settings(environ={}).server.port = 1  # type: ignore[misc]


def test_option_wins_over_variable_over_file_over_default(tmp_path: Path) -> None:
    file = written(tmp_path, "[server]\nport = 1\nhost = 'file'\nmax_streams = 7")
    environ = {"SIDECAR_SERVER__PORT": "2", "SIDECAR_SERVER__HOST": "variable"}
    settings = load_settings(file, {"server.port": 3}, environ)
    assert settings.server.port == 3
    assert settings.server.host == "variable"
    assert settings.server.max_streams == 7
    assert settings.server.max_viewers == Settings().server.max_viewers


def test_origin_of_each_value_is_known(tmp_path: Path) -> None:
    file = written(tmp_path, "[server]\nport = 1\nhost = 'file'\nmax_streams = 7")
    environ = {"SIDECAR_SERVER__PORT": "2", "SIDECAR_SERVER__HOST": "variable"}
    assert load_with_origins(file, {"server.port": 3}, environ).origins == {
        "server.port": "--port",
        "server.host": "SIDECAR_SERVER__HOST",
        "server.max_streams": str(file),
    }


def test_option_that_was_not_given_changes_nothing() -> None:
    assert load_settings(options={"server.port": None}, environ={}) == Settings()


def test_file_in_the_working_folder_is_found_before_the_platforms(tmp_path: Path) -> None:
    written(tmp_path / "platform" / "reaction-sidecar", "[server]\nport = 1")
    assert load_settings(environ={}).server.port == 1
    written(tmp_path / "work", "[server]\nport = 2")
    assert load_settings(environ={}).server.port == 2


def test_sidecar_config_names_the_file(tmp_path: Path) -> None:
    written(tmp_path / "work", "[server]\nport = 2")
    other = written(tmp_path, "[server]\nport = 3", "other.toml")
    assert load_settings(environ={"SIDECAR_CONFIG": str(other)}).server.port == 3


def test_file_that_was_asked_for_must_exist(tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"
    with pytest.raises(ConfigError, match=r"missing\.toml: no such file"):
        load_settings(missing, environ={})


def test_sidecar_models_names_the_folder_of_the_models() -> None:
    assert load_settings(environ={"SIDECAR_MODELS": "/models"}).models.folder == Path("/models")


def test_longer_variable_wins_over_sidecar_models() -> None:
    environ = {"SIDECAR_MODELS": "/models", "SIDECAR_MODELS__FOLDER": "/others"}
    assert load_settings(environ=environ).models.folder == Path("/others")


def test_variables_that_container_platforms_set_for_a_service_are_left_alone() -> None:
    environ = {"SIDECAR_PORT": "tcp://10.0.0.1:8080", "SIDECAR_SERVICE_HOST": "10.0.0.1"}
    assert load_settings(environ=environ) == Settings()


def test_paths_in_a_file_are_meant_from_its_folder(tmp_path: Path) -> None:
    file = written(
        tmp_path, "[stickers]\nfolders = ['mine', '/theirs']\n[models]\nfolder = 'models'"
    )
    settings = load_settings(file, environ={})
    assert settings.stickers.folders == (tmp_path / "mine", Path("/theirs"))
    assert settings.models.folder == tmp_path / "models"


def test_list_in_a_variable_is_json() -> None:
    servers = '[{"url": "turn:turn.example", "username": "me", "credential": "0123"}]'
    (server,) = load_settings(environ={"SIDECAR_SERVER__ICE_SERVERS": servers}).server.ice_servers
    assert server.url == "turn:turn.example"
    assert server.credential is not None
    assert server.credential.get_secret_value() == "0123"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "[server]\nprot = 1",
            "server.prot: unknown key; did you mean 'port'? allowed: host, port",
        ),
        ("[servr]\nport = 1", "servr: unknown key; did you mean 'server'? allowed: server"),
        ("[server]\nport = 70000", "server.port: 70000 is refused: input should be less than"),
        ("[server]\nport = 'x'", "server.port: 'x' is refused: input should be a valid integer"),
        ("[composite]\nfit = 'fill'", "'fill' is refused: input should be 'letterbox' or 'cover'"),
        ("[composite]\nwidth = 641", "641 is refused: input should be a multiple of 2"),
        ("server = 1", "server: must be a table: [server]"),
        ("[server]\nport = ", "broken TOML: Invalid value"),
        ("[policy]\nevidence = 9", "policy: evidence (9) must not exceed window (4)"),
    ],
)
def test_mistake_in_a_file_is_one_line_with_file_key_and_what_is_allowed(
    text: str, line: str, tmp_path: Path
) -> None:
    message = config_error_from(text, tmp_path)
    assert line in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        ({"SIDECAR_SERVER__PORT": "x"}, "SIDECAR_SERVER__PORT: server.port: 'x' is refused"),
        ({"SIDECAR_SERVER__PROT": "1"}, "did you mean 'port'?"),
        ({"SIDECAR_SERVR__PORT": "1"}, "SIDECAR_SERVR__PORT: unknown section"),
        (
            {"SIDECAR_STICKERS__FOLDERS": "/mine"},
            "SIDECAR_STICKERS__FOLDERS: the value must be a list in JSON",
        ),
        ({"SIDECAR_POLICY__EVIDENCE": "9"}, "SIDECAR_POLICY__EVIDENCE: policy: evidence (9)"),
    ],
)
def test_mistake_in_a_variable_names_the_variable(environ: Mapping[str, str], line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(environ=environ)
    assert line in str(caught.value)


def test_mistake_in_an_option_names_the_option() -> None:
    with pytest.raises(ConfigError, match=r"--port: server\.port: -1 is refused"):
        load_settings(options={"server.port": -1}, environ={})


def test_complaint_never_repeats_a_secret(tmp_path: Path) -> None:
    text = "[[server.ice_servers]]\nurl = 'turn:t'\ncredential = 424242"
    assert "424242" not in config_error_from(text, tmp_path)


def test_broken_list_variable_never_repeats_a_secret() -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(environ={"SIDECAR_SERVER__ICE_SERVERS": '[{"credential": "s3cret"'})
    assert "s3cret" not in str(caught.value)


def test_file_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    assert "longer than" in config_error_from("#" * (2**20 + 1), tmp_path)


def test_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sidecar.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="broken TOML"):
        load_settings(path, environ={})


def test_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sidecar.toml"
    path.write_bytes(b"\xef\xbb\xbf[server]\r\nport = 8123\r\n")
    assert load_settings(path, environ={}).server.port == 8123


@pytest.mark.parametrize("opening", ["[", "{a="])
def test_deeply_nested_file_is_one_line(tmp_path: Path, opening: str) -> None:
    text = config_error_from("x = " + opening * 100_000, tmp_path)
    assert "broken TOML: nested too deeply" in text
    assert "\n" not in text


def test_user_without_a_home_has_the_shipped_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(name: str) -> Path:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr("config.toml_files.user_config_path", homeless)
    assert load_settings(environ={}) == Settings()


def test_path_in_an_unknown_home_names_the_file(tmp_path: Path) -> None:
    text = "[stickers]\nfolders = ['~no-such-user/stickers']"
    assert "no such home" in config_error_from(text, tmp_path)
