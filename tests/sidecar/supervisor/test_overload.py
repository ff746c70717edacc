"""Sampling under overload in virtual time: no clock runs."""

from dataclasses import replace
from itertools import pairwise

import pytest

from sidecar.supervisor.overload import CALM, LOWEST, LoadCounts, SamplingControl


class Server:
    """Rooms that want ``wanted`` samples a second of workers that manage ``capacity``."""

    def __init__(self, wanted: float, capacity: float) -> None:
        self.control = SamplingControl()
        self.wanted = wanted
        self.capacity = capacity
        self.counts = LoadCounts()
        self.now = 0.0
        self.factors = [1.0]

    def run(self, seconds: int) -> float:
        """The factor after ``seconds`` more."""
        for _ in range(seconds):
            asked = self.wanted * self.factors[-1]
            done = min(asked, self.capacity)
            self.counts = replace(
                self.counts,
                begun=self.counts.begun + round(done),
                # Waiting grows as in a queue with random arrivals.
                waited=self.counts.waited + done * 0.01 * done / max(1, self.capacity - done),
                samples=self.counts.samples + done,
                dropped=self.counts.dropped + asked - done,
                ticks=self.counts.ticks + 100,
            )
            self.now += 1.0
            self.factors.append(self.control.look(self.counts, self.now))
        return self.factors[-1]


def test_a_server_with_room_to_spare_samples_at_the_wanted_rate() -> None:
    assert Server(wanted=50, capacity=100).run(60) == 1.0


def test_an_overloaded_server_settles_near_what_it_manages() -> None:
    server = Server(wanted=200, capacity=100)
    server.run(30)
    server.run(120)
    settled = [factor * 200 for factor in server.factors[-60:]]
    assert 50 <= min(settled) <= max(settled) <= 105


def test_the_rate_falls_within_seconds_and_comes_back_slowly() -> None:
    server = Server(wanted=200, capacity=100)
    assert server.run(4) < 0.6
    server.wanted = 50
    low = server.run(1)
    assert server.run(int(CALM) - 2) == low
    risen = [server.run(1) for _ in range(30)]
    assert risen[-1] == 1.0
    assert max(later - earlier for earlier, later in pairwise(risen)) < 0.06


def test_the_rate_never_falls_below_its_floor() -> None:
    assert Server(wanted=10_000, capacity=10).run(60) == LOWEST


@pytest.mark.parametrize(("late", "slowed"), [(0, False), (3, True)])
def test_late_ticks_slow_sampling_though_workers_are_idle(late: int, slowed: bool) -> None:
    control = SamplingControl()
    control.look(LoadCounts(), 0.0)
    factor = control.look(LoadCounts(ticks=97, late=late), 1.0)
    assert (factor < 1.0) is slowed


def test_between_calm_and_overload_the_rate_stays() -> None:
    control, counts = SamplingControl(), LoadCounts()
    control.look(counts, 0.0)
    control.look(replace(counts, ticks=90, late=10), 1.0)
    fallen = control.factor
    for second in range(2, 60):
        # Seven in a thousand: above half of the limit, and below it.
        ticks, late = 90 + 993 * second, 10 + 7 * second
        control.look(replace(counts, ticks=ticks, late=late), float(second))
    assert control.factor == fallen


def test_the_first_look_has_nothing_to_compare_with() -> None:
    assert SamplingControl().look(LoadCounts(samples=1, dropped=1e6), 0.0) == 1.0


def test_waiting_without_rooms_slows_nothing() -> None:
    server = Server(wanted=100, capacity=20)
    server.counts = replace(server.counts, rooms=0)
    assert server.run(20) == 1.0


def test_a_first_room_begins_at_its_full_rate() -> None:
    server = Server(wanted=100, capacity=20)
    assert server.run(10) < 1.0
    server.counts = replace(server.counts, rooms=0)
    assert server.run(1) == 1.0
    server.wanted, server.counts = 10, replace(server.counts, rooms=1)
    assert server.run(3) == 1.0
