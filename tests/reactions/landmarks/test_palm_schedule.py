import pytest

from reactions.landmarks.palm_schedule import search_every, still_for


def still_after(changes: list[float], pace: float = 1.0) -> float:
    still = 0.0
    for changed in changes:
        still = still_for(still, changed, pace)
    return still


@pytest.mark.parametrize(("hands", "usual", "calm"), [(0, 2, 4), (1, 3, 6), (2, 3, 6)])
def test_a_calm_picture_is_searched_half_as_often(hands: int, usual: int, calm: int) -> None:
    assert search_every(hands, still_after([0.0] * 4), near=True) == usual
    assert search_every(hands, still_after([0.0] * 5), near=True) == calm


def test_a_change_as_of_a_hand_that_comes_ends_the_calm() -> None:
    assert search_every(0, still_after([0.01] * 9), near=True) == 4
    assert search_every(0, still_after([0.01] * 9 + [0.018]), near=True) == 2


def test_hands_of_a_person_far_away_change_too_little() -> None:
    assert search_every(0, still_after([0.0] * 50), near=False) == 2


def test_between_two_samples_of_a_burst_less_changes() -> None:
    assert still_after([0.008] * 9, pace=0.5) == 0.0
    assert still_after([0.008] * 9, pace=1.0) == 9.0
