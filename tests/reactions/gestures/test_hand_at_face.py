"""Hands placed around a drawn face: 117 pixels a face's height, the chin at (320, 222)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactions.gestures.calibration import DECISION
from reactions.gestures.hand_at_face import (
    HandAtHead,
    apart,
    eyes_in_sight,
    facepalm,
    head_on_hand,
    mouth_free,
    mouth_in_sight,
    phone_at_ear,
    place_hand,
    points_freely,
    raised_hand,
    shush,
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
        pytest.param(75, 10, {"palm": 35, "straight": FIST}, id="a fist at the ear"),
        pytest.param(30, 100, {"palm": 45, "straight": FIST}, id="at the neck"),
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


def test_hands_that_touch_each_other_are_busy_with_that() -> None:
    one, near, far = place(-20, 60, palm=45), place(40, 70, palm=45), place(160, 190, palm=45)
    assert apart(one, near) < 0.2
    assert apart(one, far) > DECISION


def test_an_index_finger_on_the_lips_asks_for_silence() -> None:
    hand = place(13, 62, palm=48, straight=POINTING)
    assert shush(hand) > DECISION
    assert points_freely(hand) < 0.2


@pytest.mark.parametrize(
    ("x", "y", "hand"),
    [
        pytest.param(13, 62, {"palm": 48}, id="a flat hand over the mouth"),
        pytest.param(13, 62, {"palm": 48, "straight": FIST}, id="a fist below the chin"),
        pytest.param(150, 0, {"palm": 48, "straight": POINTING}, id="a finger beside the head"),
        pytest.param(60, 62, {"palm": 48, "straight": POINTING}, id="a finger at the cheek"),
        pytest.param(13, 130, {"palm": 48, "straight": POINTING}, id="a finger below the chin"),
        pytest.param(13, 120, {"palm": 115, "straight": POINTING}, id="a finger near the camera"),
    ],
)
def test_other_fingers_do_not_ask_for_silence(x: float, y: float, hand: dict[str, object]) -> None:
    assert shush(place(x, y, **hand)) < DECISION


def test_a_finger_beside_the_head_or_near_the_camera_points_freely() -> None:
    assert points_freely(place(150, 0, palm=48, straight=POINTING)) > 0.9
    assert points_freely(place(60, 120, palm=125, straight=POINTING)) > 0.9


def test_a_finger_at_the_cheek_does_not_point() -> None:
    assert points_freely(place(60, 62, palm=48, straight=POINTING)) < DECISION


def test_a_head_that_leans_on_a_hand_at_the_cheek_rests() -> None:
    hand = place(55, 45, palm=45)
    assert head_on_hand(hand, 20.0) > DECISION
    assert head_on_hand(hand, 8.0) > DECISION
    assert head_on_hand(hand, 4.0) < DECISION
    assert head_on_hand(hand, -20.0) < DECISION


def test_a_straight_head_rests_on_hands_that_are_seen_from_their_edge() -> None:
    edge = make_hand((375, CHIN + 45), palm=45)
    edge.points[:, 0] = 375 + (edge.points[:, 0] - 375) * 0.5
    assert head_on_hand(place_hand(edge, FACE), 0.0) > DECISION


def test_a_hand_beside_the_head_or_at_the_mouth_bears_no_head() -> None:
    assert head_on_hand(place(150, 45, palm=45), 20.0) < DECISION
    assert head_on_hand(place(10, 45, palm=45), 20.0) < DECISION


def test_a_hand_on_the_forehead_is_a_facepalm() -> None:
    assert facepalm(place(15, -40, palm=48)) > DECISION


def test_a_hand_that_rubs_an_eye_hides_it() -> None:
    assert eyes_in_sight(place(15, -20, palm=40)) < 0.3
    assert eyes_in_sight(place(15, 80, palm=40)) > DECISION
    assert eyes_in_sight(place(150, -20, palm=40)) > DECISION


@pytest.mark.parametrize(("x", "y", "palm"), [(15, 60, 48), (130, -40, 48), (15, -150, 48)])
def test_hands_elsewhere_are_no_facepalm(x: float, y: float, palm: float) -> None:
    assert facepalm(place(x, y, palm=palm)) < DECISION


def test_a_closed_hand_at_the_ear_may_hold_a_phone() -> None:
    assert phone_at_ear(place(80, -15, palm=45, straight=FIST)) > DECISION
    assert phone_at_ear(place(80, -15, palm=45)) < DECISION
    assert phone_at_ear(place(170, -15, palm=45, straight=FIST)) < DECISION
