"""Turn validation errors into one line: where, which key, and what is allowed."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from config.errors import ConfigError

_MASKED = "credential"


def nearest(name: str, allowed: Iterable[str]) -> str:
    """What ``name`` may have meant: the closest of ``allowed``, and all of them."""
    names = list(allowed)
    close = get_close_matches(name, names, n=1)
    guess = [f"did you mean {close[0]!r}?"] if close else []
    return " ".join([*guess, f"allowed: {', '.join(names)}"])


def first_fault(error: ValidationError) -> str:
    """Where in a file, and what: the first thing that ``error`` says, without the values there."""
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'file'}: {first['msg']}"


def config_error_from(
    error: ValidationError, model: type[BaseModel], where: Callable[[str], str]
) -> ConfigError:
    """The first thing that ``error`` says about a value of ``model``, without any secret.

    ``where`` turns a dotted key into what the user can look into: a file and the key in it.
    """
    first = error.errors(include_url=False)[0]
    location = tuple(str(part) for part in first["loc"])
    place = where(".".join(location))
    if first["type"] == "extra_forbidden":
        hint = nearest(location[-1], _keys(model, location[:-1]))
        return ConfigError(f"unknown key; {hint}", where=place)
    if first["type"] == "model_type":
        return ConfigError(f"must be a table: [{place.rpartition(' ')[2]}]", where=place)
    reason = first["msg"].removeprefix("Value error, ")
    reason = reason[:1].lower() + reason[1:]
    given = first["input"]
    if isinstance(given, bool | int | float | str) and _MASKED not in location:
        return ConfigError(f"{given!r} is refused: {reason}", where=place)
    return ConfigError(reason, where=place)


def _keys(model: type[BaseModel], location: Iterable[str]) -> list[str]:
    """Names of the fields of the model at ``location`` inside ``model``."""
    for part in location:
        if part.isdigit():
            continue
        annotation: Any = model.model_fields[part].annotation
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        model = next(c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel))
    return list(model.model_fields)
