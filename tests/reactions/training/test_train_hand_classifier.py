import json
from pathlib import Path

import numpy as np
import pytest

from reactions.gestures.features import FEATURES, features_of, hand_features
from reactions.gestures.hand_classes import CLASSES, SHAPES
from reactions.gestures.hand_classifier import SHIPPED, HandShapeClassifier
from reactions.labels import LABELS
from reactions.landmark_types import Hand, Side
from reactions.training.member_calibration import Calibration, calibrate, probabilities
from reactions.training.model import fit, logits
from reactions.training.train_hand_classifier import Trained, TrainingPlan, train, write
from reactions.training.training_set import TrainingHands, draw_epochs
from tests.reactions.training.extra import NEEDS_TRAINING

pytestmark = NEEDS_TRAINING

TINY = TrainingPlan(seed=7, hands=3000, epochs=2, rounds=3, members=2, folds=2, budget=0.25)


@pytest.fixture(scope="module")
def hands() -> TrainingHands:
    return TrainingHands.load(TINY.seed, TINY.folds, synthetic=3000).thinned(30)


@pytest.fixture(scope="module")
def trained(hands: TrainingHands) -> Trained:
    return train(TINY, hands)


@pytest.fixture(scope="module")
def path(trained: Trained, hands: TrainingHands, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(trained, TINY, hands, tmp_path_factory.mktemp("classifier"))


def test_a_tiny_training_names_people_it_has_not_seen(trained: Trained) -> None:
    report = trained.held_out.report
    assert report.mean_over_shapes is not None
    assert report.mean_over_shapes > 0.5
    assert set(trained.held_out.photos) == {"anupam", "emre_hand", "subhi_hands"}


def test_thresholds_keep_the_budget_of_false_fires(trained: Trained) -> None:
    assert set(trained.held_out.thresholds) == set(SHAPES)
    fires = trained.held_out.report.other_hands.mean_over_people
    assert fires is not None
    assert fires <= TINY.budget


def test_the_exported_classifier_answers_as_the_members_do(
    trained: Trained, hands: TrainingHands, path: Path
) -> None:
    some = hands.people.pick(np.arange(20))
    values = logits(trained.network, hand_features(some.points, some.left))
    wanted = probabilities(values[:, trained.shipped], trained.held_out.calibration)
    classifier = HandShapeClassifier(path)
    for points, left, shares in zip(some.points, some.left, wanted, strict=True):
        deep = np.column_stack([points, np.zeros(21, np.float32)])
        side = Side.LEFT if left else Side.RIGHT
        hand = Hand(deep, side, 1.0, 1.0)
        shapes = classifier.shapes(hand, features_of(hand))
        np.testing.assert_allclose(list(shapes.values()), shares, atol=1e-4)


def test_members_that_are_kept_out_differ_from_those_that_are_not(hands: TrainingHands) -> None:
    epoch = next(draw_epochs(hands, 600, np.random.default_rng(0)))
    runs = [fit(iter([epoch]), epochs=1, rounds=20, kept_out=[0, 1], seed=5) for _ in range(2)]
    one, two = (logits(network, epoch.features[:50]) for network in runs)
    np.testing.assert_allclose(one, two, atol=1e-5)
    assert one.shape == (50, 2, len(CLASSES))
    assert not np.allclose(one[:, 0], one[:, 1], atol=0.1)


def test_of_two_members_the_second_also_reads_the_distances_of_joints(trained: Trained) -> None:
    first, second = (trained.network.members[k].weights[0] for k in trained.shipped)
    assert not first[FEATURES:].any()
    assert first[:FEATURES].all(axis=1).all()
    assert second.all(axis=1).all()


@pytest.mark.parametrize("shipped", [False, True])
def test_the_card_says_how_the_classifier_was_made(shipped: bool, path: Path) -> None:
    place = SHIPPED if shipped else path
    card = json.loads(place.with_suffix(".json").read_text())
    plan = TrainingPlan() if shipped else TINY
    assert card["classes"] == list(CLASSES)
    assert (card["seed"], card["hands"], card["epochs"]) == (plan.seed, plan.hands, plan.epochs)
    assert card["people"] > 70
    assert sum(card["photo_hands"].values()) > 0
    assert {"keras", "numpy"} <= set(card["versions"])
    left_out = {
        name: each["left_out"]
        for name, each in card["held_out_people"]["in_definition"]["shapes"].items()
    }
    assert left_out.keys() == set(SHAPES)
    assert left_out["victory"] > 0


def test_the_shipped_thresholds_are_those_of_the_budget() -> None:
    card = json.loads(SHIPPED.with_suffix(".json").read_text())
    shipped = {name: LABELS[name].threshold for name in card["thresholds"]}
    assert shipped == card["thresholds"]


def test_classifiers_that_are_too_sure_are_cooled_down() -> None:
    rng = np.random.default_rng(0)
    values = np.zeros((4000, 1, len(CLASSES)), np.float32)
    values[np.arange(4000), 0, rng.integers(0, len(CLASSES), 4000)] = 2.0
    noisy = values[:, 0] + rng.gumbel(0, 1, (4000, len(CLASSES)))
    right = np.eye(len(CLASSES), dtype=np.bool_)[noisy.argmax(axis=1)]
    found = calibrate(values * 2, right, np.ones(4000))
    assert found.temperature == pytest.approx(2, rel=0.1)
    assert np.abs(found.bias).max() < 0.3


def test_a_class_that_is_seldom_named_is_raised() -> None:
    rng = np.random.default_rng(0)
    values = np.zeros((4000, 2, len(CLASSES)), np.float32)
    prior = np.zeros(len(CLASSES))
    prior[0] = 1.5
    noisy = prior + rng.gumbel(0, 1, (4000, len(CLASSES)))
    right = np.eye(len(CLASSES), dtype=np.bool_)[noisy.argmax(axis=1)]
    bias = calibrate(values, right, np.ones(4000)).bias
    assert bias[0] - np.mean(bias[1:]) == pytest.approx(1.5, abs=0.2)


def test_the_members_answer_as_their_mean() -> None:
    values = np.zeros((1, 2, len(CLASSES)), np.float32)
    values[0, 0, 0] = values[0, 1, 1] = 100
    np.testing.assert_allclose(probabilities(values)[0, :2], 0.5, atol=1e-6)


def test_probabilities_sum_to_one_at_any_calibration() -> None:
    values = np.linspace(-500, 500, len(CLASSES), dtype=np.float32)[None, None]
    for temperature in (0.3, 1.0, 3.0):
        shares = probabilities(values, Calibration(temperature, (2.0,) * len(CLASSES)))
        np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)


def test_each_person_has_counts_of_its_own(trained: Trained, hands: TrainingHands) -> None:
    rows = trained.held_out.by_source
    assert set(rows) == set(hands.people.sources)
    counts = [count for row in rows.values() for count, _ in row.values()]
    assert sum(counts) == len(hands.people.points)
