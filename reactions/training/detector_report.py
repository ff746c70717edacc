"""How well a detector finds the boxes of pictures: average precision, recall, thresholds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from reactions.detected_labels import ObjectFigures
from reactions.landmark_types import FoundObject
from reactions.landmarks.object_detector import ObjectFinder
from reactions.training.detector_pictures import BoxedPicture, overlaps, upright_picture

OVERLAP: Final = 0.5
"""Intersection over union from which a found box is right (Pascal VOC)."""
_WANTED: Final = 0.9
"""The precision that a threshold is chosen for."""
_LOWEST, _HIGHEST = 0.3, 0.9
_DEFAULT: Final = 0.5
Numbers = npt.NDArray[np.float64]
FoundBoxes: TypeAlias = tuple[BoxedPicture, tuple[FoundObject, ...]]
"""A picture, its boxes as fractions of it (0–1), and what was found in it."""


@dataclass(frozen=True, slots=True)
class DetectorReport:
    """Figures by label, thresholds, and what was found where nothing was."""

    figures: Mapping[str, ObjectFigures]
    thresholds: Mapping[str, float]
    pictures: int


@dataclass(frozen=True, slots=True, eq=False)
class RankedBoxes:
    """All found boxes of one class, surest first, and whether each is right."""

    scores: Numbers
    right: npt.NDArray[np.bool_]
    boxes: int
    """How many there are to find."""


def measure_detector(
    detector: ObjectFinder,
    pictures: Sequence[BoxedPicture],
    names: Sequence[str],
    thresholds: Mapping[str, float] | None = None,
    move: Callable[[float, str], None] = lambda share, what: None,
) -> DetectorReport:
    """What ``detector`` makes of ``pictures``. Without ``thresholds`` they are chosen: the lowest
    at which nine of ten found boxes are right, within 0.3 and 0.9."""
    found: list[FoundBoxes] = []
    for done, one in enumerate(pictures):
        move(done / len(pictures), one.name)
        pixels = np.asarray(upright_picture(one))
        size = np.array([pixels.shape[1], pixels.shape[0]] * 2, np.float32)
        found.append((replace(one, boxes=one.boxes / size), detector.find(pixels)))
    return report_boxes(found, names, thresholds)


def report_boxes(
    found: Sequence[FoundBoxes], names: Sequence[str], thresholds: Mapping[str, float] | None
) -> DetectorReport:
    """The figures of what was ``found``, as ``measure_detector`` has them."""
    ranked = {name: rank_boxes(found, number, name) for number, name in enumerate(names)}
    chosen = thresholds or {name: _threshold(each) for name, each in ranked.items()}
    figures = {name: figures_of(each, chosen[name]) for name, each in ranked.items()}
    return DetectorReport(figures, dict(chosen), len(found))


def rank_boxes(found: Sequence[FoundBoxes], number: int, name: str) -> RankedBoxes:
    """The found boxes of class ``number``; each true box is found once, by the surest."""
    scores: list[float] = []
    right: list[bool] = []
    count = 0
    for picture, objects in found:
        true = np.asarray(picture.boxes[picture.classes == number], np.float64)
        count += len(true)
        mine = sorted((one for one in objects if one.name == name), key=lambda one: -one.score)
        free = np.ones(len(true), np.bool_)
        for one in mine:
            box = np.array([one.box.x, one.box.y, one.box.width, one.box.height])
            scores.append(one.score)
            right.append(_takes(box, true, free))
    order = np.argsort(-np.array(scores), kind="stable")
    return RankedBoxes(np.array(scores)[order], np.array(right, np.bool_)[order], count)


def _takes(box: Numbers, true: Numbers, free: npt.NDArray[np.bool_]) -> bool:
    """Whether ``box`` (left, top, width, height) is the first on one of ``true``, then taken."""
    if not free.any():
        return False
    middle = np.array([[box[0] + box[2] / 2, box[1] + box[3] / 2, box[2], box[3]]], np.float32)
    sides = true[:, 2:] - true[:, :2]
    boxes = np.concatenate([true[:, :2] + sides / 2, sides], axis=1).astype(np.float32)
    shared = overlaps(middle, boxes)[0] * free
    best = int(shared.argmax())
    if shared[best] < OVERLAP:
        return False
    free[best] = False
    return True


def figures_of(ranked: RankedBoxes, threshold: float) -> ObjectFigures:
    """Average precision over all scores; recall and precision at ``threshold``."""
    fires = ranked.scores >= threshold
    hits = int(ranked.right[fires].sum())
    count = int(fires.sum())
    if not ranked.boxes:
        precision = hits / count if count else None
        return ObjectFigures(boxes=0, precision=precision)
    return ObjectFigures(
        boxes=ranked.boxes,
        average_precision=round(average_precision(ranked), 4),
        recall=round(hits / ranked.boxes, 4),
        precision=round(hits / count, 4) if count else None,
    )


def average_precision(ranked: RankedBoxes) -> float:
    """The mean precision at 101 levels of recall, as COCO's evaluation has it."""
    if not len(ranked.scores) or not ranked.boxes:
        return 0.0
    hits = np.cumsum(ranked.right)
    recall = hits / ranked.boxes
    precision = hits / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
    return float(np.append(envelope, 0.0)[places].mean())


def _threshold(ranked: RankedBoxes) -> float:
    if not ranked.boxes or not ranked.right.any():
        return _DEFAULT
    precision = np.cumsum(ranked.right) / np.arange(1, len(ranked.right) + 1)
    good = np.flatnonzero(precision >= _WANTED)
    least = float(ranked.scores[good[-1]]) if good.size else _HIGHEST
    return round(min(max(least, _LOWEST), _HIGHEST), 3)
