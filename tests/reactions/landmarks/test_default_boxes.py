import numpy as np
import pytest

from reactions.landmarks.default_boxes import (
    BoxLayer,
    box_codes,
    default_boxes_of,
    placed_boxes,
)

ONE = np.array([[0.5, 0.4, 0.2, 0.1]], np.float32)


def test_a_code_of_zeros_is_the_default_box_itself() -> None:
    (corners,) = placed_boxes(np.zeros((1, 4), np.float32), ONE)
    assert corners == pytest.approx(np.array([(0.35, 0.4), (0.45, 0.6)]))


def test_a_code_moves_and_stretches_its_box() -> None:
    code = np.array([[10.0, -10.0, 5 * np.log(2), 0.0]], np.float32)
    (corners,) = placed_boxes(code, ONE)
    assert corners == pytest.approx(np.array([(0.25, 0.5), (0.35, 0.9)]), abs=1e-6)


def test_a_wild_code_stays_finite() -> None:
    assert np.isfinite(placed_boxes(np.full((1, 4), 1e6, np.float32), ONE)).all()


def test_codes_lead_back_to_their_boxes() -> None:
    boxes = np.array([[0.3, 0.6, 0.4, 0.05]], np.float32)
    corners = placed_boxes(box_codes(boxes, ONE), ONE)
    assert corners[0] == pytest.approx(np.array([(0.575, 0.1), (0.625, 0.5)]), abs=1e-5)


def test_layers_follow_each_other_cell_by_cell() -> None:
    layers = [BoxLayer(1, 2, ((0.5, 0.25), (0.2, 0.2))), BoxLayer(1, 1, ((0.9, 0.9),))]
    boxes = default_boxes_of(layers)
    assert boxes.shape == (5, 4)
    assert boxes[0].tolist() == pytest.approx([0.5, 0.25, 0.5, 0.25])
    assert boxes[1, 2:].tolist() == pytest.approx([0.2, 0.2])
    assert boxes[2, :2].tolist() == pytest.approx([0.5, 0.75])
