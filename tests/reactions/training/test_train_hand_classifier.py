import json
from pathlib import Path

import numpy as np
import pytest

from reactions.gestures.hand_classes import CLASSES
from reactions.gestures.hand_classifier import SHIPPED, HandShapeClassifier
from reactions.landmark_types import Hand, Side
from reactions.training.dataset import RealHands, prepare
from reactions.training.model import best_temperature, fit, logits, softmax
from reactions.training.train_hand_classifier import Trained, TrainingPlan, train, write

tf = pytest.importorskip("tensorflow", reason="training needs the extra 'train'")

TINY = TrainingPlan(seed=7, hands=2000, epochs=6, members=2)


@pytest.fixture(scope="module")
def real() -> RealHands:
    every = RealHands.load()
    return every.pick(np.arange(len(every.points)) % 5 == 0)


@pytest.fixture(scope="module")
def trained(real: RealHands) -> Trained:
    return train(TINY, real)


@pytest.fixture(scope="module")
def path(trained: Trained, real: RealHands, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(trained, TINY, real, tmp_path_factory.mktemp("head"))


def test_a_tiny_training_learns_more_than_chance(trained: Trained) -> None:
    assert set(trained.held_out) == {"anupam", "emre_hand", "subhi_hands"}
    assert np.mean(list(trained.held_out.values())) > 4 / len(CLASSES)


def test_the_exported_head_answers_as_keras_does(
    trained: Trained, real: RealHands, path: Path
) -> None:
    from reactions.gestures.features import hand_features

    some = real.pick(np.arange(len(real.points)) < 20)
    wanted = np.asarray(trained.network(hand_features(some.points, some.left)))
    head = HandShapeClassifier(path)
    for points, left, shares in zip(some.points, some.left, wanted, strict=True):
        side = Side.LEFT if left else Side.RIGHT
        shapes = head.shapes(Hand(points, side, 1.0, 1.0), 640, 480)
        np.testing.assert_allclose(list(shapes.values()), shares, atol=1e-4)


def test_the_same_seed_gives_the_same_network(real: RealHands) -> None:
    lesson = prepare(real, 300, np.random.default_rng(0))
    one, two = (logits(fit(lesson, epochs=1, seed=5), lesson.features[:50]) for _ in range(2))
    np.testing.assert_allclose(one, two, atol=1e-5)


@pytest.mark.parametrize("shipped", [False, True])
def test_the_card_says_how_the_head_was_made(shipped: bool, path: Path) -> None:
    place = SHIPPED if shipped else path
    card = json.loads(place.with_suffix(".json").read_text())
    plan = TrainingPlan() if shipped else TINY
    assert card["classes"] == list(CLASSES)
    assert (card["seed"], card["hands"], card["epochs"]) == (plan.seed, plan.hands, plan.epochs)
    assert sum(card["real_hands"].values()) > 0
    assert {"keras", "numpy"} <= set(card["versions"])


def test_a_head_that_is_too_sure_is_cooled_down() -> None:
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 4, 4000)
    logits = np.zeros((4000, 4), np.float32)
    logits[np.arange(4000), classes] = 1.0
    noisy = logits + rng.gumbel(0, 1, logits.shape).astype(np.float32)
    picked = noisy.argmax(axis=1)
    weights = np.ones(4000)
    assert best_temperature(logits * 2, picked, weights) == pytest.approx(2, rel=0.1)


def test_probabilities_sum_to_one_at_any_temperature() -> None:
    values = np.array([[0.0, 500.0, -500.0]], np.float32)
    for temperature in (0.3, 1.0, 3.0):
        np.testing.assert_allclose(softmax(values, temperature).sum(axis=1), 1, atol=1e-6)
