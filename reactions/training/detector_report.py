"""How well a detector finds the boxes of pictures: average precision, recall, thresholds.

globox counts, as COCO's evaluation does. A threshold follows from a budget: how many boxes a
hundred pictures a label may have where it has no object.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from config.errors import ModelError
from reactions.detected_labels import ObjectFigures
from reactions.landmark_types import FoundObject
from reactions.landmarks.object_detector import ObjectFinder
from reactions.training.detector_pictures import BoxedPicture, overlaps, upright_picture

if TYPE_CHECKING:
    from globox import Annotation
    from globox.evaluation import EvaluationItem

OVERLAP: Final = 0.5
"""Intersection over union from which a found box is right (Pascal VOC)."""
FALSE_A_HUNDRED: Final = 5.0
"""Boxes a hundred held-out pictures that a label may have where it has no object."""
_TOUCHES: Final = 0.1
"""Intersection over union from which a box is of an object of its label, if badly placed: it sets
off the label rightly."""
_LOWEST, _HIGHEST = 0.25, 0.9
_DEFAULT: Final = 0.5
FoundBoxes: TypeAlias = tuple[BoxedPicture, tuple[FoundObject, ...]]
"""A picture, its boxes as fractions of it (0–1), and what was found in it."""


@dataclass(frozen=True, slots=True)
class DetectorReport:
    """Figures by label, thresholds, and what was found where nothing was."""

    figures: Mapping[str, ObjectFigures]
    thresholds: Mapping[str, float]
    pictures: int


def measure_detector(
    detector: ObjectFinder,
    pictures: Sequence[BoxedPicture],
    names: Sequence[str],
    false: float = FALSE_A_HUNDRED,
    move: Callable[[float, str], None] = lambda share, what: None,
) -> DetectorReport:
    """What ``detector`` makes of ``pictures``, at the lowest thresholds, 0.25–0.9, at which each
    label has no more than ``false`` boxes a hundred pictures where it has no object."""
    found: list[FoundBoxes] = []
    for done, one in enumerate(pictures):
        move(done / len(pictures), one.name)
        pixels = np.asarray(upright_picture(one))
        size = np.array([pixels.shape[1], pixels.shape[0]] * 2, np.float32)
        found.append((replace(one, boxes=one.boxes / size), detector.find(pixels)))
    wrong = {name: false_scores(found, number, name) for number, name in enumerate(names)}
    shown = {names[number] for picture, _ in found for number in picture.classes.tolist()}
    thresholds = {
        name: choose_threshold(scores, false, len(found), _LOWEST if name in shown else _DEFAULT)
        for name, scores in wrong.items()
    }
    return report_boxes(found, names, thresholds)


def report_boxes(
    found: Sequence[FoundBoxes], names: Sequence[str], thresholds: Mapping[str, float]
) -> DetectorReport:
    """The figures of what was ``found``, at the ``thresholds``; raises ModelError without globox.

    Average precision is over all scores.
    """
    if not found:
        return DetectorReport({name: ObjectFigures(boxes=0) for name in names}, dict(thresholds), 0)
    sure = [
        (picture, tuple(one for one in objects if one.score >= thresholds.get(one.name, 2.0)))
        for picture, objects in found
    ]
    every, counted = _evaluated(found, names), _evaluated(sure, names)
    figures = {}
    for number, name in enumerate(names):
        false = len(false_scores(sure, number, name))
        figures[name] = _figures(every[name], counted[name], 100 * false / len(found))
    return DetectorReport(figures, dict(thresholds), len(found))


def false_scores(found: Sequence[FoundBoxes], number: int, name: str) -> list[float]:
    """The scores of the boxes of class ``number`` that touch no object of it, highest first."""
    scores = []
    for picture, objects in found:
        mine = [one for one in objects if one.name == name]
        if not mine:
            continue
        placed = np.array([(*one.box.center, one.box.width, one.box.height) for one in mine])
        ends = picture.boxes[picture.classes == number]
        true = np.concatenate([(ends[:, :2] + ends[:, 2:]) / 2, ends[:, 2:] - ends[:, :2]], axis=1)
        most = overlaps(placed.astype(np.float32), true).max(axis=1, initial=0)
        scores += [one.score for one, near in zip(mine, most, strict=True) if near < _TOUCHES]
    return sorted(scores, reverse=True)


def choose_threshold(
    wrong: Sequence[float], false: float, pictures: int, least: float = _LOWEST
) -> float:
    """The lowest threshold from ``least`` on that no more than ``false`` a hundred ``pictures`` of
    the scores ``wrong``, highest first, reach."""
    allowed = floor(false * pictures / 100)
    above = wrong[allowed] + 0.001 if allowed < len(wrong) else least
    return round(min(max(above, least), _HIGHEST), 3)


def _figures(every: "EvaluationItem", sure: "EvaluationItem", false: float) -> ObjectFigures:
    precision = round(sure.tp / sure.ndet, 4) if sure.ndet else None
    false = round(false, 2)
    if not every.npos:
        return ObjectFigures(boxes=0, precision=precision, false_a_hundred=false)
    return ObjectFigures(
        boxes=every.npos,
        average_precision=round(float(every.ap), 4),
        recall=round(sure.tp / every.npos, 4),
        precision=precision,
        false_a_hundred=false,
    )


def _evaluated(found: Sequence[FoundBoxes], names: Sequence[str]) -> "Mapping[str, EvaluationItem]":
    """What globox counts of each of ``names``."""
    try:
        from globox import AnnotationSet, COCOEvaluator
    except ImportError as error:
        do = "pip install 'reaction-sidecar[dataset]'"
        raise ModelError("measuring objects needs globox", where="detector", do=do) from error
    true, seen = AnnotationSet(), AnnotationSet()
    for number, (picture, objects) in enumerate(found):
        boxes = zip(picture.boxes.tolist(), picture.classes.tolist(), strict=True)
        true.add(_annotation(number, [(names[one], ends, None) for ends, one in boxes]))
        seen.add(_annotation(number, [(one.name, _ends(one), one.score) for one in objects]))
    evaluator = COCOEvaluator(ground_truths=true, predictions=seen, labels=names)
    return dict(evaluator.evaluate(iou_threshold=OVERLAP))


def _annotation(
    number: int, boxes: Sequence[tuple[str, Sequence[float], float | None]]
) -> "Annotation":
    from globox import Annotation, BoundingBox

    return Annotation(
        str(number),
        boxes=[
            BoundingBox(
                label=name,
                **dict(zip(("xmin", "ymin", "xmax", "ymax"), ends, strict=True)),
                confidence=None if score is None else min(score, 1.0),
            )
            for name, ends, score in boxes
        ],
    )


def _ends(one: FoundObject) -> Sequence[float]:
    box = one.box
    return box.x, box.y, box.x + box.width, box.y + box.height
