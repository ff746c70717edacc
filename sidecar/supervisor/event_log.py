"""Events of all rooms, numbered, with a short history for ``Last-Event-ID``."""

import asyncio
import re
import secrets
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self, TypeAlias

from config.errors import CapacityError

KEPT: Final = 2048
"""Events that a reader may come back to."""
BEHIND: Final = 512
"""Events that a reader may be behind before it loses the oldest of them."""
LISTENERS: Final = 512
"""Event streams at once; further ones are refused."""


class EventId(NamedTuple):
    """What a reader names to go on after an event."""

    run: str
    """Of the server that numbered it: another run begins at 1 again."""
    number: int

    def __str__(self) -> str:
        return f"{self.run}-{self.number}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The id that ``text`` is; None for what none of our servers sent."""
        run, dash, number = text.rpartition("-")
        fits = dash and re.fullmatch(r"[0-9a-f]{8}", run) and re.fullmatch(r"[0-9]{1,15}", number)
        return cls(run, int(number)) if fits else None


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One event of one room; numbers grow by one over all rooms."""

    number: int
    room: str
    event: Mapping[str, Any]
    """``event`` (its kind), ``t``, ``participant`` and the rest, as in docs/http.md."""


RecordHandler: TypeAlias = Callable[[EventRecord], None]


class EventReader:
    """``async for`` over records; ``lost`` counts those that were overwritten unread."""

    def __init__(self, room: str | None, capacity: int = BEHIND) -> None:
        self._room = room
        self._waiting: deque[EventRecord] = deque(maxlen=capacity)
        self._wake = asyncio.Event()
        self._closed = False
        self.lost = 0
        self.restarted = False
        """What it missed of an earlier run is not known."""

    def put(self, record: EventRecord) -> None:
        """Deliver a record of the reader's room."""
        if self._room is not None and record.room != self._room:
            return
        if len(self._waiting) == self._waiting.maxlen:
            self.lost += 1
        self._waiting.append(record)
        self._wake.set()

    def close(self) -> None:
        """End the iteration after what waits."""
        self._closed = True
        self._wake.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> EventRecord:
        while not self._waiting:
            if self._closed:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        return self._waiting.popleft()


class EventLog:
    """The newest events, and the readers that follow them; appending never waits."""

    def __init__(self, *, listeners: int = LISTENERS) -> None:
        self._records: deque[EventRecord] = deque(maxlen=KEPT)
        self._readers: set[EventReader] = set()
        self._listeners = listeners
        self._number = 0
        self.run = secrets.token_hex(4)
        """Tells the numbers of this log from those of an earlier server."""
        self._handlers: list[RecordHandler] = []

    @property
    def readers(self) -> int:
        """How many read now."""
        return len(self._readers)

    def append(self, room: str, event: Mapping[str, Any]) -> EventRecord:
        """Number an event of ``room`` and hand it to all readers."""
        self._number += 1
        record = EventRecord(self._number, room, event)
        self._records.append(record)
        for reader in self._readers:
            reader.put(record)
        for handler in self._handlers:
            handler(record)
        return record

    def subscribe(self, handler: RecordHandler) -> None:
        """Call ``handler`` with each record from now on; it returns at once and raises nothing."""
        self._handlers.append(handler)

    @contextmanager
    def read(
        self, *, room: str | None = None, after: EventId | None = None
    ) -> Iterator[EventReader]:
        """A reader of the events of ``room`` (all rooms if None).

        It begins with what is kept after ``after``, all of this run if that is of an earlier one,
        and with what comes next if None. What is not kept any more counts as lost, of all rooms.
        Raises CapacityError where too many read already.
        """
        if len(self._readers) >= self._listeners:
            what = f"{self._listeners} event streams are open already"
            raise CapacityError(what, where="events", do="close one and try again")
        reader = EventReader(room)
        if after is not None:
            reader.restarted = after.run != self.run
            last = 0 if reader.restarted else after.number
            kept = [record for record in self._records if record.number > last]
            reader.lost = max(0, self._number - last - len(kept))
            for record in kept:
                reader.put(record)
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)

    def close(self) -> None:
        """End all readers."""
        for reader in self._readers:
            reader.close()
