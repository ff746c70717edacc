from itertools import islice

import numpy as np
import pytest

from reactions.gestures.features import FEATURES
from reactions.gestures.hand_classes import CLASSES, NONE, SHAPES
from reactions.training.training_set import (
    NO_FOLD,
    SHARES,
    Epoch,
    TrainingHands,
    draw_epochs,
    right_classes,
)
from tests.reactions.training.recorded import recorded

FOLDS = 3


@pytest.fixture(scope="module")
def hands() -> TrainingHands:
    return TrainingHands.load(seed=3, folds=FOLDS, synthetic=2000)


def draw(hands: TrainingHands, count: int, epochs: int = 1, seed: int = 9) -> list[Epoch]:
    return list(islice(draw_epochs(hands, count, np.random.default_rng(seed)), epochs))


def named(*rows: tuple[str, str]) -> list[set[str]]:
    """The right classes of one hand a row: a label, and a shape that it is near."""
    right = right_classes(recorded(*((label, near, "a") for label, near in rows)))
    return [{CLASSES[k] for k in np.flatnonzero(row)} for row in right]


def test_a_shape_is_itself_and_any_other_label_is_none() -> None:
    assert named(("fist", ""), ("three", ""), ("other:salute", "")) == [{"fist"}, {NONE}, {NONE}]


def test_a_hand_near_a_shape_may_be_called_either() -> None:
    assert named(("other:victory_tilted", "victory"), ("other:x", "rock"), ("fist", "rock")) == [
        {NONE, "victory"},
        {NONE, "rock", "ily"},
        {"fist"},
    ]


def test_an_epoch_has_one_row_of_features_a_hand(hands: TrainingHands) -> None:
    (epoch,) = draw(hands, 3000)
    assert epoch.features.shape == (3000, FEATURES)
    assert epoch.right.shape == (3000, len(CLASSES))
    assert epoch.fold.shape == (3000,)
    assert np.isfinite(epoch.features).all()
    assert epoch.right.any(axis=1).all()


def test_an_epoch_holds_every_class_and_none_for_nearly_half(hands: TrainingHands) -> None:
    (epoch,) = draw(hands, 10_000)
    assert epoch.right.any(axis=0).all()
    none = epoch.right[:, CLASSES.index(NONE)]
    assert epoch.right[~none].mean(axis=0)[: len(SHAPES)].min() > 0.02
    assert 0.4 < float(none.mean()) < 0.6


def test_the_parts_of_an_epoch_are_all_of_it() -> None:
    assert sum(SHARES.values()) == pytest.approx(1)


def test_the_same_seed_draws_the_same_epochs(hands: TrainingHands) -> None:
    one, two = (draw(hands, 500, 2) for _ in range(2))
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a.features, b.features)
        np.testing.assert_array_equal(a.right, b.right)


def test_no_two_epochs_are_alike(hands: TrainingHands) -> None:
    one, two = draw(hands, 500, 2)
    assert not np.allclose(one.features, two.features)


def test_people_and_photos_are_held_out_by_one_fold_each(hands: TrainingHands) -> None:
    for of, fold in ((hands.people.source, hands.people_fold), (hands.photos.groups, None)):
        folds = hands.photo_fold if fold is None else fold
        assert all(len(set(folds[of == each])) == 1 for each in np.unique(of))
        assert set(folds) == set(range(FOLDS))


def test_only_hands_of_people_are_held_out(hands: TrainingHands) -> None:
    (epoch,) = draw(hands, 10_000)
    people = SHARES["people"] + SHARES["composed"] + SHARES["photos"]
    assert float((epoch.fold != NO_FOLD).mean()) == pytest.approx(people, abs=0.01)


def test_the_shipped_people_are_many(hands: TrainingHands) -> None:
    assert len(np.unique(hands.people.source)) == 80
    assert len(hands.thinned(4).people.points) == len(hands.people_fold[::4])
