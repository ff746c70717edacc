"""Whether scores are as sure as they deserve: how often they are right, by how high they are.

``python -m reactions.training.reliability PICTURE`` draws it for the shipped classifier.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reactions.gestures.hand_classifier import SHIPPED

_EDGES = np.linspace(0, 1, 11)


@dataclass(frozen=True, slots=True)
class Bin:
    """Hands whose scores are in one tenth of 0–1."""

    score: float
    """Their mean."""
    right: float
    """The share of them that shows the label, 0–1."""
    share: float
    """Of all hands."""


def bins(
    scores: npt.NDArray[np.float32],
    right: npt.NDArray[np.bool_],
    weights: npt.NDArray[np.float64],
) -> Sequence[Bin]:
    """The tenths of 0–1 that have any of ``scores`` (n,), where hands count as ``weights`` say."""
    tenth = np.clip(np.digitize(scores, _EDGES) - 1, 0, len(_EDGES) - 2)
    total = float(weights.sum())
    out = []
    for k in np.unique(tenth).tolist():
        some = tenth == k
        part = float(weights[some].sum())
        mean, shown = ((weights * each)[some].sum() / part for each in (scores, right))
        out.append(Bin(round(float(mean), 4), round(float(shown), 4), round(part / total, 5)))
    return tuple(out)


def plot(card: Path, picture: Path) -> None:
    """Draw the reliability of each shape that the classifier's ``card`` (JSON) records."""
    from matplotlib.figure import Figure

    found = json.loads(card.read_text(encoding="utf-8"))["reliability"]
    figure = Figure(figsize=(9, 5.2), layout="constrained")
    axes = figure.subplots(2, -(-len(found) // 2), sharex=True, sharey=True).ravel()
    for each, (name, rows) in zip(axes, found.items(), strict=False):
        score, right, _ = zip(*rows, strict=True)
        each.plot([0, 1], [0, 1], color="0.75", linewidth=1)
        each.plot(score, right, marker="o", markersize=3)
        each.set_title(name, fontsize=8)
        each.tick_params(labelsize=7)
    for each in axes[len(found) :]:
        each.set_visible(False)
    figure.supxlabel("score")
    figure.supylabel("share of hands that show it")
    figure.savefig(picture, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="reactions.training.reliability")
    parser.add_argument("picture", type=Path, help="where to draw it, .png or .webp")
    parser.add_argument("--card", type=Path, default=SHIPPED.with_suffix(".json"))
    options = parser.parse_args()
    plot(options.card, options.picture)


if __name__ == "__main__":
    main()
