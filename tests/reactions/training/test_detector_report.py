import sys
from pathlib import Path

import numpy as np
import pytest

from config.errors import ModelError
from reactions.detected_labels import ObjectFigures
from reactions.geometry import Box
from reactions.landmark_types import FoundObject
from reactions.training.detector_pictures import BoxedPicture
from reactions.training.detector_report import (
    FoundBoxes,
    choose_threshold,
    false_scores,
    report_boxes,
)

pytest.importorskip("globox", reason="measuring needs the extra 'dataset'")
MUG = (0.1, 0.1, 0.3, 0.3)


def seen(*found: tuple[float, Box], boxes: int = 1) -> FoundBoxes:
    """A picture with a mug (or none), and what was found in it."""
    true = np.array([MUG] * boxes, np.float32).reshape(-1, 4)
    picture = BoxedPicture(Path("x"), "x", true, np.zeros(boxes, np.int64))
    return picture, tuple(FoundObject("mug", score, box) for score, box in found)


RIGHT, BESIDE = Box(0.1, 0.1, 0.2, 0.2), Box(0.6, 0.6, 0.2, 0.2)
SHIFTED = Box(0.22, 0.1, 0.2, 0.2)
"""A quarter of the mug's box and of this one is shared."""


def figures_of(*found: FoundBoxes, threshold: float = 0.5) -> ObjectFigures:
    return report_boxes(found, ["mug"], {"mug": threshold}).figures["mug"]


def test_all_found_and_nothing_else_is_perfect() -> None:
    figures = figures_of(*[seen((0.9, RIGHT))] * 3)
    assert (figures.boxes, figures.average_precision, figures.recall) == (3, 1.0, 1.0)
    assert figures.false_a_hundred == 0


def test_a_box_is_found_once() -> None:
    figures = figures_of(seen((0.9, RIGHT), (0.8, RIGHT)))
    assert (figures.recall, figures.precision) == (1.0, 0.5)


def test_a_surer_false_box_costs_precision() -> None:
    figures = figures_of(seen((0.9, BESIDE), (0.8, RIGHT)))
    assert figures.average_precision == pytest.approx(0.5)
    assert figures.false_a_hundred == 100


def test_half_of_the_boxes_found_is_half_the_precision() -> None:
    assert figures_of(seen((0.9, RIGHT)), seen()).average_precision == pytest.approx(
        51 / 101, abs=1e-4
    )


def test_what_is_below_the_threshold_is_not_found() -> None:
    figures = figures_of(seen((0.4, RIGHT)), threshold=0.5)
    assert (figures.average_precision, figures.recall, figures.precision) == (1.0, 0.0, None)


def test_a_badly_placed_box_is_wrong_but_not_false() -> None:
    found = seen((0.9, SHIFTED))
    assert figures_of(found).recall == 0
    assert false_scores([found], 0, "mug") == []


def test_the_threshold_keeps_the_budget_of_false_boxes() -> None:
    wrong = [0.8 - k / 100 for k in range(20)]
    chosen = [choose_threshold(wrong, budget, 100) for budget in (0, 5, 10, 50)]
    assert [sum(score >= least for score in wrong) for least in chosen] == [0, 5, 10, 20]
    assert chosen == sorted(chosen, reverse=True)


def test_without_false_boxes_the_threshold_is_the_least() -> None:
    assert choose_threshold([], 5, 100) == choose_threshold([0.1], 0, 100) == 0.25


def test_a_class_that_is_not_there_has_no_average() -> None:
    figures = figures_of(seen((0.9, BESIDE), boxes=0))
    assert (figures.boxes, figures.average_precision, figures.recall) == (0, None, None)
    assert figures.false_a_hundred == 100


def test_no_pictures_have_no_figures() -> None:
    assert figures_of() == ObjectFigures(boxes=0)


def test_without_the_library_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "globox", None)
    with pytest.raises(ModelError, match=r"needs globox .*pip install"):
        figures_of(seen())
