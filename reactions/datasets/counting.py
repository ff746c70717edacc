"""How labels are divided over the splits, as rows and as the bar chart of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reactions.datasets.parsing import missing_extra
from reactions.datasets.records import PictureRecord, Split

_NAMES = {
    Split.TRAIN: "training",
    Split.VALIDATION: "validation",
    Split.TEST: "test",
    Split.NONE: "no split",
}


@dataclass(frozen=True, slots=True)
class LabelCount:
    """How often a label is shown in each split: a box or a whole picture counts once."""

    label: str
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LabelTable:
    """A row a label, sorted; a column a split that has pictures, in the order of `Split`."""

    columns: tuple[str, ...]
    rows: tuple[LabelCount, ...]


def count_labels(records: Iterable[PictureRecord]) -> LabelTable:
    """The table of ``records``."""
    found: Counter[tuple[str, Split]] = Counter()
    splits: set[Split] = set()
    for record in records:
        splits.add(record.split)
        found.update((label, record.split) for label in record.shown)
    columns = [split for split in _NAMES if split in splits]
    labels = sorted({label for label, _ in found})
    rows = (LabelCount(label, tuple(found[label, split] for split in columns)) for label in labels)
    return LabelTable(tuple(_NAMES[split] for split in columns), tuple(rows))


def draw_label_chart(table: LabelTable, path: Path) -> None:
    """Write the bar chart of ``table`` as PNG: a group of bars a label, a bar a split."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing_extra(error) from error
    figure = Figure(figsize=(max(6.0, 0.5 * len(table.rows) + 2), 4.5), layout="constrained")
    axes = figure.subplots()
    width = 0.8 / max(len(table.columns), 1)
    for index, column in enumerate(table.columns):
        shift = (index - (len(table.columns) - 1) / 2) * width
        heights: Sequence[int] = [row.counts[index] for row in table.rows]
        places = [place + shift for place in range(len(table.rows))]
        bars = axes.bar(places, heights, width, label=column)
        axes.bar_label(bars, fontsize=7)
    # A dollar sign would begin a formula.
    names = [row.label.replace("$", r"\$") for row in table.rows]
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right")
    axes.set_ylabel("times shown")
    if table.columns:
        axes.legend()
    figure.savefig(path, format="png", dpi=120)
