import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reactions.labels import LABELS
from reactions.mannequin.pose import Pose, Quaternion, Vector, blend_poses, facing, matrix, slerp
from reactions.mannequin.poses import LOOKALIKES, POSES, moving

everything = [*POSES.values(), *LOOKALIKES.values()]
poses = st.sampled_from(everything)
shares = st.floats(0, 1)
directions = st.tuples(*[st.floats(-1, 1)] * 3)


def turns() -> st.SearchStrategy[Quaternion]:
    return st.sampled_from([pose.right.turn for pose in everything])


@given(directions, directions)
def test_a_hand_points_in_the_given_direction(fingers: Vector, palm: Vector) -> None:
    assume(np.linalg.norm(np.cross(fingers, palm)) > 0.05)
    rotation = matrix(facing(fingers, palm))
    wanted = np.array([fingers[0], -fingers[1], -fingers[2]]) / np.linalg.norm(fingers)
    np.testing.assert_allclose(-rotation[:, 1], wanted, atol=1e-6)
    assert np.linalg.det(rotation) == pytest.approx(1)
    front = np.array([palm[0], -palm[1], -palm[2]])
    assert float(-rotation[:, 2] @ front) > 0


def test_parallel_directions_are_refused() -> None:
    with pytest.raises(ValueError, match="parallel"):
        facing((0, 1, 0), (0, -2, 0))


@given(turns(), turns(), shares)
def test_turning_stays_a_rotation(a: Quaternion, b: Quaternion, w: float) -> None:
    rotation = matrix(slerp(a, b, w))
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)


@given(turns(), turns())
def test_turning_halfway_is_as_far_from_both_ends(a: Quaternion, b: Quaternion) -> None:
    middle = slerp(a, b, 0.5)
    to_a, to_b = (abs(float(np.dot(middle, end))) for end in (a, b))
    assert to_a == pytest.approx(to_b)


@given(poses, poses)
def test_a_blend_begins_and_ends_with_its_poses(a: Pose, b: Pose) -> None:
    assert blend_poses(a, b, 0) == a
    assert blend_poses(a, b, 1) == b


@given(poses, poses, shares)
def test_a_blended_wrist_is_on_the_way(a: Pose, b: Pose, w: float) -> None:
    wrist = np.array(blend_poses(a, b, w).right.wrist)
    start, end = np.array(a.right.wrist), np.array(b.right.wrist)
    np.testing.assert_allclose(wrist, start + (end - start) * w, atol=1e-9)


@given(poses)
def test_mirroring_twice_changes_nothing(pose: Pose) -> None:
    assert pose.mirrored().mirrored() == pose


def test_every_label_has_a_pose_and_nothing_else_has() -> None:
    assert set(POSES) == set(LABELS)


def test_no_lookalike_bears_a_label() -> None:
    assert not set(LOOKALIKES) & set(LABELS)


def test_a_wave_swings_to_both_sides_and_other_poses_stay() -> None:
    out = [moving("wave", POSES["wave"], t / 20).right.wrist[0] for t in range(20)]
    middle = POSES["wave"].right.wrist[0]
    assert max(out) - middle > 4
    assert middle - min(out) > 4
    assert moving("fist", POSES["fist"], 0.3) == POSES["fist"]
