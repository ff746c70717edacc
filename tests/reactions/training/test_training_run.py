from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from config.errors import ModelError
from reactions.bundle import ModelBundle
from reactions.gestures.hand_classes import CLASSES
from reactions.training.bundle_files import export_bundle
from reactions.training.dataset import RealHands
from reactions.training.train_hand_classifier import TrainingPlan
from reactions.training.training_run import refuse_trained, train_hand, with_hands
from reactions.training.training_set import TrainingHands
from tests.reactions.training.extra import NEEDS_TRAINING

pytestmark = NEEDS_TRAINING

PLAN = TrainingPlan(seed=7, hands=700, epochs=1, rounds=2, members=1, folds=2, budget=0.5)


@pytest.fixture(scope="module")
def hands() -> TrainingHands:
    return TrainingHands.load(PLAN.seed, PLAN.folds, synthetic=700).thinned(40)


def mine(count: int) -> RealHands:
    points = np.random.default_rng(0).uniform(0, 99, (count, 21, 2)).astype(np.float32)
    fists = np.full(count, CLASSES.index("fist"))
    return RealHands(points, np.zeros(count, np.bool_), fists, np.full(count, "tea/ada"))


def test_a_training_ends_with_classifier_curves_log_and_bundle(
    hands: TrainingHands, tmp_path: Path
) -> None:
    shares: list[float] = []
    folder = tmp_path / "run"
    outcome = train_hand(
        PLAN, mine(3), folder, hands=hands, move=lambda share, what: shares.append(share)
    )
    assert outcome.weights.is_file()
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert len(list((folder / "tensorboard").rglob("events.out.tfevents.*"))) == 3
    assert not (folder / "checkpoints").exists()
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    export_bundle(folder, tmp_path / "mine")
    bundle = ModelBundle.read(tmp_path / "mine")
    assert "fist" in bundle.thresholds
    with pytest.raises(ModelError, match="holds a trained classifier"):
        refuse_trained(folder)


def test_a_training_goes_on_with_the_same_people_alone(
    hands: TrainingHands, tmp_path: Path
) -> None:
    def stop(share: float, what: str) -> None:
        if what.startswith("epoch"):
            raise KeyboardInterrupt

    more = mine(3)
    with pytest.raises(KeyboardInterrupt):
        train_hand(PLAN, more, tmp_path, hands=hands, threads=1, move=stop)
    others = replace(more, sources=np.array(["ada", "ada", "bob"]))
    with pytest.raises(ModelError, match="another data"):
        train_hand(PLAN, others, tmp_path, hands=hands, threads=1)


def test_hands_of_users_are_held_out_as_photos_are(hands: TrainingHands) -> None:
    more = with_hands(hands, mine(3), PLAN.folds)
    assert len(more.photos.points) == len(hands.photos.points) + 3 == len(more.photo_fold)


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(ModelError, match="something else"):
        refuse_trained(tmp_path)
