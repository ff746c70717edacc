"""The reaction table: the shipped ``reactions.toml`` with the user's rows merged over it."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from pydantic import ValidationError

from config.complaints import complaint, nearest
from config.errors import ConfigError
from config.files import find_file, read_toml
from config.reactions import Kind, ReactionRule

ReactionTable: TypeAlias = Mapping[str, ReactionRule]
"""Label → rule, one for every label of the vocabulary."""

SHIPPED = Path(__file__).with_name("reactions.toml")


def load_table(file: Path | None = None) -> ReactionTable:
    """Every label's rule: ours, with the keys that the user's file sets for it.

    Without ``file``, ``reactions.toml`` is looked for in the working folder and in the platform's
    configuration folder. Raises ConfigError naming file, label, key and what is allowed.
    """
    rows = read_toml(SHIPPED)
    table = {label: _rule(SHIPPED, label, row, rows) for label, row in rows.items()}
    path = find_file("reactions.toml", file)
    if path is not None:
        for label, row in read_toml(path).items():
            if label not in rows:
                raise ConfigError(
                    f"unknown label; {nearest(label, rows)}", where=f"{path}: {label}"
                )
            if not isinstance(row, dict):
                raise ConfigError(f"must be a table: [{label}]", where=f"{path}: {label}")
            table[label] = _rule(path, label, rows[label] | row, rows)
    return MappingProxyType(table)


def _rule(
    path: Path, label: str, row: Mapping[str, Any], labels: Mapping[str, Any]
) -> ReactionRule:
    """One checked row; ``path`` is the file to blame."""
    try:
        rule = ReactionRule(**row)
    except ValidationError as error:
        raise complaint(error, ReactionRule, lambda key: f"{path}: {label}.{key}") from None
    if rule.kind is Kind.STICKER and rule.sticker is None:
        raise ConfigError(
            "a label of kind 'sticker' needs a sticker",
            where=f"{path}: {label}.sticker",
            do='name one, or set kind = "event"',
        )
    if rule.release > rule.threshold:
        raise ConfigError(
            f"{rule.release} exceeds the threshold of {rule.threshold}",
            where=f"{path}: {label}.release",
        )
    for other in rule.outranks:
        if other not in labels:
            raise ConfigError(
                f"unknown label {other!r}; {nearest(other, labels)}",
                where=f"{path}: {label}.outranks",
            )
    return rule
