from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigError
from reactions.landmark_types import Side
from reactions.mannequin.drawn import DrawnMannequin
from reactions.mannequin.person import MONK
from reactions.mannequin.pose import Arm, facing
from reactions.mannequin.pose_file import (
    PoseRecipe,
    catalogue_pose,
    read_pose_file,
)
from reactions.mannequin.poses import POSES

TEA = """
side = "right"
vary = 0
tones = [3, 9]
[right]
wrist = [[6, 9], 4, [10, 12]]
fingers = [0.35, 0.1, 0.9]
palm = [0.85, 0.3, -0.4]
shape = "fist"
holds = "mug"
[right.index]
knuckle = [10, 20]
[right.thumb]
tip = [[1, 2], [3, 4]]
[head]
pitch = [-12, -4]
[face]
gaze = [0, [0.5, 0.6]]
[camera]
distance = 70
[light]
strength = [0.2, 0.3]
backgrounds = ["dark"]
"""


def recipe(folder: Path, text: str) -> PoseRecipe:
    path = folder / "pose.toml"
    path.write_text(text)
    return read_pose_file(path)


def draw(recipe: PoseRecipe, seed: int = 0) -> DrawnMannequin:
    return recipe.draw(np.random.default_rng(seed))


@given(seed=st.integers(0, 2**32))
def test_numbers_are_drawn_from_their_ranges(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    drawn = draw(recipe(tmp_path_factory.mktemp("tea"), TEA), seed)
    arm, fist = drawn.pose.right, POSES["fist"].right.shape
    assert 6 <= arm.wrist[0] <= 9
    assert arm.wrist[1] == 4
    assert 10 <= arm.wrist[2] <= 12
    assert arm.turn == facing((0.35, 0.1, 0.9), (0.85, 0.3, -0.4))
    assert 10 <= arm.shape.index.knuckle <= 20
    assert (arm.shape.index.middle, arm.shape.long) == (fist.index.middle, fist.long)
    assert 1 <= arm.shape.thumb.tip[0] <= 2
    assert -12 <= drawn.pose.head[1] <= -4
    assert 0.5 <= drawn.pose.face.gaze[1] <= 0.6
    assert drawn.scene.distance == 70
    assert 0.2 <= drawn.scene.light <= 0.3
    assert drawn.scene.background == "dark"
    assert drawn.person.skin in {MONK[2], MONK[8]}
    assert drawn.pose.holds is not None
    assert drawn.posing == {Side.RIGHT}
    assert drawn.pose.left == Arm()


def test_the_same_chance_draws_the_same(tmp_path: Path) -> None:
    pose = recipe(tmp_path, TEA)
    assert draw(pose, 5) == draw(pose, 5)
    assert draw(pose, 5) != draw(pose, 6)


def test_the_left_hand_does_the_same_mirrored(tmp_path: Path) -> None:
    right = draw(recipe(tmp_path, TEA), 7)
    left = draw(recipe(tmp_path, TEA.replace('"right"', '"left"', 1)), 7)
    assert left.pose == right.pose.mirrored()
    assert left.posing == {Side.LEFT}


def test_either_hand_poses(tmp_path: Path) -> None:
    pose = recipe(tmp_path, 'like = "fist"\nside = "either"')
    assert {side for seed in range(20) for side in draw(pose, seed).posing} == set(Side)


def test_what_is_not_written_is_the_catalogues() -> None:
    recipe = PoseRecipe(like="heart_hands", vary=0)
    drawn = draw(recipe)
    assert drawn.pose == POSES["heart_hands"]
    assert drawn.posing == {Side.RIGHT, Side.LEFT}


def test_a_hand_holds_what_the_catalogue_says_where_nothing_is_written(tmp_path: Path) -> None:
    like = 'like = "drinking"\n[right]\nswivel = 3\n'
    assert POSES["drinking"].holds
    assert draw(recipe(tmp_path, like)).pose.holds
    assert not draw(recipe(tmp_path, f'{like}holds = ""')).pose.holds


def test_a_pose_of_the_face_has_no_posing_hand() -> None:
    assert draw(catalogue_pose("smile")).posing == frozenset()


def test_a_posing_arm_varies_and_a_resting_one_does_not() -> None:
    arms = {draw(PoseRecipe(like="victory"), seed).pose.right.wrist for seed in range(3)}
    assert len(arms) == 3
    assert draw(PoseRecipe(like="victory")).pose.left == Arm()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('like = "vctory"', "like: 'vctory' is refused: no such pose; did you mean 'victory'?"),
        ("[right]\nfingers = [1, 0, 0]", "right: fingers and palm stand together"),
        ("[right]\nfingers = [1, 0, 0]\npalm = [2, 0, 0]", "right: fingers and palm must be dir"),
        ("[right]\nwrist = [[3, 1], 0, 0]", "right.wrist.0: write a number or [low, high]"),
        ("[right]\nwrist = [1, 2]", "right.wrist"),
        ("[right.indx]\nknuckle = 3", "right.indx: unknown key; did you mean 'index'?"),
        ("[head]\nyaw = true", "head.yaw: True is refused: write a number"),
        ("[head]\nyaw = false", "head.yaw: False is refused: write a number"),
        ("[head]\nyaw = nan", "head.yaw: nan is refused: write a number"),
        ("[head]\nyaw = [1, 2, 3]", "head.yaw: write a number or [low, high]"),
        ("tones = [11]", "tones.0: 11 is refused"),
        ("tones = []", "tones: "),
        ('[right]\nholds = "dog"', "right.holds: 'dog' is refused"),
        ("[camera]\ndistance = 5", "camera.distance: 5 is refused: write a number or [low, high]"),
        ("yaw", "broken TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        recipe(tmp_path, text)
    assert message in str(raised.value)
    assert str(tmp_path / "pose.toml") in str(raised.value)


def test_a_label_without_a_pose_is_refused() -> None:
    with pytest.raises(ConfigError, match="no pose for 'tea'"):
        catalogue_pose("tea")


@pytest.mark.parametrize("kind", ["mug", "phone", "glass", "book", "glasses"])
def test_a_hand_holds_each_kind_of_object_in_many_looks(tmp_path: Path, kind: str) -> None:
    pose = recipe(tmp_path, f'like = "hand"\n[right]\nholds = "{kind}"\n')
    things = {draw(pose, seed).pose.holds for seed in range(4)}
    assert {thing.kind for thing in things if thing is not None} == {kind}
    assert len(things) == 4
