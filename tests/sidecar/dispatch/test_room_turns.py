"""Which rooms a look asks for, of few and of many."""

import random

from sidecar.dispatch.room_turns import FEWEST, FIRST, PER_JOB, SMALL, RoomTurns


def turns(size: int) -> RoomTurns:
    made = RoomTurns(0.25, random.Random(1))
    made.size = size
    return made


def names(count: int) -> list[str]:
    return [f"r{number}" for number in range(count)]


def test_few_rooms_are_all_asked_for_in_each_look() -> None:
    made = turns(FIRST)
    for _ in range(3):
        assert sorted(made.take(names(FIRST), ["r1"], FIRST)) == sorted(names(FIRST))


def test_each_of_many_rooms_has_its_turn_once_before_any_has_it_twice() -> None:
    made = turns(10)
    taken = [name for _ in range(10) for name in made.take(names(100), (), 9)]
    assert sorted(taken) == sorted(names(100))


def test_two_workers_ask_in_different_orders() -> None:
    first, second = RoomTurns(0.25), RoomTurns(0.25)
    assert first.take(names(5000), (), 9) != second.take(names(5000), (), 9)


def test_new_rooms_are_first_and_closed_ones_are_left_out() -> None:
    made = turns(10)
    made.take(names(100), (), 9)
    rooms = [*names(100)[50:], "new"]
    assert "new" in (taken := made.take(rooms, (), 9))
    assert set(taken) <= set(rooms)


def test_what_is_followed_has_half_a_look_and_leaves_the_rest_to_others() -> None:
    made = turns(10)
    rooms = names(100)
    made.take(rooms, (), 9)
    assert {"r1", "r2"} <= set(made.take(rooms, ["r1", "r2", "closed"], 9))
    taken = [made.take(rooms, rooms[:50], 9) for _ in range(40)]
    assert all(len(set(each)) == 10 for each in taken)
    assert {name for each in taken for name in each} == set(rooms)


def test_a_look_has_as_many_rooms_as_the_server_answers_in_the_budget() -> None:
    made = turns(100)
    made.took(100, 0.5)
    assert made.size == 50
    made.took(50, 0.01)
    assert made.size == 100, "no more than twice as many at once"
    made.took(100, 60.0)
    assert made.size == FEWEST
    made.took(0, 1.0)
    assert made.size == FEWEST


def test_a_worker_with_few_rooms_asks_for_few() -> None:
    made = turns(FIRST)
    assert len(made.take(names(1000), (), 0)) == SMALL
    assert len(made.take(names(1000), (), 20)) == 20 * PER_JOB
    assert len(made.take(names(1000), (), 200)) == FIRST


def test_a_worker_follows_all_rooms_of_a_dead_server_and_looks_at_others_beside() -> None:
    made, rooms = turns(FIRST), names(1000)
    made.take(rooms, (), 0)
    for _ in range(5):
        taken = set(made.take(rooms, rooms[:60], 0))
        assert set(rooms[:60]) <= taken
        assert len(taken) == 60 + SMALL // 2
