from sidecar.supervisor.totals import Totals
from sidecar.supervisor.values import RoomStats


def test_counts_of_a_life_are_added_once() -> None:
    totals = Totals()
    first = RoomStats(ticks=10, reactions={"wave": 1})
    second = RoomStats(ticks=25, reactions={"wave": 1, "thumbs_up": 2})
    totals.add(RoomStats(), first)
    totals.add(first, second)
    assert totals.numbers["ticks"] == 25
    assert totals.tables["reactions"] == {"wave": 1, "thumbs_up": 2}


def test_a_process_that_began_again_adds_to_what_was_counted() -> None:
    totals = Totals()
    totals.add(RoomStats(), RoomStats(ticks=10))
    totals.add(RoomStats(ticks=10), RoomStats(ticks=3))
    assert totals.numbers["ticks"] == 13
