"""Repeated log lines: the first is written, the others are counted."""

import copy
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TextIO

WINDOW: Final = 10.0
"""Seconds in which a line counts as repeated."""
SIMILAR: Final = 100
"""Lines of one event with different fields in one window; further ones are counted only."""
_KEPT: Final = 1000
"""Lines and events that are remembered; the oldest is dropped."""


@dataclass(slots=True)
class _Seen:
    since: float
    example: logging.LogRecord
    written: int = 1
    repeated: int = 0


@dataclass(slots=True)
class RepeatCounter:
    """Which lines to write. Pure: ``now`` is in seconds on the caller's clock."""

    window: float = WINDOW
    similar: int = SIMILAR
    _seen: OrderedDict[Hashable, _Seen] = field(default_factory=OrderedDict)

    @property
    def waiting(self) -> bool:
        """Whether lines were counted that no summary has named yet."""
        return any(seen.repeated for seen in self._seen.values())

    def admits(self, record: logging.LogRecord, now: float) -> bool:
        """Whether to write ``record``; else it is counted."""
        event, line = _event_key(record), _line_key(record)
        if self._repeats(line, record, 1, now) or self._repeats(event, record, self.similar, now):
            return False
        while len(self._seen) > _KEPT:
            self._seen.popitem(last=False)
        return True

    def summaries(self, now: float, *, all_of_them: bool = False) -> Iterator[logging.LogRecord]:
        """Records with the counts of lines whose window is over, or of all lines."""
        ended = [
            key
            for key, seen in self._seen.items()
            if all_of_them or now - seen.since >= self.window
        ]
        for key in ended:
            seen = self._seen.pop(key)
            if seen.repeated:
                yield _summary(seen.example, seen.repeated)

    def _repeats(self, key: Hashable, record: logging.LogRecord, most: int, now: float) -> bool:
        """Count ``record`` for ``key``; whether ``most`` were written in this window already."""
        seen = self._seen.get(key)
        if seen is None or now - seen.since >= self.window:
            self._seen[key] = _Seen(now, record)
            return False
        if seen.written < most:
            seen.written += 1
            return False
        seen.repeated += 1
        seen.example = record
        return True


class CountingHandler(logging.StreamHandler[Any]):
    """Writes to ``stream``, except that repeated lines of INFO and above are counted."""

    def __init__(
        self,
        stream: TextIO | Any,
        counter: RepeatCounter | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(stream)
        self._counter = counter or RepeatCounter()
        self._clock = clock
        self._timer: threading.Timer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        now = self._clock()
        self._write(self._counter.summaries(now))
        if record.levelno < logging.INFO or self._counter.admits(record, now):
            super().emit(record)
        elif self._timer is None:
            # No line may follow that would bring the summary along.
            self._timer = threading.Timer(self._counter.window, self.write_due)
            self._timer.daemon = True
            self._timer.start()

    def write_due(self) -> None:
        """Write the summaries whose time has come, and look again later if some wait."""
        with self._locked():
            self._timer = None
            self._write(self._counter.summaries(self._clock()))
            if self._counter.waiting:
                self._timer = threading.Timer(self._counter.window, self.write_due)
                self._timer.daemon = True
                self._timer.start()

    def write_all(self) -> None:
        """Write all summaries: the process ends."""
        with self._locked():
            if self._timer is not None:
                self._timer.cancel()
            if not self.stream.closed:
                self._write(self._counter.summaries(self._clock(), all_of_them=True))

    def _locked(self) -> threading.RLock:
        lock = self.lock
        assert lock is not None
        return lock

    def _write(self, records: Iterator[logging.LogRecord]) -> None:
        for record in records:
            super().emit(record)


def _fields(record: logging.LogRecord) -> dict[str, Any] | None:
    """The entry of a record of structlog; None for those of libraries."""
    entry: object = record.msg
    return entry if isinstance(entry, dict) else None


def _event_key(record: logging.LogRecord) -> Hashable:
    fields = _fields(record)
    event = record.msg if fields is None else fields.get("event")
    return record.name, record.levelno, str(event)


def _line_key(record: logging.LogRecord) -> Hashable:
    fields = _fields(record)
    if fields is None:
        return record.name, record.levelno, record.getMessage(), "line"
    text = repr(sorted((key, value) for key, value in fields.items() if key != "timestamp"))
    return record.name, record.levelno, hash(text), "line"


def _summary(example: logging.LogRecord, count: int) -> logging.LogRecord:
    """A record like ``example`` with the number of its repetitions."""
    summary = copy.copy(example)
    fields, times = _fields(example), f"{count} times"
    if fields is None:
        summary.msg, summary.args = f"{example.getMessage()} (repeated {times})", ()
    else:
        vars(summary)["msg"] = {
            key: value for key, value in fields.items() if key != "exc_info"
        } | {"repeated": times}
    summary.exc_info = summary.exc_text = None
    return summary
