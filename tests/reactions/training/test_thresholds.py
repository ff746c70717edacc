import numpy as np
import pytest

from reactions.gestures.hand_classes import SHAPES
from reactions.training.hands_report import Scores
from reactions.training.recorded_hands import RecordedHands
from reactions.training.thresholds import thresholds_within
from tests.reactions.training.recorded import Row, recorded

FIST = ("fist",)


def rows(label: str, count: int, near: str = "") -> list[Row]:
    """Hands of five people."""
    return [(label, near, person) for person in "abcde" for _ in range(count)]


def scored(hands: RecordedHands, values: list[float], shape: str = "fist") -> Scores:
    scores = np.zeros((len(hands.points), len(SHAPES)), np.float32)
    scores[:, SHAPES.index(shape)] = values
    return scores


def test_the_threshold_is_the_lowest_that_keeps_the_budget() -> None:
    hands = recorded(*rows("fist", 10), *rows("three", 10))
    shown = [0.55, *[0.7] * 3, *[0.9] * 6]
    scores = scored(hands, [*shown * 5, *[0.75, 0.655, *[0.1] * 8] * 5])
    assert thresholds_within(0.1, hands, scores, FIST)["fist"] == pytest.approx(0.66)
    assert thresholds_within(0.2, hands, scores, FIST)["fist"] == 0.5


def test_without_look_alikes_the_threshold_is_the_lowest() -> None:
    hands = recorded(*rows("fist", 10), *rows("three", 10))
    scores = scored(hands, [*[0.6] * 50, *[0.1] * 50])
    assert thresholds_within(0.0, hands, scores, FIST)["fist"] == 0.5


def test_a_budget_that_nothing_keeps_gives_the_highest_thresholds() -> None:
    hands = recorded(*rows("fist", 10), *rows("three", 10))
    scores = scored(hands, [*[0.6] * 50, *[0.99] * 50])
    assert thresholds_within(0.01, hands, scores, FIST)["fist"] == pytest.approx(0.7)


def test_hands_near_a_shape_may_fire_it() -> None:
    hands = recorded(*rows("fist", 10), *rows("other:fist_tilted", 10, near="fist"))
    scores = scored(hands, [0.6] * 100)
    assert thresholds_within(0.0, hands, scores, FIST)["fist"] == 0.5


def test_shapes_share_the_budget_where_it_buys_most() -> None:
    hands = recorded(*rows("fist", 10), *rows("rock", 10), *rows("three", 10))
    scores = scored(hands, [*[0.6] * 50, *[0.0] * 50, *[0.6, *[0.1] * 9] * 5])
    # A fire of rock's buys one hand of rock, one of fist's buys all fists.
    scores[50:100, SHAPES.index("rock")] = [0.55, *[0.9] * 9] * 5
    scores[100:150, SHAPES.index("rock")] = [0.655, 0.655, *[0.0] * 8] * 5
    thresholds = thresholds_within(0.1, hands, scores, ("fist", "rock"))
    assert thresholds["fist"] == 0.5
    assert thresholds["rock"] == pytest.approx(0.66)


def test_a_shape_of_few_people_spends_no_fires() -> None:
    hands = recorded(*[("fist", "", "a")] * 10, *rows("three", 10))
    scores = scored(hands, [*[0.6] * 10, *[0.1] * 50])
    assert thresholds_within(0.5, hands, scores, FIST)["fist"] == pytest.approx(0.7)
