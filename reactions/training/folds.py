"""People in folds: each is held out once, and people with rare labels are spread over the folds."""

import numpy as np
import numpy.typing as npt

from reactions.gestures.hand_classes import SHAPES
from reactions.training.hands_report import FEWEST_HANDS
from reactions.training.recorded_hands import RecordedHands

_OTHER_WEIGHT = 0.1
"""What spreading a label that is no shape counts, beside a shape's 1."""


def assign_folds(hands: RecordedHands, folds: int) -> npt.NDArray[np.int64]:
    """(sources,): the fold, from 0, of each person.

    The people of the rarest labels choose first, each the fold where its labels are fewest.
    """
    people, labels = len(hands.sources), len(hands.labels)
    counts = np.bincount(hands.source * labels + hands.label, minlength=people * labels)
    has = (counts.reshape(people, labels) >= FEWEST_HANDS).astype(np.float64)
    worth = np.array([1.0 if name in SHAPES else _OTHER_WEIGHT for name in hands.labels])
    worth /= np.maximum(has.sum(axis=0), 1)
    share = counts.reshape(people, labels).sum(axis=1) / max(len(hands.label), 1)
    load, size = np.zeros((folds, labels)), np.zeros(folds)
    fold = np.zeros(people, np.int64)
    for person in np.argsort(-(has @ worth), kind="stable"):
        cost = load @ (has[person] * worth) + size / people
        fold[person] = int(np.argmin(cost))
        load[fold[person]] += has[person]
        size[fold[person]] += share[person]
    return fold
