"""Hands placed around a drawn face: 117 pixels a face's height, the chin at (320, 222)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactions.gestures.calibration import DECISION
from reactions.gestures.hand_at_face import (
    HandAtHead,
    mouth_free,
    mouth_in_sight,
    place_hand,
    raised_hand,
    thinking,
)
from reactions.landmark_types import Hand
from tests.reactions.gestures.figures import make_face, make_hand, rotation

FACE = make_face()
CHIN = 222.0
FLAT, FIST = (True,) * 4, (False,) * 4
POINTING = (True, False, False, False)


def place(x: float, y: float, **hand: object) -> HandAtHead:
    """A hand whose wrist is ``x``, ``y`` pixels from the middle of the chin."""
    return place_hand(make_hand((320 + x, CHIN + y), **hand), FACE)  # type: ignore[arg-type]


def test_a_hand_is_placed_in_face_heights_from_the_chin() -> None:
    where = place(117, 0, palm=58.5)
    assert where.wrist == pytest.approx((1.0, 0.0), abs=0.02)
    assert where.size == pytest.approx(0.5, abs=0.02)
    assert where.jaw == pytest.approx(0.17, abs=0.02)


@settings(deadline=None)
@given(st.floats(-40, 40))
def test_the_frame_turns_with_the_head(roll: float) -> None:
    turned = rotation(roll=roll)
    spot = turned @ (100, 80, 0)
    face = make_face(turned=turned)
    hand = Hand(make_hand((320 + spot[0], 150 + spot[1])).points, *_REST)
    straight = Hand(make_hand((420, 230)).points, *_REST)
    assert place_hand(hand, face).wrist == pytest.approx(place_hand(straight, FACE).wrist, abs=0.02)


_REST = (make_hand((0, 0)).side, 0.9, 0.9)


@pytest.mark.parametrize("side", [-1, 1])
def test_a_flat_hand_beside_the_head_is_raised(side: int) -> None:
    assert raised_hand(place(side * 140, 0, palm=55)) > DECISION


def test_a_flat_hand_above_the_head_is_raised() -> None:
    assert raised_hand(place(0, -200, palm=55)) > DECISION


@pytest.mark.parametrize(
    ("x", "y", "hand"),
    [
        pytest.param(140, 90, {"palm": 55}, id="before the chest"),
        pytest.param(140, 0, {"palm": 55, "straight": FIST}, id="a fist"),
        pytest.param(140, 0, {"palm": 55, "straight": POINTING}, id="a finger"),
        pytest.param(140, 0, {"palm": 55, "lean": 75}, id="fingers to the side"),
        pytest.param(45, -60, {"palm": 40}, id="in the hair"),
        pytest.param(0, 10, {"palm": 60}, id="before the face"),
    ],
)
def test_other_hands_are_not_raised(x: float, y: float, hand: dict[str, object]) -> None:
    assert raised_hand(place(x, y, **hand)) < DECISION


def test_four_fingers_beside_the_head_are_a_four_and_not_raised() -> None:
    hand = make_hand((460, CHIN), palm=55)
    knuckle = hand.points[17]
    hand.points[4] = knuckle + np.array([-14, 6, -8], np.float32)
    assert raised_hand(place_hand(hand, FACE)) < DECISION


@pytest.mark.parametrize("lean", [-40, -20, 20])
def test_a_hand_from_below_at_the_chin_is_thinking(lean: float) -> None:
    assert thinking(place(-lean, 55, palm=45, lean=lean, straight=FIST)) > DECISION


@pytest.mark.parametrize(
    ("x", "y", "hand"),
    [
        pytest.param(0, 30, {"palm": 55}, id="over the mouth"),
        pytest.param(140, 0, {"palm": 55}, id="beside the head"),
        pytest.param(60, 130, {"palm": 45, "straight": FIST}, id="before the chest"),
        pytest.param(40, -110, {"palm": 55}, id="on the forehead"),
        pytest.param(60, 20, {"palm": 55, "lean": -20}, id="a palm on the cheek"),
    ],
)
def test_other_hands_near_the_face_are_not_thinking(
    x: float, y: float, hand: dict[str, object]
) -> None:
    assert thinking(place(x, y, **hand)) < DECISION


def test_a_hand_over_the_mouth_hides_it() -> None:
    over = place(0, 30, palm=55)
    assert mouth_in_sight(over) < 0.2
    assert mouth_free(over) < 0.2


def test_a_hand_at_the_cheek_leaves_the_mouth_in_sight_but_not_free() -> None:
    cheek = place(60, 40, palm=40)
    assert mouth_in_sight(cheek) > DECISION
    assert mouth_free(cheek) < DECISION


def test_a_hand_elsewhere_leaves_the_mouth_free() -> None:
    assert mouth_free(place(150, 60, palm=40)) > 0.9
