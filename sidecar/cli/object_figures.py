"""The table of how well objects are detected."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reactions.detected_labels import ObjectFigures


def print_figures(figures: "Mapping[str, ObjectFigures]") -> None:
    """A row a class: average precision at an overlap of 0.5, recall, precision, and false boxes."""
    from rich.console import Console
    from rich.table import Table

    from reactions.training.detector_card import share_text

    table = Table("object", box=None)
    for column in ("boxes", "average precision", "recall", "precision", "false/100"):
        table.add_column(column, justify="right")
    for name, one in figures.items():
        shares = (one.average_precision, one.recall, one.precision)
        false = one.false_a_hundred
        texts = [*map(share_text, shares), "–" if false is None else f"{false:.1f}"]
        table.add_row(name, str(one.boxes), *texts)
    Console().print(table)
