import numpy as np
import pytest

from reactions.gestures.hand_classes import CLASSES, NONE
from reactions.gestures.hand_classes import SHAPES as LABELS
from reactions.training.hand_pose_ranges import LOOK_ALIKES, SHAPES, Recipe
from reactions.training.kinematics import bend_fingers, point_thumb, reach_thumb, turn, vary_build
from reactions.training.synthetic import belongs, draw_hands, draw_recipe, pose_recipe


def test_every_shape_has_a_recipe_and_only_look_alikes_are_none() -> None:
    assert {recipe.label for recipe in SHAPES} == set(LABELS)
    assert {recipe.label for recipe in LOOK_ALIKES} == {NONE}


def test_the_same_seed_draws_the_same_hands() -> None:
    one, two = (draw_hands(300, 0.5, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one.points, two.points)
    np.testing.assert_array_equal(one.classes, two.classes)


def test_shapes_are_drawn_evenly_and_look_alikes_by_their_share() -> None:
    counts = np.bincount(draw_hands(4000, 0.5, np.random.default_rng(0)).classes)
    assert len(counts) == len(CLASSES)
    assert counts[:-1].max() - counts[:-1].min() < 15
    assert counts[-1] == pytest.approx(2000, rel=0.2)


@pytest.mark.parametrize(
    "recipe",
    [*SHAPES, *(r for r in LOOK_ALIKES if r.name != "fidget")],
    ids=lambda r: f"{r.label} {r.name}",
)
def test_each_recipe_can_be_drawn(recipe: Recipe) -> None:
    hands = draw_recipe(recipe, 20, np.random.default_rng(1))
    assert hands.shape == (20, 21, 3)
    assert np.isfinite(hands).all()


def test_a_thumb_that_leans_to_the_side_is_not_up() -> None:
    (up,) = [recipe for recipe in SHAPES if recipe.label == "thumbs_up"]
    hand = draw_recipe(up, 1, np.random.default_rng(2))
    assert belongs(up, hand).all()
    sideways = hand[:, :, [1, 0, 2]]
    assert not belongs(up, sideways).any()


@pytest.mark.parametrize("name", ["loose", "any side", "knuckles first"])
def test_fists_come_from_every_side_but_do_not_hang(name: str) -> None:
    (recipe,) = [each for each in SHAPES if (each.label, each.name) == ("fist", name)]
    hands = draw_recipe(recipe, 200, np.random.default_rng(0))
    palm = hands[:, 9] - hands[:, 0]
    shown = np.linalg.norm(palm[:, :2], axis=1) / np.linalg.norm(palm, axis=1)
    lean = np.degrees(np.arctan2(np.abs(palm[:, 0]), -palm[:, 1]))
    assert float((lean[shown > 0.7] < 75).mean()) > 0.98
    # The index finger's knuckle is left of the little one's in a back, right of it in a palm.
    sides = hands[:, 5, 0] - hands[:, 17, 0]
    assert 0.1 < float((sides > 0).mean()) < 0.95


def test_crossed_fingers_cross_and_a_v_does_not() -> None:
    rng = np.random.default_rng(0)
    crossed = {}
    for recipe in SHAPES:
        if recipe.label in {"victory", "crossed_fingers"}:
            joints = pose_recipe(recipe, 200, rng).joints
            # Fingers that cross have their tips the other way round than their knuckles.
            tips, knuckles = joints[:, 8] - joints[:, 12], joints[:, 5] - joints[:, 9]
            crossed[recipe.label] = float(((tips * knuckles).sum(axis=1) < 0).mean())
    assert crossed["victory"] < 0.01
    assert crossed["crossed_fingers"] > 0.8


def test_bones_keep_their_lengths_in_any_pose() -> None:
    rng = np.random.default_rng(4)
    build = vary_build(50, rng)
    joints = bend_fingers(build, rng.uniform(0, 1.6, (50, 4, 3)), rng.uniform(-0.2, 0.3, (50, 4)))
    point_thumb(build, joints, rng.uniform(0, 1.5, (50, 3)), rng.uniform(-0.2, 0.8, (50, 3)))
    reach_thumb(build, joints, joints[:, 7])
    angles = [rng.uniform(-3, 3, 50) for _ in range(4)]
    joints = turn(joints, *angles)
    fingers = joints[:, 5:].reshape(50, 4, 4, 3)
    lengths = np.linalg.norm(np.diff(fingers, axis=2), axis=3)
    np.testing.assert_allclose(lengths, build.phalanges)
    thumb = np.linalg.norm(np.diff(joints[:, 1:5], axis=1), axis=2)
    np.testing.assert_allclose(thumb, build.thumb)


def test_a_thumb_reaches_what_is_near_enough() -> None:
    build = vary_build(20, np.random.default_rng(6))
    joints = bend_fingers(build, np.full((20, 4, 3), 0.85), np.zeros((20, 4)))
    point_thumb(build, joints, np.full((20, 3), 0.5), np.full((20, 3), 0.6))
    reach_thumb(build, joints, joints[:, 8])
    gap = np.linalg.norm(joints[:, 4] - joints[:, 8], axis=1)
    assert np.median(gap) < 0.2
