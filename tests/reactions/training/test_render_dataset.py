from itertools import islice

import numpy as np
import pytest

from reactions.gestures.hand_classes import CLASSES, NONE
from reactions.landmarks.model_store import ModelStore
from reactions.training.dataset import MANNEQUINS, RENDERED_HANDS, RealHands
from reactions.training.render_dataset import collect, draw_poses


def test_shapes_and_look_alikes_come_in_turn_and_all_of_them_come() -> None:
    labels = [label for label, _ in islice(draw_poses(np.random.default_rng(0)), 400)]
    assert set(labels[::2]) == set(CLASSES) - {NONE}
    assert set(labels[1::2]) == {NONE}


def test_some_labels_can_be_drawn_alone() -> None:
    drawn = islice(draw_poses(np.random.default_rng(0), ["fist", "ily"]), 40)
    assert {label for label, _ in drawn} == {"fist", "ily"}


def test_no_two_pictures_are_posed_alike() -> None:
    poses = [pose for _, pose in islice(draw_poses(np.random.default_rng(0)), 50)]
    assert len(set(poses)) == 50


def test_the_shipped_landmarks_hold_every_class() -> None:
    hands = RealHands.load(RENDERED_HANDS)
    assert set(hands.sources) == {MANNEQUINS}
    assert np.bincount(hands.classes, minlength=len(CLASSES)).min() > 50


@pytest.mark.models
def test_hands_found_on_mannequins_carry_their_class() -> None:
    hands = collect(6, 1, ModelStore())
    assert len(hands.points) >= 3
    assert set(hands.sources) == {MANNEQUINS}
    assert (hands.classes < CLASSES.index(NONE)).any()
