import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactions.gestures.features import FEATURES, Landmarks, canonical, hand_features
from reactions.training.synthetic import draw_hands

HANDS = draw_hands(200, 0.5, np.random.default_rng(5)).points
RIGHT = np.zeros(1, np.bool_)
LEFT = np.ones(1, np.bool_)

hands = st.integers(0, len(HANDS) - 1).map(lambda i: HANDS[i : i + 1])


def mirrored(hand: Landmarks) -> Landmarks:
    return hand * np.array([-1, 1, 1], np.float32)


@given(hands, st.floats(-2000, 2000), st.floats(-2000, 2000))
def test_a_hand_that_moves_keeps_its_features(hand: Landmarks, x: float, y: float) -> None:
    moved = hand + np.array([x, y, 0], np.float32)
    np.testing.assert_allclose(hand_features(moved, RIGHT), hand_features(hand, RIGHT), atol=5e-3)


@given(hands, st.floats(0.1, 50))
def test_a_hand_that_comes_nearer_keeps_its_features(hand: Landmarks, scale: float) -> None:
    near = hand * np.float32(scale)
    np.testing.assert_allclose(hand_features(near, RIGHT), hand_features(hand, RIGHT), atol=1e-3)


@given(hands)
def test_a_left_hand_is_a_right_one_in_the_mirror(hand: Landmarks) -> None:
    seen = hand_features(mirrored(hand), LEFT)
    np.testing.assert_allclose(seen, hand_features(hand, RIGHT), atol=1e-4)


@given(hands, st.floats(20, 340))
def test_a_hand_that_turns_changes_its_features(hand: Landmarks, degrees: float) -> None:
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turned = hand @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]], np.float32)
    assert not np.allclose(hand_features(turned, RIGHT), hand_features(hand, RIGHT), atol=0.05)


@given(hands, st.floats(-3, 3))
def test_depth_is_not_looked_at(hand: Landmarks, scale: float) -> None:
    deeper = hand * np.array([1, 1, scale], np.float32)
    np.testing.assert_array_equal(hand_features(deeper, RIGHT), hand_features(hand, RIGHT))


def test_many_hands_are_read_like_one_by_one() -> None:
    left = np.arange(len(HANDS)) % 2 == 0
    together = hand_features(HANDS, left)
    apart = [hand_features(HANDS[i : i + 1], left[i : i + 1])[0] for i in range(len(HANDS))]
    assert together.shape == (len(HANDS), FEATURES)
    np.testing.assert_allclose(together, apart, atol=1e-5)


def test_the_canonical_palm_has_size_one_round_the_origin() -> None:
    palm = canonical(HANDS, np.zeros(len(HANDS), np.bool_))[:, [0, 1, 5, 9, 13, 17]]
    np.testing.assert_allclose(palm.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose((palm**2).sum(axis=2).mean(axis=1), 1, rtol=1e-4)


@pytest.mark.parametrize("value", [0.0, 300.0])
def test_a_hand_shrunk_to_a_point_gives_finite_features(value: float) -> None:
    point = np.full((1, 21, 3), value, np.float32)
    assert np.isfinite(hand_features(point, RIGHT)).all()


def test_no_hands_have_no_features() -> None:
    assert hand_features(HANDS[:0], RIGHT[:0]).shape == (0, FEATURES)
