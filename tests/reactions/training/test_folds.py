import numpy as np

from reactions.training.folds import assign_folds
from tests.reactions.training.recorded import Row, recorded


def rows(label: str, *people: str, each: int = 5) -> list[Row]:
    return [(label, "", person) for person in people for _ in range(each)]


def test_people_of_a_rare_shape_are_spread_over_the_folds() -> None:
    hands = recorded(*rows("fist", *"abcdefghij"), *rows("rock", *"xyz"))
    folds = assign_folds(hands, 3)
    rare = [hands.sources.index(person) for person in "xyz"]
    assert sorted(folds[rare]) == [0, 1, 2]


def test_every_fold_gets_its_share_of_the_people() -> None:
    hands = recorded(*rows("fist", *"abcdefghij"))
    assert np.bincount(assign_folds(hands, 5)).tolist() == [2, 2, 2, 2, 2]


def test_a_shape_counts_more_than_another_label() -> None:
    hands = recorded(
        *rows("other:salute", "a", "b"), *rows("fist", "a", "c"), *rows("victory", "b", "d")
    )
    folds = assign_folds(hands, 2)
    fold = dict(zip(hands.sources, folds.tolist(), strict=True))
    assert fold["a"] != fold["c"]
    assert fold["b"] != fold["d"]


def test_the_same_hands_give_the_same_folds() -> None:
    hands = recorded(*rows("fist", *"abcdefg"), *rows("rock", *"abc"))
    np.testing.assert_array_equal(assign_folds(hands, 3), assign_folds(hands, 3))
