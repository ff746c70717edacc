"""A picture of how each label does in photos and with mannequins, and photos under conditions."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reactions.training.evaluation.intervals import Share
from reactions.training.evaluation.summary import Summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STILL, _STREAM, _DRAWN = "#9aa5b1", "#1f6feb", "#d97706"
_AIM = 0.95


def draw_chart(summary: Summary, path: Path) -> None:
    """Draw labels (left) and conditions (right) to ``path``, .png or .webp."""
    from matplotlib.figure import Figure

    labels = list(reversed(summary.labels))
    figure = Figure(figsize=(10, 1.4 + 0.24 * max(len(labels), 8)), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    _points(left, [row.still for row in labels], _STILL, "photos, single frame", 0.25)
    _points(left, [row.stream for row in labels], _STREAM, "photos, stream", 0.0, spread=True)
    _points(left, [row.drawn_stream for row in labels], _DRAWN, "mannequins, stream", -0.25)
    left.set_yticks(range(len(labels)), [f"{row.label} ({row.still.of})" for row in labels])
    left.set_title("labels (photos): share named, 95 % intervals", fontsize=9)
    worse = sorted(summary.conditions, key=lambda row: row.changed.stream.value, reverse=True)
    _points(right, [row.changed.still for row in worse], _STILL, "single frame", 0.12)
    _points(right, [row.changed.stream for row in worse], _STREAM, "stream", 0.0, spread=True)
    names = [f"{row.changed.group} ({row.changed.stream.of})" for row in worse]
    right.set_yticks(range(len(worse)), names)
    right.set_title("photos made worse (how many)", fontsize=9)
    for axes in (left, right):
        axes.axvline(_AIM, color="0.6", linewidth=0.8, linestyle=":")
        axes.set_xlim(-0.03, 1.03)
        axes.tick_params(labelsize=7)
        axes.grid(axis="x", color="0.92")
        axes.set_axisbelow(True)
        axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(0, -0.06), ncols=3)
    figure.savefig(path, dpi=110)


def _points(
    axes: "Axes",
    shares: Sequence[Share],
    colour: str,
    name: str,
    above: float,
    *,
    spread: bool = False,
) -> None:
    """A point for each of ``shares`` that counts anything; ``spread`` adds its interval."""
    some = [(i + above, share) for i, share in enumerate(shares) if share.of]
    places = [place for place, _ in some]
    axes.scatter([share.value for _, share in some], places, s=16, color=colour, label=name)
    if spread:
        low = [share.interval.low for _, share in some]
        high = [share.interval.high for _, share in some]
        axes.hlines(places, low, high, color=colour, linewidth=1)
