import pytest

from reactions.landmarks.sample_pace import sample_pace


@pytest.mark.parametrize("elapsed", [0.16, 0.2, 1.0, float("inf")])
def test_a_sample_counts_in_full_at_the_usual_rate_and_below(elapsed: float) -> None:
    assert sample_pace(elapsed) == 1.0


def test_samples_of_a_burst_count_by_their_share_of_a_usual_one() -> None:
    assert sample_pace(0.08) == pytest.approx(0.4)


@pytest.mark.parametrize("elapsed", [0.0, -3.0])
def test_a_clock_that_stands_or_goes_back_stops_no_schedule(elapsed: float) -> None:
    assert sample_pace(elapsed) == 1.0
