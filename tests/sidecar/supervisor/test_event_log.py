import pytest

from config.errors import CapacityError
from sidecar.supervisor.event_log import BEHIND, EventLog


async def numbers(log: EventLog, after: int) -> list[int]:
    with log.read(after=after) as reader:
        reader.close()
        return [record.number async for record in reader]


async def test_a_reader_continues_after_the_number_that_it_names() -> None:
    log = EventLog()
    for _ in range(5):
        log.append("a", {"event": "x"})
    assert await numbers(log, after=3) == [4, 5]


async def test_a_new_reader_begins_with_what_comes_next() -> None:
    log = EventLog()
    log.append("a", {"event": "x"})
    with log.read() as reader:
        log.append("a", {"event": "y"})
        assert (await anext(reader)).event == {"event": "y"}


def test_a_subscriber_gets_every_record_of_all_rooms() -> None:
    log = EventLog()
    taken: list[tuple[str, int]] = []
    log.subscribe(lambda record: taken.append((record.room, record.number)))
    log.append("a", {"event": "x"})
    log.append("b", {"event": "x"})
    assert taken == [("a", 1), ("b", 2)]


async def test_a_reader_of_one_room_gets_no_others() -> None:
    log = EventLog()
    with log.read(room="b") as reader:
        log.append("a", {"event": "x"})
        log.append("b", {"event": "y"})
        assert (await anext(reader)).room == "b"


async def test_a_slow_reader_loses_the_oldest_and_knows_how_many() -> None:
    log = EventLog()
    with log.read() as reader:
        for _ in range(BEHIND + 3):
            log.append("a", {"event": "x"})
        assert (await anext(reader)).number == 4
        assert reader.lost == 3


async def test_too_many_readers_are_refused() -> None:
    log = EventLog(listeners=1)
    with log.read(), pytest.raises(CapacityError, match="1 event streams"), log.read():
        pass
    assert log.readers == 0


async def test_a_number_of_an_earlier_server_gives_only_new_events() -> None:
    log = EventLog()
    log.append("a", {"event": "x"})
    assert await numbers(log, after=1000) == []
