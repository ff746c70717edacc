import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactions.mannequin.hand import FingerPose, HandShape, Thumb, blend_shapes, hand_joints
from reactions.mannequin.poses import FIST, OPEN

angles = st.floats(-20, 110)
fingers = st.builds(FingerPose, angles, angles, angles, st.floats(-20, 20))
bones = st.tuples(st.floats(-90, 90), st.floats(-30, 60))
shapes = st.builds(
    HandShape, st.builds(Thumb, bones, bones, bones), fingers, fingers, fingers, fingers
)


def bone_lengths(shape: HandShape) -> np.ndarray:
    joints = hand_joints(shape)
    pairs = [(a, a + 1) for base in (1, 5, 9, 13, 17) for a in range(base, base + 3)]
    return np.array([np.linalg.norm(joints[a] - joints[b]) for a, b in pairs])


@given(shapes)
def test_bones_keep_their_lengths(shape: HandShape) -> None:
    np.testing.assert_allclose(bone_lengths(shape), bone_lengths(OPEN), rtol=1e-9)


@given(shapes)
def test_the_wrist_and_the_knuckles_never_move(shape: HandShape) -> None:
    fixed = [0, 1, 5, 9, 13, 17]
    np.testing.assert_array_equal(hand_joints(shape)[fixed], hand_joints(OPEN)[fixed])


def test_straight_fingers_reach_farther_than_closed_ones() -> None:
    straight, closed = hand_joints(OPEN), hand_joints(FIST)
    for tip in (8, 12, 16, 20):
        assert np.linalg.norm(straight[tip]) > 1.6 * np.linalg.norm(closed[tip])


def test_closed_fingers_bend_towards_the_palm() -> None:
    joints = hand_joints(FIST)
    assert (joints[[6, 10, 14, 18], 2] < -2).all()


def test_the_thumb_is_on_the_side_of_the_index_finger() -> None:
    joints = hand_joints(OPEN)
    assert joints[4, 0] > joints[8, 0] > joints[12, 0] > joints[16, 0] > joints[20, 0]


@given(shapes, shapes, st.floats(0, 1))
def test_a_blend_mixes_every_joint_in_proportion(a: HandShape, b: HandShape, w: float) -> None:
    mixed = blend_shapes(a, b, w)
    expected = a.index.knuckle + (b.index.knuckle - a.index.knuckle) * w
    assert mixed.index.knuckle == pytest.approx(expected)
    expected = a.thumb.tip[1] + (b.thumb.tip[1] - a.thumb.tip[1]) * w
    assert mixed.thumb.tip[1] == pytest.approx(expected)
