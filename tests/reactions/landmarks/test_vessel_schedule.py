import pytest

from reactions.landmarks.vessel_schedule import EVERY, RARELY, Place, VesselTrail

CHIN: Place = (0.1, 0.4)


def looks(places: list[Place], found: set[int] | None = None, pace: float = 1.0) -> list[int]:
    """The samples with a look, in which a hand is at ``places``; those in ``found`` show a mug."""
    trail, looked = VesselTrail(), []
    for index, place in enumerate(places):
        trail = trail.passed(pace)
        if trail.is_due(place):
            trail = trail.looked(place, found=index in (found or set()))
            looked.append(index)
    return looked


def test_a_vessel_that_is_found_is_looked_at_in_every_third_sample() -> None:
    every = list(range(0, 31, EVERY))
    assert looks([CHIN] * 31, found=set(every)) == every


def test_a_hand_that_rests_with_nothing_in_it_is_looked_at_less_and_less() -> None:
    assert looks([CHIN] * 46) == [0, 3, 9, 21, 33, 45]
    assert RARELY == 12


def test_a_hand_that_moved_is_looked_at_as_often_as_before() -> None:
    away = (0.1, 0.8)
    assert looks([CHIN] * 24 + [away] * 7) == [0, 3, 9, 21, 24, 27]


def test_a_vessel_that_is_found_late_is_followed() -> None:
    assert looks([CHIN] * 16, found={9, 12, 15}) == [0, 3, 9, 12, 15]


@pytest.mark.parametrize("pace", [0.25, 0.5])
def test_more_samples_a_second_cost_no_more_looks(pace: float) -> None:
    assert len(looks([CHIN] * int(46 / pace), pace=pace)) == len(looks([CHIN] * 46))
