"""Settings and reaction table as TOML text that says where each value comes from."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from config.reaction_table import LoadedTable
from config.settings import Loaded

SHIPPED = "default"
"""The origin of what nobody changed."""


def describe_settings(loaded: Loaded) -> str:
    """``loaded`` as a settings file, with each value's origin behind it; secrets are masked."""
    return _document(loaded.settings, loaded.origins)


def describe_table(loaded: LoadedTable) -> str:
    """``loaded`` as a ``reactions.toml``, with each value's origin behind it."""
    return _document(loaded.table, loaded.origins)


def _document(sections: BaseModel | Mapping[str, BaseModel], origins: Mapping[str, str]) -> str:
    blocks = []
    for section, table in dict(sections).items():
        lines = list(_lines(section, table.model_dump(mode="json"), origins))
        blocks.append("\n".join([f"[{section}]", *lines]))
    return "\n\n".join(blocks)


def _lines(section: str, values: Mapping[str, Any], origins: Mapping[str, str]) -> Iterator[str]:
    for key, value in values.items():
        text = f"# {key} is not set" if value is None else f"{key} = {toml(value)}"
        yield f"{text:<39} # {origins.get(f'{section}.{key}', SHIPPED)}"


def toml(value: Any) -> str:
    """``value`` (of what JSON can hold, None left out of tables) as TOML on one line."""
    if isinstance(value, Mapping):
        pairs = [f"{key} = {toml(item)}" for key, item in value.items() if item is not None]
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    # JSON's strings, numbers and booleans are TOML's, but for one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
