import numpy as np

from reactions.gestures.features import FEATURES, hand_features
from reactions.training.joint_distances import WIDE, widened
from reactions.training.synthetic import draw_hands

HANDS = draw_hands(50, 0.5, np.random.default_rng(2)).points
RIGHT = np.zeros(len(HANDS), np.bool_)


def test_features_stay_and_a_distance_is_added_for_each_pair_of_joints() -> None:
    features = hand_features(HANDS, RIGHT)
    wide = widened(features)
    assert wide.shape == (len(HANDS), WIDE) == (len(HANDS), FEATURES + 21 * 20 // 2)
    np.testing.assert_array_equal(wide[:, :FEATURES], features)
    joints = features[:, :42].reshape(-1, 21, 2)
    # The last pair is the little finger's tip and the joint below it.
    last = np.hypot(*(joints[:, 20] - joints[:, 19]).T)
    np.testing.assert_allclose(wide[:, -1], last, rtol=1e-5)


def test_distances_of_a_hand_that_turns_stay() -> None:
    turn = np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]], np.float32)
    upright = widened(hand_features(HANDS, RIGHT))
    turned = widened(hand_features(HANDS @ turn, RIGHT))
    np.testing.assert_allclose(turned[:, FEATURES:], upright[:, FEATURES:], atol=1e-4)
    assert not np.allclose(turned[:, :FEATURES], upright[:, :FEATURES], atol=0.1)


def test_a_hand_shrunk_to_a_point_has_no_distances() -> None:
    point = hand_features(np.zeros((1, 21, 2), np.float32), RIGHT[:1])
    np.testing.assert_array_equal(widened(point)[0, FEATURES:], 0)
