"""The simulation of a fleet: draws, admission, loss, and how lost rooms are found."""

import numpy as np
import pytest

from bench.scale import SizedCosts, make_day
from bench.scale_day import MeetingDay
from bench.scale_fleet import SETTLED, SimulatedFleet
from bench.scale_meetings import DrawnMeeting, draw_day, draw_meetings, most_at_once
from bench.scale_recovery import SweepShape, found_after, request_time
from sidecar.dispatch.abandoned import SILENCE
from sidecar.supervisor.admission import HOLD, CostTable

COSTS = CostTable(base=0.1, composite=0.3, participant=0.05, sample=0.02, viewer=0.0)


def fleet(nodes: int, cores: float = 4.0, declared: float = 1.0) -> SimulatedFleet:
    return SimulatedFleet(nodes, cores, COSTS, declared, np.random.default_rng(1))


def test_a_room_goes_to_no_node_that_is_full() -> None:
    both = fleet(2, cores=2.0)
    taken = [both.place(f"r{n}", 1.0, 0.0) for n in range(5)]
    assert sorted(taken[:4], key=str) == [0, 0, 1, 1]
    assert taken[4] is None
    assert (both.counts.placed, both.counts.nowhere) == (4, 1)


def test_a_node_that_refuses_is_asked_once_and_another_is_drawn() -> None:
    both = fleet(2, cores=1.5)
    both.place("a", 1.0, 0.0)
    both.place("b", 1.0, 0.0)
    offers = both.counts.offers
    # Both have half a core left, so that LiveKit takes neither for full.
    assert both.place("c", 1.0, 0.0) is None
    assert both.counts.offers == offers + 2


def test_nodes_are_drawn_by_the_load_that_they_have_left() -> None:
    both = fleet(2, cores=100.0, declared=60.0)
    busy = both.place("big", 60.0, 0.0)
    both.declared = 0.0
    drawn = [both.place(f"r{n}", 0.0, 0.0) for n in range(2000)]
    assert drawn.count(busy) / len(drawn) == pytest.approx(0.4 / 1.4, abs=0.04)


def test_the_declared_cost_counts_until_it_is_held_and_then_the_measured_one() -> None:
    one = fleet(1, cores=2.0, declared=1.5)
    assert one.place("a", 0.2, 0.0) == 0
    one.measure(HOLD - 1, int(HOLD) - 1)
    assert one.place("b", 0.2, HOLD - 1) is None
    one.measure(HOLD + 1, 2)
    assert one.place("b", 0.2, HOLD + 1) == 0


def test_rooms_of_lost_nodes_are_placed_on_the_others_alone() -> None:
    three = fleet(3, cores=10.0)
    for n in range(12):
        three.place(f"r{n}", 1.0, 0.0)
    lost = three.lose(np.array([1]), 1.0)
    assert lost
    assert {three.place(name, 1.0, 2.0) for name in lost} <= {0, 2}
    assert len(three.loads) == 2


def test_what_a_node_really_uses_follows_its_rooms() -> None:
    one = fleet(1, cores=4.0)
    one.place("a", 1.0, 0.0)
    one.change("a", 2.0)
    assert one.loads == pytest.approx([0.5])
    one.end("a", 9.0)
    one.end("a", 9.0)
    assert one.loads == pytest.approx([0.0])


def test_a_settled_room_is_measured_no_more() -> None:
    one = fleet(1)
    one.place("a", 0.5, 0.0)
    one.measure(SETTLED, SETTLED)
    assert one.rooms["a"].unsettled <= 0
    one.change("a", 0.6)
    assert one.rooms["a"].unsettled == SETTLED


def meeting(number: int, begins: float, ends: float, *joins: float) -> DrawnMeeting:
    return DrawnMeeting(f"m{number}", begins, ends, (begins, *joins))


def play(nodes: int, cores: float, *meetings: DrawnMeeting) -> MeetingDay:
    day = MeetingDay(fleet(nodes, cores), list(meetings), lambda cameras: 0.5 * cameras, 0.8)
    day.run(until=1800)
    return day


def test_a_meeting_that_finds_no_node_is_tried_again_and_counted_as_late() -> None:
    day = play(1, 1.0, meeting(0, 10, 100), meeting(1, 50, 600))
    assert day.result.late == [60.0]
    assert day.result.never == 0


def test_a_meeting_that_is_over_before_a_node_is_free_is_counted_as_never_placed() -> None:
    day = play(1, 1.0, meeting(0, 10, 900), meeting(1, 50, 200))
    assert (day.result.late, day.result.never) == ([], 1)


def test_a_room_costs_more_as_participants_come() -> None:
    day = play(1, 10.0, meeting(0, 10, 1700, 70, 190))
    rooms = [(look.rooms, round(look.median, 3)) for look in day.result.looks[:4]]
    assert rooms == [(1, 0.05), (1, 0.1), (1, 0.1), (1, 0.15)]


def test_nodes_beyond_all_their_cores_are_seen() -> None:
    # Admitted at one core each, they take two.
    crowd = [meeting(n, 10, 1700, 20, 20, 20) for n in range(4)]
    day = play(1, 4.0, *crowd)
    assert day.result.looks[5].over_machine == 1.0
    assert day.result.looks[5].over_rooms == 1.0


def test_a_day_has_as_many_meetings_at_once_as_wanted() -> None:
    most, when = most_at_once(draw_day(300, seed=3))
    assert 270 <= most <= 330
    assert 9 <= when / 3600 <= 16


def test_meetings_are_the_same_for_a_seed_and_begin_at_half_hours() -> None:
    meetings = draw_meetings(2000, seed=5)
    assert meetings == draw_meetings(2000, seed=5)
    off = [abs((one.begins + 900) % 1800 - 900) for one in meetings]
    assert sum(seconds < 180 for seconds in off) / len(off) > 0.55
    assert all(one.ends > one.begins and one.joins[0] == one.begins for one in meetings)


def test_a_fleet_that_is_sized_for_its_rooms_takes_them_all() -> None:
    sized, meetings = SizedCosts.shipped(), draw_day(60, seed=2)
    day = make_day(sized, meetings, sized.nodes(meetings, 0.7))
    result = day.run(until=11 * 3600)
    assert result.never == 0
    assert max(look.p95 for look in result.looks) < 1.25


def test_lost_rooms_are_found_after_the_silence_and_two_looks() -> None:
    shape = SweepShape(workers=3, rooms=40, request=0.002)
    found = found_after(shape, 4, np.random.default_rng(1))
    assert len(found) == 4
    assert found[0] >= SILENCE - 1
    assert found[-1] <= SILENCE + 3 * shape.period


def test_many_rooms_of_one_server_are_found_nearly_as_soon_as_few() -> None:
    few, many = SweepShape(3, 30, 0.002), SweepShape(250, 5_000, 0.002)
    assert few.asked == few.rooms
    assert many.asked < many.rooms
    chance = np.random.default_rng(1)
    assert found_after(many, 50, chance)[-1] < 2 * found_after(few, 3, chance)[-1]


def test_rooms_of_a_server_that_is_too_slow_are_found_late() -> None:
    quick, slow = (SweepShape(20, 2_000, request) for request in (0.002, 0.1))
    chance = np.random.default_rng(1)
    assert found_after(slow, 10, chance)[-1] > 2 * found_after(quick, 10, chance)[-1]


def test_a_request_takes_longer_the_more_workers_ask() -> None:
    shape = SweepShape(1000, 10_000, request_time(1000, at_most=20_000))
    assert shape.requests == pytest.approx(20_000, rel=0.05)
