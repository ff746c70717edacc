"""Repeated log lines are counted, on a clock that the test turns."""

import io
import logging

from sidecar.log_repeats import SIMILAR, CountingHandler, RepeatCounter


class Log:
    """A logger whose lines can be read, and the clock of its handler."""

    def __init__(self) -> None:
        self.now = 0.0
        self.stream = io.StringIO()
        self.handler = CountingHandler(self.stream, RepeatCounter(), lambda: self.now)
        self.logger = logging.Logger("test", logging.DEBUG)
        self.logger.addHandler(self.handler)

    @property
    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()


def test_the_first_line_is_written_at_once_and_the_others_are_counted() -> None:
    log = Log()
    for _ in range(5000):
        log.logger.warning("accept failed")
    assert log.lines == ["accept failed"]
    log.now = 10.0
    log.handler.write_due()
    assert log.lines == ["accept failed", "accept failed (repeated 4999 times)"]


def test_the_next_line_brings_the_count_along() -> None:
    log = Log()
    for _ in range(3):
        log.logger.warning("accept failed")
    log.now = 11.0
    log.logger.warning("something else")
    assert log.lines[1:] == ["accept failed (repeated 2 times)", "something else"]


def test_a_line_is_written_again_after_the_window() -> None:
    log = Log()
    log.logger.warning("slow")
    log.now = 10.0
    log.logger.warning("slow")
    assert log.lines == ["slow", "slow"]


def test_entries_with_other_fields_are_other_lines() -> None:
    log = Log()
    for participant in ("ada", "bo", "ada"):
        log.logger.warning({"event": "joined", "participant": participant, "timestamp": id(log)})
    assert len(log.lines) == 2
    log.handler.write_all()
    assert "'repeated': '1 times'" in log.lines[2]
    assert "'participant': 'ada'" in log.lines[2]


def test_an_event_whose_fields_change_each_time_is_counted_too() -> None:
    log = Log()
    for number in range(10 * SIMILAR):
        log.logger.warning({"event": "connection refused", "address": f"192.0.2.{number}"})
    assert len(log.lines) == SIMILAR
    log.handler.write_all()
    assert f"{9 * SIMILAR} times" in log.lines[-1]


def test_debug_lines_are_all_written() -> None:
    log = Log()
    for _ in range(3):
        log.logger.debug("detail")
    assert len(log.lines) == 3


def test_what_is_remembered_is_bounded() -> None:
    counter = RepeatCounter()
    for number in range(5000):
        record = logging.makeLogRecord({"msg": f"line {number}", "name": f"{number}"})
        assert counter.admits(record, 0.0)
    assert len(counter._seen) <= 1002
