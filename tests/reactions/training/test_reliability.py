import numpy as np
import pytest

from reactions.training.reliability import bins


def test_scores_that_are_as_often_right_as_they_say_lie_on_the_diagonal() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random(20_000, np.float32)
    found = bins(scores, rng.random(20_000) < scores, np.ones(20_000))
    assert len(found) == 10
    assert sum(each.share for each in found) == pytest.approx(1, abs=1e-3)
    assert all(each.right == pytest.approx(each.score, abs=0.05) for each in found)


def test_hands_count_as_their_weights_say() -> None:
    scores = np.array([0.95, 0.95], np.float32)
    (only,) = bins(scores, np.array([True, False]), np.array([3.0, 1.0]))
    assert only.right == 0.75


def test_the_surest_score_has_a_bin() -> None:
    (only,) = bins(np.ones(3, np.float32), np.ones(3, np.bool_), np.ones(3))
    assert (only.score, only.right, only.share) == (1.0, 1.0, 1.0)
