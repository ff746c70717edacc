import pytest

from config.errors import CapacityError
from sidecar.supervisor.event_log import BEHIND, KEPT, EventId, EventLog


async def numbers(log: EventLog, after: int) -> list[int]:
    with log.read(after=EventId(log.run, after)) as reader:
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


async def test_an_id_of_an_earlier_server_gives_all_that_happened_since_and_says_so() -> None:
    log = EventLog()
    log.append("a", {"event": "x"})
    with log.read(after=EventId(EventLog().run, 1)) as reader:
        log.close()
        assert [record.number async for record in reader] == [1]
        assert reader.restarted


async def test_what_is_not_kept_any_more_is_counted() -> None:
    log = EventLog()
    for _ in range(KEPT + 5):
        log.append("a", {"event": "x"})
    with log.read(after=EventId(log.run, KEPT - 100)) as reader:
        assert (await anext(reader)).number == KEPT - 99
        assert (reader.lost, reader.restarted) == (0, False)
    with log.read(after=EventId(log.run, 2)) as reader:
        assert (await anext(reader)).number == KEPT + 5 - BEHIND + 1
        assert reader.lost == KEPT + 5 - BEHIND - 2


@pytest.mark.parametrize("text", ["", "3", "-3", "0123abcd-", "0123abcd-x", "0123ABCD-3", "x" * 99])
def test_what_no_server_sent_is_no_id(text: str) -> None:
    assert EventId.parse(text) is None


def test_an_id_is_read_as_it_was_written() -> None:
    given = EventId(EventLog().run, 42)
    assert EventId.parse(str(given)) == given
