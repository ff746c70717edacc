"""The reaction table: the shipped ``reactions.toml`` with the user's rows merged over it."""

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from config.errors import ConfigError
from config.reaction_rule import Kind, LabelDefaults, ReactionRule
from config.toml_files import find_config_file, read_toml
from config.validation_errors import config_error_from, nearest

ReactionTable: TypeAlias = Mapping[str, ReactionRule]
"""Label → rule, one for every label of the vocabulary."""

REACTIONS_VARIABLE = "SIDECAR_REACTIONS"
SHIPPED = Path(__file__).with_name("reactions.toml")


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """The table, and where each value that we don't ship came from (``label.key`` → file)."""

    table: ReactionTable
    origins: Mapping[str, str]
    taught: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The user's rows of labels that are not in the vocabulary, not checked yet: they count where
    the bundle in use has the label (``with_rows``)."""
    file: str = ""
    """The user's file; empty where there is none."""


def load_table_with_origins(
    labels: Mapping[str, LabelDefaults],
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    taught: Callable[[], Collection[str]] = frozenset,
) -> LoadedTable:
    """Every label's rule: ours, with the keys that the user's file sets for it.

    ``labels`` is the vocabulary: a label's threshold is its own unless a file sets one. ``taught``,
    which is called for a row that has none of them, gives the names of labels that users taught.
    The user's file is ``file``, else SIDECAR_REACTIONS, else a ``reactions.toml`` in the working
    folder or in the platform's configuration folder. Raises ConfigError naming file, label, key and
    what is allowed.
    """
    environ = os.environ if environ is None else environ
    shipped = _read_rows(SHIPPED, labels)
    if missing := [label for label in labels if label not in shipped]:
        raise ConfigError(
            f"no row for {', '.join(missing)}", where=str(SHIPPED), do=f"add [{missing[0]}]"
        )
    rows = {
        label: {"threshold": spec.threshold, **shipped[label], "moderated": spec.moderated}
        for label, spec in labels.items()
    }
    table = {label: _rule(SHIPPED, label, row, rows) for label, row in rows.items()}
    origins: dict[str, str] = {}
    path = find_config_file("reactions.toml", file, environ.get(REACTIONS_VARIABLE))
    if path is None:
        return LoadedTable(table, origins)
    others: dict[str, dict[str, Any]] = {}
    for label, row in _read_rows(path, labels, taught).items():
        origins.update({f"{label}.{key}": str(path) for key in row})
        if label in labels:
            table[label] = _rule(path, label, rows[label] | row, rows)
        else:
            others[label] = row
    _check_ranks(
        table, sorted({key.partition(".")[0] for key in origins} & labels.keys()), str(path)
    )
    return LoadedTable(table, origins, others, str(path))


def load_reaction_table(
    labels: Mapping[str, LabelDefaults],
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> ReactionTable:
    """The table of ``load_table_with_origins`` alone, which has no rows of taught labels."""
    return load_table_with_origins(labels, file, environ).table


def _read_rows(
    path: Path,
    labels: Mapping[str, LabelDefaults],
    taught: Callable[[], Collection[str]] = frozenset,
) -> dict[str, dict[str, Any]]:
    """The rows of the file at ``path``, each of them a table that a label has."""
    rows = read_toml(path)
    others = frozenset() if rows.keys() <= labels.keys() else frozenset(taught())
    for label, row in rows.items():
        place = f"{path}: {label}"
        if label not in labels and label not in others:
            known = [*labels, *sorted(others)]
            raise ConfigError(f"unknown label; {nearest(label, known)}", where=place)
        if not isinstance(row, dict):
            raise ConfigError(f"must be a table: [{label}]", where=place)
        moderated = label in labels and labels[label].moderated
        if row.get("moderated", moderated) is not moderated:
            raise ConfigError("is the label's own", where=f"{place}.moderated", do="remove it")
    return rows


def with_rows(
    table: ReactionTable, rows: Mapping[str, Mapping[str, Any]], where: str
) -> dict[str, ReactionRule]:
    """``table`` with the keys that ``rows`` set for a label.

    Raises ConfigError naming ``where``, label, key and what is allowed.
    """
    changed = dict(table)
    for label, row in rows.items():
        if label not in table:
            raise ConfigError(f"unknown label; {nearest(label, table)}", where=f"{where}: {label}")
        changed[label] = _rule(where, label, table[label].model_dump() | dict(row), table)
    _check_ranks(changed, rows, where)
    return changed


def _rule(
    path: Path | str, label: str, row: Mapping[str, Any], labels: Mapping[str, Any]
) -> ReactionRule:
    """One checked row; ``path`` is the file to blame."""
    try:
        rule = ReactionRule(**row)
    except ValidationError as error:
        raise config_error_from(error, ReactionRule, lambda key: f"{path}: {label}.{key}") from None
    _check_moderated(rule, f"{path}: {label}")
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
        if other == label:
            raise ConfigError(
                "a label can't outrank itself", where=f"{path}: {label}.outranks", do="remove it"
            )
        if other not in labels:
            raise ConfigError(
                f"unknown label {other!r}; {nearest(other, labels)}",
                where=f"{path}: {label}.outranks",
            )
    return rule


def _check_moderated(rule: ReactionRule, where: str) -> None:
    """Raise ConfigError where a moderated label has anything to be drawn."""
    if not rule.moderated:
        return
    what = "the label is moderated: it is never drawn"
    if rule.kind is Kind.STICKER:
        raise ConfigError(what, where=f"{where}.kind", do='set kind = "event" or "off"')
    drawn = {"sticker": rule.sticker, "effect": rule.effect, "crowd": rule.crowd}
    for key, name in drawn.items():
        if name:
            raise ConfigError(what, where=f"{where}.{key}", do="remove it")


def _check_ranks(table: Mapping[str, ReactionRule], labels: Iterable[str], where: str) -> None:
    """Raise ConfigError where one of ``labels`` and another outrank each other: neither would ever
    be seen while the other is."""
    for label in labels:
        for other in table[label].outranks:
            if other in table and label in table[other].outranks:
                place = f"{where}: {label}.outranks"
                raise ConfigError(f"{other!r} outranks {label!r}", where=place, do="remove one")


def only_labels(table: ReactionTable, wanted: str | None) -> ReactionTable:
    """``table`` with every label off but those in the comma-separated ``wanted``; None is all.

    Raises ConfigError for an unknown label.
    """
    if wanted is None:
        return table
    names = {name.strip() for name in wanted.split(",")}
    if unknown := sorted(names - table.keys()):
        raise ConfigError(
            f"unknown label {unknown[0]!r}", where="--labels", do=f"one of {', '.join(table)}"
        )
    return {
        label: rule if label in names else rule.model_copy(update={"kind": Kind.OFF})
        for label, rule in table.items()
    }
