from dataclasses import replace

import numpy as np
import pytest

from reactions.landmark_types import Side
from reactions.mannequin import CAST, FAR, MONK, NEAR, POSES, Background, Person, Scene
from reactions.mannequin.render import landmarks, render

AMARA = CAST["Amara"]


def test_a_picture_has_the_size_asked_for() -> None:
    picture = render(AMARA, POSES["wave"], Scene(), 320, 180)
    assert picture.shape == (180, 320, 3)
    assert picture.dtype == np.uint8


def test_the_same_arguments_give_the_same_picture() -> None:
    first = render(AMARA, POSES["victory"], Scene(), 320, 180, seed=7)
    second = render(AMARA, POSES["victory"], Scene(), 320, 180, seed=7)
    np.testing.assert_array_equal(first, second)


def test_the_seed_moves_the_noise_and_nothing_else() -> None:
    first = render(AMARA, POSES["fist"], Scene(), 320, 180, seed=1).astype(int)
    second = render(AMARA, POSES["fist"], Scene(), 320, 180, seed=2).astype(int)
    assert (first != second).any()
    assert np.abs(first - second).mean() < 5


def test_a_scene_without_noise_ignores_the_seed() -> None:
    quiet = Scene(noise=0)
    first = render(AMARA, POSES["fist"], quiet, 320, 180, seed=1)
    np.testing.assert_array_equal(first, render(AMARA, POSES["fist"], quiet, 320, 180, seed=2))


@pytest.mark.parametrize("person", CAST.values(), ids=lambda person: person.name)
def test_every_member_of_the_cast_stands_out_from_the_room(person: Person) -> None:
    scene = Scene(background=Background.WALL, noise=0)
    here = render(person, POSES["open_palm"], scene, 320, 180).astype(int)
    empty = render(person, POSES["open_palm"], replace(scene, distance=9000), 320, 180)
    changed = np.abs(here - empty).max(axis=2) > 12
    assert 0.2 < changed.mean() < 0.8


def test_a_nearer_camera_sees_a_larger_hand() -> None:
    near = landmarks(AMARA, POSES["open_palm"], Scene(distance=NEAR))[Side.RIGHT]
    far = landmarks(AMARA, POSES["open_palm"], Scene(distance=FAR))[Side.RIGHT]
    assert np.ptp(near[:, 1]) > 1.3 * np.ptp(far[:, 1])


def test_the_truth_follows_the_pictures_size() -> None:
    small = landmarks(AMARA, POSES["fist"], Scene(), 320, 180)[Side.RIGHT]
    large = landmarks(AMARA, POSES["fist"], Scene(), 640, 360)[Side.RIGHT]
    np.testing.assert_allclose(small * 2, large, rtol=1e-5)


def test_mirroring_exchanges_the_hands_in_the_picture() -> None:
    right = landmarks(AMARA, POSES["ok_hand"], Scene())[Side.RIGHT]
    left = landmarks(AMARA, POSES["ok_hand"].mirrored(), Scene())[Side.LEFT]
    np.testing.assert_allclose(left[:, 0], 640 - right[:, 0], atol=1e-3)
    np.testing.assert_allclose(left[:, 1:], right[:, 1:], atol=1e-3)


def test_a_right_palm_has_its_thumb_towards_the_head() -> None:
    points = landmarks(AMARA, POSES["open_palm"], Scene())[Side.RIGHT]
    assert points[20, 0] < points[4, 0] < 320


def test_fingertips_pointing_at_the_camera_are_nearer_than_the_wrist() -> None:
    points = landmarks(AMARA, POSES["thumbs_up"], Scene())[Side.RIGHT]
    assert points[0, 2] == 0
    assert points[6, 2] < 0


def test_skin_is_drawn_in_the_persons_tone() -> None:
    def brightness(tone: int) -> float:
        person = replace(AMARA, skin=MONK[tone])
        palm = landmarks(person, POSES["open_palm"], Scene())[Side.RIGHT][[0, 5, 17], :2]
        x, y = palm.mean(axis=0).astype(int)
        picture = render(person, POSES["open_palm"], Scene(noise=0))
        return float(picture[y - 4 : y + 5, x - 4 : x + 5].mean())

    tones = [brightness(tone) for tone in (0, 4, 6, 9)]
    assert tones == sorted(tones, reverse=True)


def test_less_light_makes_a_darker_picture() -> None:
    bright = render(AMARA, POSES["neutral"], Scene(), 320, 180).mean()
    dim = render(AMARA, POSES["neutral"], Scene(light=0.5), 320, 180).mean()
    assert dim < 0.8 * bright


def test_a_hand_outside_the_picture_changes_nothing() -> None:
    scene = Scene(distance=NEAR, noise=0)
    still = render(AMARA, POSES["neutral"], scene)
    resting = POSES["neutral"]
    other = replace(resting, left=replace(resting.left, shape=POSES["fist"].right.shape))
    np.testing.assert_array_equal(still, render(AMARA, other, scene))
