from pathlib import Path

import numpy as np
import pytest

from config.errors import ModelError
from reactions.gestures.hand_classes import CLASSES, NONE
from reactions.landmark_types import Hand, Observation, Points, Side
from reactions.training.dataset import FREE_SOURCES, RealHands, label_hands
from reactions.training.photos import Photo
from reactions.training.sightings import Sightings

REAL = RealHands.load()


def hand(x: float, y: float, *, hanging: bool = False) -> Hand:
    """A hand of 40 pixels round (x, y)."""
    points: Points = np.random.default_rng(1).uniform(-20, 20, (21, 3)).astype(np.float32)
    points[0], points[9] = (0, 20, 0), (0, -10, 0)
    if hanging:
        points[:, 1] *= -1
    return Hand(points + np.array([x, y, 0], np.float32), Side.RIGHT, 0.9, 0.9)


def labelled(label: str, *hands: Hand, source: str = "emre_hand") -> list[str]:
    """What is learnt of a photo of ``hands``."""
    seen = Sightings.of([Observation(640, 480, 0.0, hands)])
    real = label_hands([Photo(source, label, "a.jpg", "image")], seen)
    return [CLASSES[i] for i in real.classes]


def test_the_upper_hand_shows_what_the_photo_is_called() -> None:
    assert labelled("victory", hand(300, 400, hanging=True), hand(300, 100)) == ["victory", NONE]


def test_a_second_hand_that_does_not_hang_is_not_learnt_from() -> None:
    assert labelled("victory", hand(300, 400), hand(300, 100)) == ["victory"]


def test_a_second_sight_of_the_same_hand_is_not_learnt_from() -> None:
    assert labelled("fist", hand(300, 100), hand(300, 130, hanging=True)) == ["fist"]


def test_a_second_hand_in_other_sources_is_not_learnt_from() -> None:
    hands = (hand(300, 100), hand(300, 400, hanging=True))
    assert labelled("fist", *hands, source="subhi_hands") == ["fist"]


@pytest.mark.parametrize("source", ["hagrid_crops", "mediapipe_hagrid", "mask_portraits"])
def test_sources_whose_licence_forbids_it_are_not_learnt_from(source: str) -> None:
    assert labelled("fist", hand(300, 100), source=source) == []


def test_fidgets_that_pass_through_gestures_are_not_learnt_from() -> None:
    assert labelled("neg_hand_fidget", hand(300, 100)) == []


def test_the_shipped_landmarks_are_of_free_sources_only() -> None:
    assert set(REAL.sources) <= FREE_SOURCES
    assert len(REAL.points) > 500


def test_real_hands_survive_a_file(tmp_path: Path) -> None:
    REAL.save(tmp_path / "deep" / "hands.npz")
    again = RealHands.load(tmp_path / "deep" / "hands.npz")
    np.testing.assert_allclose(again.points[:, :, :2], REAL.points[:, :, :2], atol=0.06)
    np.testing.assert_array_equal(again.sources, REAL.sources)


def test_a_missing_file_of_real_hands_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.npz"):
        RealHands.load(tmp_path / "none.npz")


def test_people_of_one_project_are_held_out_together() -> None:
    assert set(REAL.groups) == {"anupam", "emre_hand", "subhi_hands"}
