import numpy as np
import pytest

from reactions.gestures.features import Landmarks
from reactions.gestures.hand_classes import SHAPES
from reactions.mannequin import POSES, hand_joints
from reactions.training.hand_pose_ranges import LOOK_ALIKES, Recipe
from reactions.training.hand_pose_ranges import SHAPES as RECIPES
from reactions.training.recorded_hands import PEOPLES_HANDS, RecordedHands
from reactions.training.shape_definitions import contradicted
from reactions.training.synthetic import draw_recipe


def posed(name: str) -> Landmarks:
    """One hand as the mannequin's pose ``name`` has it."""
    return hand_joints(POSES[name].right.shape)[None].astype(np.float32)


def drawn(recipe: Recipe) -> Landmarks:
    return draw_recipe(recipe, 300, np.random.default_rng(1))


def look_alike(name: str) -> Recipe:
    return next(recipe for recipe in LOOK_ALIKES if recipe.name == name)


def share(shape: str, points: Landmarks) -> float:
    """Of ``points`` that contradict ``shape``."""
    return float(contradicted(points)[:, SHAPES.index(shape)].mean())


@pytest.mark.parametrize("shape", SHAPES)
def test_a_hand_that_shows_a_shape_does_not_contradict_it(shape: str) -> None:
    assert share(shape, posed(shape)) == 0


@pytest.mark.parametrize(
    ("shown", "label"),
    [
        ("open_palm", "fist"),
        ("fist", "open_palm"),
        ("pointing_up", "rock"),
        ("ily", "rock"),
        ("rock", "ily"),
        ("victory", "crossed_fingers"),
        ("crossed_fingers", "victory"),
        ("open_palm", "ok_hand"),
        ("fist", "call_me"),
        ("fist", "middle_finger"),
        ("victory", "pointing_up"),
        ("open_palm", "thumbs_up"),
    ],
)
def test_a_hand_that_shows_another_shape_contradicts_its_label(shown: str, label: str) -> None:
    assert share(label, posed(shown)) == 1


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda each: f"{each.label}, {each.name}")
def test_few_hands_of_any_build_and_view_contradict_what_they_show(recipe: Recipe) -> None:
    assert share(recipe.label, drawn(recipe)) < 0.1


@pytest.mark.parametrize(
    ("shape", "name"),
    [
        ("open_palm", "flat hand edge-on"),
        ("open_palm", "four"),
        ("victory", "three"),
        ("rock", "little finger"),
        ("fist", "three with thumb"),
    ],
)
def test_most_look_alikes_contradict_the_shape(shape: str, name: str) -> None:
    assert share(shape, drawn(look_alike(name))) > 0.75


def test_neither_size_nor_mirror_nor_a_turn_in_the_picture_changes_anything() -> None:
    points = np.concatenate([posed(shape) for shape in SHAPES])[:, :, :2]
    before = contradicted(points)
    turned = points @ np.array([[0.6, 0.8], [-0.8, 0.6]], np.float32)
    for changed in (points * 37, points * [-1, 1], turned):
        np.testing.assert_array_equal(contradicted(np.asarray(changed, np.float32)), before)


def test_most_hands_that_people_recorded_show_what_they_are_called() -> None:
    hands = RecordedHands.load(PEOPLES_HANDS)
    broken = contradicted(hands.points)
    names = np.array(hands.labels)[hands.label]
    out = {shape: float(broken[names == shape, i].mean()) for i, shape in enumerate(SHAPES)}
    few = out.pop("middle_finger"), out.pop("finger_heart")
    assert max(few) < 0.2
    assert max(out.values()) < 0.05
