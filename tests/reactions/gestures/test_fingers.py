import numpy as np
import pytest

from reactions.gestures.calibration import DECISION
from reactions.gestures.fingers import finger_gap, free_of_ring, spread_as_palm
from tests.reactions.gestures.figures import make_hand


def bent(*fingers: int, by: float = 80.0) -> np.ndarray:
    """An open hand some of whose fingers (0–3) bend at the middle joint by so many degrees."""
    points = make_hand((300, 300), palm=60).points.copy()
    turn = np.radians(by)
    for finger in fingers:
        joint = 6 + 4 * finger
        for tip in (joint + 1, joint + 2):
            up = points[joint, 1] - points[tip, 1]
            points[tip, :2] = points[joint, :2] + (up * np.sin(turn), -up * np.cos(turn))
    return points


def parted(gap: float) -> np.ndarray:
    """A hand whose two outer fingers lean aside by so many degrees: the split-finger greeting."""
    points = make_hand((300, 300), palm=60).points.copy()
    for finger in (2, 3):
        knuckle = 5 + 4 * finger
        for tip in range(knuckle + 1, knuckle + 4):
            up = points[knuckle, 1] - points[tip, 1]
            points[tip, 0] = points[knuckle, 0] + up * np.tan(np.radians(gap))
    return points


def test_an_open_hand_is_a_palm() -> None:
    assert spread_as_palm(make_hand((300, 300), palm=60).points) > 0.95


def test_fingers_parted_in_the_middle_are_no_palm() -> None:
    assert finger_gap(parted(25)) == pytest.approx(25, abs=1)
    assert spread_as_palm(parted(25)) < 0.2
    assert spread_as_palm(parted(4)) > DECISION


def test_a_hand_curved_to_a_c_is_no_palm() -> None:
    assert spread_as_palm(bent(0, 1, 2, 3, by=60)) < 0.2


def test_one_bent_finger_leaves_a_palm() -> None:
    assert spread_as_palm(bent(3, by=60)) > DECISION


def test_a_ring_beside_stretched_fingers_is_free() -> None:
    assert free_of_ring(bent(0)) > 0.95


def test_a_hand_held_like_binoculars_is_no_ring() -> None:
    assert free_of_ring(bent(0, 1, 2, 3)) < 0.2
