"""Who gets a burst, how long it lasts, and what it never does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.inference.burst_budget import (
    BURST_RATE,
    LATE,
    LONGEST,
    MOST_CREDIT,
    REST,
    SHARE,
    BurstBudget,
)

RATE = 5.0


def sampled(
    budget: BurstBudget, seconds: float, *, start: float = 0.0, wanted: bool = True, took: float = 0
) -> list[float]:
    """The times at which ann is sampled when each sample says the same."""
    time, times = start, []
    while time < start + seconds:
        times.append(time)
        budget.note("ann", time, wanted=wanted, took=took, rate=RATE)
        time += budget.interval("ann", time, RATE)
    return times


def test_without_motion_samples_come_as_usual() -> None:
    budget = BurstBudget()
    assert len(sampled(budget, 9.9, wanted=False)) == 50
    assert budget.bursts == 0


def test_a_motion_gets_fifteen_samples_a_second_for_as_long_as_a_burst_lasts() -> None:
    budget = BurstBudget()
    assert len(sampled(budget, LONGEST)) == pytest.approx(LONGEST * BURST_RATE, abs=1)
    assert len(sampled(budget, REST - 0.1, start=LONGEST)) == pytest.approx(
        (REST - 0.1) * RATE, abs=1
    )
    assert budget.bursts == 1


def test_a_burst_ends_with_the_motion() -> None:
    budget = BurstBudget()
    sampled(budget, 0.5)
    budget.note("ann", 0.6, wanted=False, took=0.0, rate=RATE)
    assert budget.interval("ann", 0.6, RATE) == 1 / RATE


def test_a_machine_that_is_late_has_no_bursts() -> None:
    budget = BurstBudget()
    assert len(sampled(budget, 9.9, took=LATE + 0.01)) == 50
    sampled(budget, 0.3, start=20.0)
    budget.note("ann", 20.4, wanted=True, took=LATE + 0.01, rate=RATE)
    assert budget.interval("ann", 20.4, RATE) == 1 / RATE


def test_stopping_ends_all_bursts_at_once() -> None:
    budget = BurstBudget()
    sampled(budget, 0.3)
    budget.stop()
    assert budget.interval("ann", 0.3, RATE) == 1 / RATE


def test_one_persons_burst_changes_nothing_for_another() -> None:
    budget = BurstBudget()
    budget.note("bob", 0.0, wanted=False, took=0.0, rate=RATE)
    sampled(budget, 0.5)
    assert budget.interval("bob", 0.5, RATE) == 1 / RATE


def test_a_room_that_is_sampled_faster_than_a_burst_is_not_slowed_down() -> None:
    budget = BurstBudget()
    budget.note("ann", 0.0, wanted=True, took=0.0, rate=30.0)
    assert budget.interval("ann", 0.0, 30.0) == pytest.approx(1 / 30)
    assert budget.bursts == 0


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.booleans(), st.sampled_from([0.0, 0.1, 0.3])),
        max_size=400,
    )
)
def test_all_bursts_of_a_room_stay_within_the_budget(
    samples: list[tuple[str, bool, float]],
) -> None:
    budget = BurstBudget()
    clocks = dict.fromkeys("abc", 0.0)
    early = usual = 0.0
    for name, wanted, took in samples:
        time = clocks[name]
        budget.note(name, time, wanted=wanted, took=took, rate=RATE)
        interval = budget.interval(name, time, RATE)
        assert 1 / BURST_RATE <= interval <= 1 / RATE
        usual += interval * RATE
        early += 1 - interval * RATE
        clocks[name] = time + interval
    # Each burst that runs may take one sample beyond the last of the credit.
    assert early <= MOST_CREDIT + SHARE * usual + 3
