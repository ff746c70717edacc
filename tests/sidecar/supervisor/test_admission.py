import pytest

from config.errors import CapacityError
from sidecar.supervisor.admission import Admission, CompositeSize, CostTable, UsedSeconds


def test_a_room_costs_what_its_participants_samples_and_viewers_cost() -> None:
    costs = CostTable(base=0.1, composite=0.1, participant=0.04, sample=0.01, viewer=0.007)
    assert costs.room(6, 5.0, viewers=3) == pytest.approx(0.2 + 6 * 0.04 + 6 * 5 * 0.01 + 0.014)


def test_a_composite_costs_by_its_pixels_a_second() -> None:
    costs = CostTable(base=0.1, composite=0.8, participant=0.0, sample=0.0, viewer=0.0)
    size = CompositeSize(640, 360, 25)
    assert costs.room(4, 5.0, size=size) == pytest.approx(0.1 + 0.8 / 4)


def test_declared_costs_are_reserved_at_once() -> None:
    admission = Admission(1.6)
    admission.admit("a", 0.8, now=0.0)
    admission.admit("b", 0.8, now=0.0)
    with pytest.raises(CapacityError, match=r"1\.60 of 1\.60 cores are in use") as refused:
        admission.admit("c", 0.1, now=0.0)
    assert refused.value.do


def test_the_first_room_is_admitted_however_dear() -> None:
    admission = Admission(1.0)
    admission.admit("a", 3.0, now=0.0)
    assert admission.load(0.0) == 3.0


def test_the_measured_cost_counts_after_the_hold() -> None:
    admission = Admission(1.0, hold=15.0)
    admission.admit("a", 0.9, now=0.0)
    admission.measure("a", 0.3)
    assert admission.used(14.9) == 0.9
    assert admission.used(15.0) == pytest.approx(0.3)
    admission.admit("b", 0.6, now=15.0)


def test_a_room_that_costs_more_than_declared_counts_at_once() -> None:
    admission = Admission(1.0)
    admission.admit("a", 0.2, now=0.0)
    admission.measure("a", 0.7)
    assert admission.used(1.0) == pytest.approx(0.7)


def test_measurements_are_smoothed() -> None:
    admission = Admission(1.0, hold=0.0)
    admission.admit("a", 0.1, now=0.0)
    for cores in (0.5, 1.0):
        admission.measure("a", cores)
    assert admission.used(1.0) == pytest.approx(0.6)


def test_a_released_room_frees_its_share() -> None:
    admission = Admission(1.0)
    admission.admit("a", 0.9, now=0.0)
    admission.release("a")
    admission.release("unknown")
    admission.admit("b", 0.9, now=0.0)
    assert admission.costs(0.0) == {"b": 0.9}


def test_what_workers_do_for_a_room_is_its_cost_too() -> None:
    before, now = UsedSeconds(10.0, 5.0, 1.0), UsedSeconds(12.0, 5.4, 1.2)
    assert now.cores(before, factor=1.0) == pytest.approx(0.3)


def test_detection_that_is_slowed_down_costs_what_it_would_without() -> None:
    before, now = UsedSeconds(10.0, 5.0, 1.0), UsedSeconds(12.0, 5.4, 1.1)
    assert now.cores(before, factor=0.5) == pytest.approx(0.3)


@pytest.mark.parametrize(
    "now", [UsedSeconds(10.0, 5.4, 1.2), UsedSeconds(12.0, 0.1, 1.2), UsedSeconds(12.0, 5.4, 0.0)]
)
def test_a_process_that_was_started_again_tells_no_cost(now: UsedSeconds) -> None:
    assert now.cores(UsedSeconds(10.0, 5.0, 1.0), factor=1.0) is None
