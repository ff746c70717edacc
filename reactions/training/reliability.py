"""Whether scores are as sure as they deserve: how often they are right, by how high they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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
