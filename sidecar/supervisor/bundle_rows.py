"""Rows of a reaction table over that of a bundle: a bundle's labels and thresholds come and go."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from config.reaction_rule import Kind, ReactionRule
from config.reaction_table import ReactionTable, with_rows
from reactions.bundle import ModelBundle
from reactions.bundle_label import with_bundle_labels
from reactions.labels import THRESHOLDS

Rows: TypeAlias = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class TaughtRows:
    """Rows of a reaction table for labels that only some bundles have."""

    rows: Rows = field(default_factory=dict)
    file: str = ""
    """The file that they are from, for errors."""


NO_ROWS: Final = TaughtRows()
_DRAWN: Final = frozenset({"sticker", "effect", "crowd"})
"""Keys of what is drawn."""


def with_bundle(
    table: ReactionTable, bundle: ModelBundle, taught: TaughtRows = NO_ROWS
) -> dict[str, ReactionRule]:
    """``table`` with a bundle's thresholds, where the table sets none, and its taught labels; of
    those, with the user's rows.

    Raises ConfigError for a row that does not fit.
    """
    whole = with_bundle_labels(with_thresholds(table, bundle.thresholds), bundle.labels)
    rows = {label: row for label, row in taught.rows.items() if label in whole}
    return with_rows(whole, rows, taught.file)


def with_thresholds(
    table: ReactionTable, thresholds: Mapping[str, float]
) -> dict[str, ReactionRule]:
    """``table`` with ``thresholds`` in place of the vocabulary's own; release stays below."""
    changed = dict(table)
    for label, threshold in thresholds.items():
        rule = table.get(label)
        if rule is not None and rule.threshold == THRESHOLDS[label]:
            values = {"threshold": threshold, "release": min(rule.release, threshold)}
            changed[label] = rule.model_copy(update=values)
    return changed


def fitted_rows(rows: Rows, base: ReactionTable) -> Rows:
    """Kept ``rows`` as they count over ``base``, which may be another bundle's than when they were
    checked: without the labels that are gone, with no ``release`` above the threshold, without what
    a moderated label can't have, and with no two labels that outrank each other."""
    return {label: _fitted_row(label, rows, base[label], base) for label in rows if label in base}


def _fitted_row(
    label: str, rows: Rows, rule: ReactionRule, base: ReactionTable
) -> Mapping[str, Any]:
    fitted = dict(rows[label])
    if "outranks" in fitted:
        fitted["outranks"] = [
            other
            for other in fitted["outranks"]
            if other in base and other != label and label not in _outranked(other, rows, base)
        ]
    threshold = fitted.get("threshold", rule.threshold)
    if fitted.get("release", rule.release) > threshold:
        fitted["release"] = threshold
    if rule.moderated:
        fitted = {key: value for key, value in fitted.items() if key not in _DRAWN}
    if fitted.get("kind") == Kind.STICKER and not (fitted.get("sticker") or rule.sticker):
        del fitted["kind"]
    return fitted


def _outranked(label: str, rows: Rows, base: ReactionTable) -> Collection[str]:
    """The labels that ``label`` outranks over ``base``."""
    outranks: Collection[str] = rows.get(label, {}).get("outranks", base[label].outranks)
    return outranks
