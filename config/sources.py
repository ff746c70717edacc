"""Merge settings from several sources and keep the source of each value."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsError

from config.errors import ConfigError
from config.validation_errors import nearest

MODELS_VARIABLE = "SIDECAR_MODELS"


@dataclass(frozen=True, slots=True)
class Source:
    """Values of one origin: a file, an environment variable or an option; ``{section: {key: …}}``.

    What is not a table of tables is passed on as it is, for the validation to complain about.
    """

    origin: str
    values: Mapping[str, Any]


def merge_sources(layers: Iterable[Source]) -> tuple[dict[str, Any], dict[str, str]]:
    """Values of all ``layers``, later ones winning key by key, and each ``section.key``'s origin.

    Tables within a section are merged in the same way. Lists are replaced, not joined.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for layer in layers:
        for section, table in layer.values.items():
            if not isinstance(table, Mapping) or not isinstance(values.get(section, {}), Mapping):
                values[section] = table
                origins[section] = layer.origin
                continue
            values[section] = _merged(values.get(section, {}), table)
            origins.update({f"{section}.{key}": layer.origin for key in table})
    return values, origins


def _merged(before: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    """``table`` over ``before``, key by key; tables of both are merged as well."""
    merged = dict(before)
    for key, value in table.items():
        old = before.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            merged[key] = _merged(old, value)
        else:
            merged[key] = value
    return merged


def option(origin: str, key: str, value: Any) -> Source:
    """A layer with the value of one command line option; ``key`` is its path in the settings."""
    for part in reversed(key.split(".")):
        value = {part: value}
    return Source(origin, value)


def locate(key: str, origins: Mapping[str, str]) -> str:
    """``key`` behind the origin of its value, or behind the origins of the keys it consists of."""
    parts = key.split(".")
    for end in range(len(parts), 0, -1):
        if (origin := origins.get(".".join(parts[:end]))) is not None:
            return f"{origin}: {key}"
    below = {origin for other, origin in origins.items() if other.startswith(f"{key}.")}
    return ": ".join([*filter(None, [" and ".join(sorted(below))]), key])


def variables(settings: type[BaseSettings], environ: Mapping[str, str]) -> Iterator[Source]:
    """One layer for each environment variable that is a setting (``SIDECAR_SECTION__KEY``).

    A name without the double underscore is none of ours: container platforms set such ones
    (``SIDECAR_PORT=tcp://…`` for a service called "sidecar"). Raises ConfigError for an unknown
    section and for a list that is no JSON.
    """
    if folder := environ.get(MODELS_VARIABLE):
        yield Source(MODELS_VARIABLE, {"models": {"folder": folder}})
    prefix = str(settings.model_config["env_prefix"])
    sections = [f"{prefix}{section.upper()}__" for section in settings.model_fields]
    for name, text in sorted(environ.items()):
        if not name.startswith(prefix) or "__" not in name:
            continue
        if not name.startswith(tuple(sections)):
            hint = nearest(name.partition("__")[0] + "__", sections)
            raise ConfigError(f"unknown section; {hint}", where=name)
        source = EnvSettingsSource(settings)
        source.env_vars = {name.lower(): text}
        try:
            yield Source(name, source())
        except SettingsError as error:
            # Not the text itself: an ICE server's credential may be in it.
            raise ConfigError(
                "the value must be a list in JSON", where=name, do='such as ["a", "b"]'
            ) from error
