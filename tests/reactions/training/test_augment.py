import numpy as np
import pytest

from reactions.training.augment import Variation, vary
from reactions.training.synthetic import draw_hands

HANDS = draw_hands(300, 0.5, np.random.default_rng(5)).points
STILL = Variation(turn=0, bones=0, squeeze=0)
PALM = [1, 5, 9, 13, 17]


def size(points: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(points[:, PALM, :2] - points[:, :1, :2], axis=2)
    return np.asarray(lengths.max(axis=1))


def test_hands_that_are_not_varied_only_slip() -> None:
    moved = HANDS[:, :, :2] - HANDS[:, :1, :2]
    slipped = vary(HANDS, np.random.default_rng(0), STILL)
    away = np.linalg.norm(slipped - moved, axis=2) / size(HANDS)[:, None]
    assert 0 < float(np.median(away)) < 0.03


def test_turned_hands_keep_their_form() -> None:
    turned = vary(HANDS, np.random.default_rng(0), Variation(turn=40, bones=0, squeeze=0))
    ratio = size(turned) / size(HANDS)
    assert float(np.abs(ratio - 1).max()) < 0.25
    before = HANDS[:, 9, :2] - HANDS[:, 0, :2]
    after = turned[:, 9] - turned[:, 0]
    cos = (
        (before * after).sum(axis=1)
        / np.linalg.norm(before, axis=1)
        / np.linalg.norm(after, axis=1)
    )
    angles = np.degrees(np.arccos(np.clip(cos, -1, 1)))
    assert 20 < float(np.median(angles)) < 36


def test_a_finger_grows_along_its_own_bones() -> None:
    grown = vary(HANDS, np.random.default_rng(0), Variation(turn=0, bones=0.3, squeeze=0))
    before = (HANDS[:, 6] - HANDS[:, 5])[:, :2]
    after = grown[:, 6] - grown[:, 5]
    length = np.linalg.norm(before, axis=1)
    long = length > 0.3 * size(HANDS)
    ratio = np.linalg.norm(after, axis=1)[long] / length[long]
    assert 0.2 < float(ratio.std()) < 0.6
    cos = (before * after).sum(axis=1)[long] / length[long] / np.linalg.norm(after, axis=1)[long]
    assert float(np.median(cos)) > 0.99


def test_a_squeezed_hand_never_grows_much() -> None:
    squeezed = vary(HANDS, np.random.default_rng(0), Variation(turn=0, bones=0, squeeze=0.3))
    ratio = size(squeezed) / size(HANDS)
    assert float(np.quantile(ratio, 0.01)) > 0.6
    assert float(np.quantile(ratio, 0.99)) < 1.2


@pytest.mark.parametrize("count", [0, 1])
def test_any_number_of_hands_can_be_varied(count: int) -> None:
    how = Variation(turn=10, bones=0.1, squeeze=0.1)
    assert vary(HANDS[:count], np.random.default_rng(0), how).shape == (count, 21, 2)
