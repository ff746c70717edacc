import pytest

from reactions.training.evaluation.intervals import (
    HourlyRate,
    Share,
    bootstrap,
    mean_over,
    share_of,
)


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_the_interval_of_a_share_is_wilsons(hits: int, of: int, low: float, high: float) -> None:
    interval = Share(hits, of).interval
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-4)


def test_of_nothing_all_is_possible() -> None:
    share = Share(0, 0)
    assert (share.value, share.interval.low, share.interval.high) == (0.0, 0.0, 1.0)


def test_a_share_counts_what_is_true() -> None:
    assert share_of([True, False, True]) == Share(2, 3)


def test_a_rate_is_an_hours() -> None:
    assert HourlyRate(3, 1800.0).per_hour == 6.0


@pytest.mark.parametrize(
    ("count", "low", "high"), [(0, 0.0, 3.669), (1, 0.0133, 5.571), (10, 4.79, 18.39)]
)
def test_the_interval_of_a_rate_is_poissons(count: int, low: float, high: float) -> None:
    interval = HourlyRate(count, 3600.0).interval
    assert (interval.low, interval.high) == pytest.approx((low, high), rel=0.01, abs=0.02)


def test_no_footage_says_nothing_about_a_rate() -> None:
    rate = HourlyRate(0, 0.0)
    assert (rate.per_hour, rate.interval.low) == (0.0, 0.0)
    assert rate.interval.high == float("inf")


def test_each_person_counts_the_same() -> None:
    people = {"a": Share(1, 1), "b": Share(0, 99), "nothing seen": Share(0, 0)}
    assert mean_over(people) == 0.5


def test_drawing_people_again_tells_how_far_the_mean_may_be_off() -> None:
    few, many = bootstrap([0.5, 1.0, 0.9]), bootstrap([0.5, 1.0, 0.9] * 30)
    assert few.low < many.low < 0.8 < many.high < few.high


def test_the_same_people_give_the_same_interval() -> None:
    assert bootstrap([0.2, 0.4]) == bootstrap([0.2, 0.4])
