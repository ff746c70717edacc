"""Settings and reaction table as TOML text that says where each value comes from."""

from collections.abc import Mapping
from typing import Any

import tomlkit
from pydantic import BaseModel
from tomlkit.items import Array, InlineTable, Item, Table

from config.reaction_table import LoadedTable
from config.settings import LoadedSettings

SHIPPED = "default"
"""The origin of a value that was not changed."""
_COLUMN = 40
"""Where origins stand, unless a value reaches further."""


def describe_settings(loaded: LoadedSettings) -> str:
    """``loaded`` as a settings file, with each value's origin behind it; secrets are masked."""
    return _document(loaded.settings, loaded.origins)


def describe_table(loaded: LoadedTable) -> str:
    """``loaded`` as a ``reactions.toml``, with each value's origin behind it."""
    return _document(loaded.table, loaded.origins)


def _document(sections: BaseModel | Mapping[str, BaseModel], origins: Mapping[str, str]) -> str:
    document = tomlkit.document()
    for section, values in dict(sections).items():
        document.append(section, _table(section, values.model_dump(mode="json"), origins))
    return tomlkit.dumps(document).rstrip("\n")


def _table(section: str, values: Mapping[str, Any], origins: Mapping[str, str]) -> Table:
    table = tomlkit.table()
    for key, value in values.items():
        origin = origins.get(f"{section}.{key}", SHIPPED)
        if value is None:
            table.add(tomlkit.comment(f"{key} is not set".ljust(_COLUMN - 2) + f"# {origin}"))
            continue
        item = toml_item(value)
        item.comment(origin)
        item.trivia.comment_ws = " " * max(1, _COLUMN - len(f"{key} = {item.as_string()}"))
        table.append(key, item)
    table.add(tomlkit.nl())
    return table


def toml_item(value: Any) -> Item:
    """``value`` (of what JSON can hold, None left out of tables) as TOML on one line."""
    if isinstance(value, Mapping):
        table: InlineTable = tomlkit.inline_table()
        for key, each in value.items():
            if each is not None:
                table.append(key, toml_item(each))
        return table
    if isinstance(value, list):
        array: Array = tomlkit.array()
        for each in value:
            array.append(toml_item(each))
        return array
    item: Item = tomlkit.item(value)
    return item
