import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactions.mannequin.pose import Arm, Pose
from reactions.mannequin.poses import LOOKALIKES, POSES
from reactions.mannequin.skeleton import FOREARM, UPPER_ARM, pose_skeleton

wrists = st.tuples(st.floats(-10, 60), st.floats(-60, 50), st.floats(-20, 50))


@given(wrists, st.floats(-90, 90))
def test_arms_keep_their_lengths_wherever_the_wrist_is(
    wrist: tuple[float, float, float], swivel: float
) -> None:
    arm = pose_skeleton(Pose(right=Arm(wrist, swivel=swivel))).right
    assert np.linalg.norm(arm.elbow - arm.shoulder) == pytest.approx(UPPER_ARM, abs=1e-6)
    assert np.linalg.norm(arm.hand[0] - arm.elbow) == pytest.approx(FOREARM, abs=1e-6)


@pytest.mark.parametrize("pose", [*POSES.values(), *LOOKALIKES.values()])
def test_the_mirrored_pose_is_the_mirrored_skeleton(pose: Pose) -> None:
    plain, mirrored = pose_skeleton(pose), pose_skeleton(pose.mirrored())
    flip = np.array([-1.0, 1.0, 1.0])
    np.testing.assert_allclose(mirrored.left.hand, plain.right.hand * flip, atol=1e-9)
    np.testing.assert_allclose(mirrored.right.elbow, plain.left.elbow * flip, atol=1e-9)
    np.testing.assert_allclose(mirrored.head, plain.head * flip, atol=1e-9)


def test_the_right_hand_is_on_the_pictures_left() -> None:
    skeleton = pose_skeleton(Pose())
    assert skeleton.right.hand[0, 0] < 0 < skeleton.left.hand[0, 0]


def test_a_swivel_lifts_the_elbow_outwards() -> None:
    low = pose_skeleton(Pose(right=Arm((16, 0, 14)))).right.elbow
    high = pose_skeleton(Pose(right=Arm((16, 0, 14), swivel=60))).right.elbow
    assert high[0] < low[0]
    assert high[1] < low[1]


@pytest.mark.parametrize("shoulders", [0.9, 1.0, 1.08])
def test_the_elbow_of_a_hand_above_the_shoulder_does_not_cross_the_chest(shoulders: float) -> None:
    arm = pose_skeleton(Pose(right=Arm((13.3, 6, 3), swivel=-25)), shoulders).right
    assert arm.elbow[0] < -10
