from pathlib import Path

import numpy as np
import pytest

from reactions.geometry import Box
from reactions.landmark_types import FoundObject
from reactions.training.detector_pictures import BoxedPicture
from reactions.training.detector_report import (
    FoundBoxes,
    average_precision,
    rank_boxes,
    report_boxes,
)

MUG = (0.1, 0.1, 0.3, 0.3)


def seen(*found: tuple[float, Box], boxes: int = 1) -> FoundBoxes:
    """A picture with a mug (or none), and what was found in it."""
    true = np.array([MUG] * boxes, np.float32).reshape(-1, 4)
    picture = BoxedPicture(Path("x"), "x", true, np.zeros(boxes, np.int64))
    return picture, tuple(FoundObject("mug", score, box) for score, box in found)


RIGHT, BESIDE = Box(0.1, 0.1, 0.2, 0.2), Box(0.6, 0.6, 0.2, 0.2)


def test_all_found_and_nothing_else_is_perfect() -> None:
    report = report_boxes([seen((0.9, RIGHT))] * 3, ["mug"], None)
    figures = report.figures["mug"]
    assert (figures.boxes, figures.average_precision, figures.recall) == (3, 1.0, 1.0)


def test_a_box_is_found_once() -> None:
    ranked = rank_boxes([seen((0.9, RIGHT), (0.8, RIGHT))], 0, "mug")
    assert ranked.right.tolist() == [True, False]


def test_a_surer_false_box_costs_precision() -> None:
    ranked = rank_boxes([seen((0.9, BESIDE), (0.8, RIGHT))], 0, "mug")
    assert average_precision(ranked) == pytest.approx(0.5)


def test_half_of_the_boxes_found_is_half_the_precision() -> None:
    ranked = rank_boxes([seen((0.9, RIGHT)), seen()], 0, "mug")
    assert average_precision(ranked) == pytest.approx(51 / 101)


def test_the_threshold_keeps_nine_of_ten_right() -> None:
    good = [seen((0.6 + k / 100, RIGHT)) for k in range(20)]
    bad = [seen((0.5 - k / 100, BESIDE), boxes=0) for k in range(10)]
    report = report_boxes([*good, *bad], ["mug"], None)
    assert 0.45 < report.thresholds["mug"] <= 0.6
    assert report.figures["mug"].precision is not None
    assert report.figures["mug"].precision >= 0.9


def test_a_class_that_is_not_there_has_no_average() -> None:
    figures = report_boxes([seen(boxes=0)], ["mug"], None).figures["mug"]
    assert (figures.boxes, figures.average_precision, figures.recall) == (0, None, None)
