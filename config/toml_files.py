"""Finding and reading TOML files."""

import tomllib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from config.errors import ConfigError

CONFIG_VARIABLE = "SIDECAR_CONFIG"
MAX_BYTES = 2**20
"""Of a settings file; hand-written ones are far smaller."""


def find_config_file(
    name: str, given: Path | None = None, variable: str | None = None
) -> Path | None:
    """The file to read: ``given``, else the one that ``variable`` names, else a found ``name``.

    ``name`` is looked for in the working folder, then in the platform's configuration folder. A
    file that was asked for must exist (ConfigError); one that is looked for need not.
    """
    asked = given or (Path(variable) if variable else None)
    if asked is not None:
        if not _is_file(asked):
            raise ConfigError("no such file", where=str(asked))
        return asked
    for folder in (Path(), *_platform_folder()):
        if _is_file(folder / name):
            return folder / name
    return None


def _is_file(path: Path) -> bool:
    """Whether ``path`` is a file; a name that the system does not take is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def _platform_folder() -> Iterator[Path]:
    """The platform's configuration folder; none where this user has no home."""
    with suppress(RuntimeError):
        yield user_config_path("reaction-sidecar")


def read_toml(path: Path, file_paths: Iterable[tuple[str, str]] = ()) -> dict[str, Any]:
    """The tables of ``path``; values at ``file_paths`` (section, key) become absolute.

    Raises ConfigError naming the file, and the line where it is no TOML.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            raise ConfigError(f"longer than {MAX_BYTES} bytes", where=str(path))
        tables = tomllib.loads(text.decode("utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"can't be read: {error.strerror}", where=str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"broken TOML: {error}", where=str(path)) from error
    except RecursionError as error:
        raise ConfigError("broken TOML: nested too deeply", where=str(path)) from error
    for section, key in file_paths:
        table = tables.get(section)
        if isinstance(table, dict) and key in table:
            table[key] = _beside(path, table[key])
    return tables


def _beside(path: Path, value: object) -> object:
    """Relative paths in ``value`` taken from the folder of ``path``."""
    if isinstance(value, str):
        try:
            return str(path.parent.absolute() / Path(value).expanduser())
        except RuntimeError as error:
            raise ConfigError(f"{value!r}: no such home", where=str(path)) from error
    if isinstance(value, list):
        return [_beside(path, item) for item in value]
    return value
