"""Who has fallen silent."""

from sidecar.rooms.http_signalling.pulse import PATIENCE, UNKNOWN, Pulse


def beaten(every: float, count: int = 10) -> Pulse:
    pulse = Pulse(0.0)
    for number in range(count):
        pulse.note(number + 1, number * every)
    return pulse


def test_one_that_spoke_every_second_is_missed_soon() -> None:
    pulse = beaten(1.0)
    assert not pulse.silent(9.0 + PATIENCE)
    assert pulse.silent(9.0 + PATIENCE + 0.1)


def test_one_that_speaks_seldom_is_given_time() -> None:
    pulse = beaten(3.0)
    assert not pulse.silent(27.0 + 9.0)
    assert pulse.silent(27.0 + 9.1)


def test_one_that_never_spoke_is_given_time_but_not_for_ever() -> None:
    pulse = Pulse(100.0)
    assert not pulse.silent(100.0 + UNKNOWN)
    assert pulse.silent(100.1 + UNKNOWN)


def test_nothing_new_is_no_sign_of_life() -> None:
    pulse = beaten(1.0)
    pulse.note(10, 20.0)
    assert pulse.silent(20.0)
