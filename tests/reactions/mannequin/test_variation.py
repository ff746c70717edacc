import numpy as np

from reactions.mannequin.poses import POSES
from reactions.mannequin.variation import draw_scene, vary_arm


def test_the_camera_stays_where_a_webcam_may_stand() -> None:
    rng = np.random.default_rng(0)
    scenes = [draw_scene(rng) for _ in range(200)]
    assert max(abs(scene.yaw) for scene in scenes) < 30
    assert min(scene.distance for scene in scenes) > 50


def test_an_arm_moves_by_as_much_as_is_asked_for() -> None:
    arm = POSES["fist"].right
    little, much = (vary_arm(arm, np.random.default_rng(3), amount) for amount in (0.1, 1.0))
    away = [np.subtract(varied.wrist, arm.wrist) for varied in (little, much)]
    np.testing.assert_allclose(away[0] * 10, away[1])
    assert little.shape != arm.shape
