import numpy as np

from reactions.mannequin.pose_file import PoseRecipe
from reactions.mannequin.poses import POSES
from reactions.mannequin.scene import Background, Scene
from reactions.mannequin.variation import DESK, SceneRanges, draw_scene, vary_arm


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


def test_a_scene_is_drawn_from_its_ranges() -> None:
    dark = (Background.DARK,)
    ranges = SceneRanges((1, 2), (3, 4), (70, 71), (0.2, 0.3), dark, (8, 9))
    drawn = draw_scene(np.random.default_rng(1), ranges)
    assert 1 <= drawn.yaw <= 2
    assert 3 <= drawn.pitch <= 4
    assert 70 <= drawn.distance <= 71
    assert 0.2 <= drawn.light <= 0.3
    assert drawn.background is Background.DARK
    assert 8 <= drawn.noise <= 9


def test_a_pose_file_that_says_nothing_draws_the_scenes_of_the_training_set() -> None:
    recipe = PoseRecipe()
    camera = (recipe.camera.yaw, recipe.camera.pitch, recipe.camera.distance)
    assert camera == (DESK.yaw, DESK.pitch, DESK.distance)
    light = (recipe.light.strength, recipe.light.backgrounds, recipe.light.noise)
    assert light == (DESK.light, DESK.backgrounds, DESK.noise)


def test_a_seed_draws_the_scene_that_it_always_drew() -> None:
    assert draw_scene(np.random.default_rng(7)) == Scene(
        yaw=7.005346129861351,
        pitch=9.94427601939151,
        distance=109.97094124642797,
        light=0.7963846734938848,
        background=Background.WALL,
        noise=5.367767226981309,
    )
