"""The reference of all settings, made from their types: ``python -m config.reference``.

It writes the tables of ``docs/configuration.md`` between two marks; a test holds them equal.
"""

import enum
import json
import tomllib
import types
import typing
from pathlib import Path
from typing import Any, Final

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen, MultipleOf
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from config.settings import Settings

PAGE: Final = Path(__file__).parents[1] / "docs" / "configuration.md"
BEGIN: Final = "<!-- The tables are made by `python -m config.reference`. -->"
END: Final = "<!-- End of what is made. -->"


def reference() -> str:
    """The tables of all sections, in Markdown."""
    file = Path(str(Settings.model_config["toml_file"]))
    shipped = tomllib.loads(file.read_text(encoding="utf-8"))
    parts = []
    for section, field in Settings.model_fields.items():
        model = field.annotation
        assert isinstance(model, type), section
        assert issubclass(model, BaseModel), section
        parts.append(_table(section, model, shipped.get(section, {})))
    return "\n\n".join(parts)


def page(text: str) -> str:
    """``text`` of the page with the tables as they are now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{reference()}\n\n{END}{after}"


def _table(section: str, model: type[BaseModel], shipped: dict[str, Any]) -> str:
    title = (model.__doc__ or "").strip().splitlines()[0]
    rows = [
        f"| `{key}` | {_default(key, shipped)} | {_allowed(field)} | {_cell(field.description)} |"
        for key, field in model.model_fields.items()
    ]
    head = "| key | default | allowed | meaning |\n| --- | --- | --- | --- |"
    return "\n".join([f"### [{section}]", title, "", head, *rows])


def _cell(text: str | None) -> str:
    return " ".join((text or "").replace("``", "`").split()).rstrip(".").replace("|", "\\|")


def _default(key: str, shipped: dict[str, Any]) -> str:
    return f"`{_toml(shipped[key])}`" if key in shipped else ""


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


def _allowed(field: FieldInfo) -> str:
    words = _words(field.annotation)
    limits = _limits([*field.metadata, *_nested(field.annotation)])
    return ", ".join(filter(None, [words, limits]))


def _nested(annotation: Any) -> list[Any]:
    """Constraints inside ``Annotated`` or an optional type."""
    if typing.get_origin(annotation) is typing.Annotated:
        return [
            one
            for entry in annotation.__metadata__
            for one in (entry.metadata if isinstance(entry, FieldInfo) else [entry])
        ]
    return [one for part in typing.get_args(annotation) for one in _nested(part)]


def _words(annotation: Any) -> str:
    """What kind of value it is, for people."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return ", ".join(f"`{json.dumps(one)}`" for one in arguments)
    if origin is typing.Annotated:
        return _words(arguments[0])
    if origin in {typing.Union, types.UnionType}:
        return _words(next(one for one in arguments if one is not type(None)))
    if origin is tuple:
        return "list of " + {"table": "tables", "text": "texts", "path": "paths"}.get(
            _words(arguments[0]), _words(arguments[0])
        )
    if origin is dict:
        return "table"
    if isinstance(annotation, type) and issubclass(annotation, enum.StrEnum):
        return ", ".join(f"`{json.dumps(one.value)}`" for one in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table"
    names = {bool: "`true`, `false`", str: "text", Path: "path", int: "whole", float: "number"}
    return names.get(annotation, "text")


def _limits(metadata: list[Any]) -> str:
    found = []
    for one in metadata:
        match one:
            case Ge():
                found.append(f"≥ {one.ge}")
            case Gt():
                found.append(f"> {one.gt}")
            case Le():
                found.append(f"≤ {one.le}")
            case Lt():
                found.append(f"< {one.lt}")
            case MultipleOf():
                found.append(f"multiple of {one.multiple_of}")
            case MinLen():
                found.append(f"at least {one.min_length} long")
            case MaxLen():
                found.append(f"at most {one.max_length} long")
            case _:
                pass
    return ", ".join(found)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
