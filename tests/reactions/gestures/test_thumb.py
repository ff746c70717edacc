import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactions.gestures.calibration import DECISION
from reactions.gestures.thumb import beside_palm, clearance, reach
from reactions.landmark_types import Points
from tests.reactions.gestures.figures import make_hand

PALM = 50.0


def with_thumb_at(across: float, out: float) -> Points:
    """An open hand whose thumb ends so many palm lengths aside of the wrist and above it."""
    points = make_hand((300, 300), palm=PALM).points
    points[4, :2] = 300 + across * PALM, 300 - out * PALM
    return points


def test_a_thumb_held_out_lies_beside_the_palm() -> None:
    assert beside_palm(make_hand((300, 300)).points) > 0.95


def test_a_thumb_folded_to_the_little_finger_does_not() -> None:
    assert beside_palm(with_thumb_at(0.2, 0.8)) < DECISION


@pytest.mark.parametrize("across", [-2.1, 2.1])
def test_a_thumb_as_far_out_as_the_fingers_does_not(across: float) -> None:
    assert beside_palm(with_thumb_at(across, 0.4)) < 0.2


def test_short_fingers_beside_a_thumb_held_out_are_folded_ones() -> None:
    points = make_hand((300, 300), palm=PALM).points
    for knuckle in (5, 9, 13, 17):
        points[knuckle + 1 : knuckle + 4] = points[knuckle] + (0, -0.3 * PALM, 0)
    assert reach(points) > 0.9
    assert beside_palm(points) < DECISION


def test_clearance_is_in_palm_lengths_and_reach_in_those_of_the_fingers() -> None:
    points = make_hand((300, 300), palm=PALM).points
    assert clearance(points) == pytest.approx(np.hypot(1.4, 0.15), abs=0.01)
    assert reach(points) == pytest.approx(np.hypot(0.95, 0.85) / np.hypot(0.45, 2), abs=0.01)


@given(st.floats(0.3, 4), st.floats(0, 6.28))
def test_neither_size_nor_turn_of_the_hand_matters(scale: float, turn: float) -> None:
    points = make_hand((0, 0), palm=PALM).points.astype(np.float64)
    cos, sin = np.cos(turn), np.sin(turn)
    turned = points @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]]) * scale
    assert beside_palm(turned) == pytest.approx(beside_palm(points), abs=1e-6)


def test_a_hand_of_one_point_is_nothing_and_no_error() -> None:
    assert beside_palm(np.zeros((21, 3))) < DECISION
