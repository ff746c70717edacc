import numpy as np
import pytest

from reactions.mannequin import POSES, Scene
from reactions.mannequin.bones import bones_of
from reactions.mannequin.scene import SceneCamera
from reactions.mannequin.skeleton import pose_skeleton
from reactions.mannequin.solids import COVER, TONE, Ball, Clay


@pytest.mark.parametrize("label", ["thumbs_up", "thumbs_down", "fist", "open_palm", "ok_hand"])
def test_a_thumb_is_not_twisted(label: str) -> None:
    _, middle, tip = bones_of(pose_skeleton(POSES[label]).right)[:3]
    one, other = (np.cross(bone.along, bone.pad) for bone in (middle, tip))
    assert float(one @ other) > 0.85


def test_the_pad_of_a_thumb_held_down_looks_where_the_palm_looks() -> None:
    arm = pose_skeleton(POSES["thumbs_down"]).right
    assert all(float(bone.pad @ -arm.axes[:, 2]) > 0.5 for bone in bones_of(arm)[:3])


def test_a_finger_seen_from_its_side_is_toned_on_one_half() -> None:
    clay = Clay(0, 0, 60, 40)
    clay.capsule(Ball(15, 20, 0, 5, 8), Ball(45, 20, 0, 5, 8), side=np.array([0.0, -1.0, 0.0]))
    tone = clay.layers[TONE] / np.maximum(clay.layers[COVER], 0.01)
    assert tone[14, 30] > 0.9
    assert tone[20, 30] == pytest.approx(0.5, abs=0.15)
    assert tone[26, 30] < 0.1


def test_a_direction_is_seen_as_the_camera_turns() -> None:
    camera = SceneCamera.of(Scene(yaw=90.0), 640, 360)
    ahead = camera.turned(np.array([0.0, 0.0, -1.0]))
    assert abs(float(ahead[0])) == pytest.approx(1.0)
    assert float(ahead[2]) == pytest.approx(0.0, abs=1e-9)
