import numpy as np
import pytest

from reactions.training.compose import COMPOSITIONS, ComposedHands, Composer
from reactions.training.recorded_hands import PEOPLES_HANDS, RecordedHands

FOLDS = 2


@pytest.fixture(scope="module")
def composed() -> ComposedHands:
    hands = RecordedHands.load(PEOPLES_HANDS)
    hands = hands.pick(np.arange(0, len(hands.points), 8))
    composer = Composer.of(hands, hands.source % FOLDS, np.ones(len(hands.points)))
    return composer.compose(1500, np.random.default_rng(0))


def test_every_composition_is_made_in_every_fold(composed: ComposedHands) -> None:
    assert set(composed.labels) == {each.label for each in COMPOSITIONS}
    assert set(composed.fold) == set(range(FOLDS))
    assert len(composed.points) == len(composed.labels) == len(composed.fold)
    assert np.isfinite(composed.points).all()


def test_a_composed_rock_has_its_horns_out_and_its_thumb_in(composed: ComposedHands) -> None:
    points = composed.points[composed.labels == "rock"]
    reach = np.linalg.norm(points[:, [8, 12, 16, 20]] - points[:, :1], axis=2)
    horns, folded = reach[:, [0, 3]].min(axis=1), reach[:, [1, 2]].max(axis=1)
    assert np.mean(horns > folded) > 0.9
    thumb = np.linalg.norm(points[:, 4] - points[:, 17], axis=1)
    spread = composed.points[composed.labels == "ily"]
    assert np.median(thumb) < np.median(np.linalg.norm(spread[:, 4] - spread[:, 17], axis=1))


def test_upright_shapes_stay_upright(composed: ComposedHands) -> None:
    points = composed.points[np.isin(composed.labels, ["rock", "ily", "pointing_up"])]
    axis = points[:, 9] - points[:, 0]
    assert np.abs(np.degrees(np.arctan2(axis[:, 0], -axis[:, 1]))).max() < 50
