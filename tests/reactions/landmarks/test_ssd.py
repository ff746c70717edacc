import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactions.landmarks.anchors import anchors
from reactions.landmarks.interpreter import Tensor
from reactions.landmarks.ssd import decode, merge

PALM, POSE = (8, 16, 16, 16), (8, 16, 32, 32, 32)


@pytest.mark.parametrize(
    ("width", "height", "strides", "count"),
    [(192, 192, PALM, 2016), (192, 128, PALM, 1344), (128, 128, PALM, 896), (224, 224, POSE, 2254)],
)
def test_there_is_an_anchor_for_each_box_of_the_model(
    width: int, height: int, strides: tuple[int, ...], count: int
) -> None:
    assert anchors(width, height, strides).shape == (count, 2)


def test_anchors_go_row_by_row_with_layers_of_one_stride_sharing_cells() -> None:
    centres = anchors(192, 128, PALM)
    assert centres[:3].tolist() == [[4, 4], [4, 4], [12, 4]]
    assert centres[48].tolist() == [4, 12]
    fine = 2 * 24 * 16
    assert centres[fine : fine + 7].tolist() == [[8, 8]] * 6 + [[24, 8]]


@given(
    st.lists(st.floats(-150, 150), min_size=1, max_size=30),
    st.floats(0.05, 0.95),
)
def test_exactly_the_scores_above_the_threshold_are_kept(
    logits: list[float], threshold: float
) -> None:
    raw = np.zeros((len(logits), 8), np.float32)
    scores, boxes = decode(
        raw, np.array(logits, np.float32), np.zeros((len(logits), 2), np.float32), threshold
    )
    cut = math.log(threshold / (1 - threshold))
    assert len(scores) == len(boxes) == sum(np.float32(logit) > cut for logit in logits)
    assert ((scores > threshold - 1e-6) & (scores <= 1)).all()


def test_where_nothing_is_above_the_threshold_there_is_no_box() -> None:
    raw, logits = np.zeros((5, 8), np.float32), np.full(5, -3, np.float32)
    scores, boxes = decode(raw, logits, np.zeros((5, 2), np.float32), 0.5)
    assert (scores.shape, boxes.shape) == ((0,), (0, 8))
    assert merge(scores, boxes) == []


def test_places_are_counted_from_the_anchor_and_sizes_are_not() -> None:
    raw = np.array([[1, 2, 30, 40, 5, 6]], np.float32)
    _, boxes = decode(raw, np.array([3], np.float32), np.array([[100, 200]], np.float32), 0.5)
    assert boxes.tolist() == [[101, 202, 30, 40, 105, 206]]


def box(x: float, y: float, side: float = 10) -> list[float]:
    return [x, y, side, side, x, y]


def merged(*scored: tuple[float, list[float]]) -> list[tuple[float, Tensor]]:
    scores, boxes = zip(*scored, strict=True)
    return merge(np.array(scores, np.float32), np.array(boxes, np.float32))


def test_boxes_apart_stay_apart_best_first() -> None:
    found = merged((0.6, box(0, 0)), (0.9, box(100, 0)))
    assert [score for score, _ in found] == pytest.approx([0.9, 0.6])
    assert found[0][1].tolist() == box(100, 0)


def test_overlapping_boxes_and_keypoints_are_averaged_by_score() -> None:
    ((score, mean),) = merged((0.9, box(0, 0)), (0.3, box(4, 0)))
    assert score == pytest.approx(0.9)
    assert mean.tolist() == pytest.approx(box(1, 0))


@given(
    st.lists(
        st.tuples(st.floats(0.5, 1), st.floats(0, 200), st.floats(0, 200), st.floats(0, 80)),
        max_size=25,
    )
)
def test_merging_keeps_the_best_and_never_makes_more(
    boxes: list[tuple[float, float, float, float]],
) -> None:
    scores = np.array([score for score, *_ in boxes], np.float32)
    found = merge(
        scores, np.array([box(x, y, side) for _, x, y, side in boxes], np.float32).reshape(-1, 6)
    )
    assert len(found) <= len(boxes)
    kept = [score for score, _ in found]
    assert kept == sorted(kept, reverse=True)
    assert not boxes or kept[0] == scores.max()
    for _, place in found:
        assert -1e-3 <= place[0] <= 200.001
