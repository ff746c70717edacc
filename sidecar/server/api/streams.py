"""The tracking memory of clients that send one frame after another. Pure: clocks are passed in."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from reactions.pipeline import Memory

MAX_STREAMS: Final = 1024
"""That are kept; the one that was used longest ago is dropped."""
EXPIRY: Final = 10.0
"""Seconds without a frame after which a stream begins from nothing."""


@dataclass(slots=True)
class _Stream:
    memory: Memory | None
    used: float


class StreamMemories:
    """Memory by stream; a stream is a client's name with the name that the client gives it."""

    def __init__(self, limit: int = MAX_STREAMS, expiry: float = EXPIRY) -> None:
        self._limit = limit
        self._expiry = expiry
        self._streams: OrderedDict[tuple[str, str], _Stream] = OrderedDict()

    def __len__(self) -> int:
        return len(self._streams)

    def get(self, stream: tuple[str, str], now: float) -> Memory | None:
        """The memory of ``stream`` at ``now``, in seconds; None where there is none any more."""
        self._expire(now)
        found = self._streams.get(stream)
        return None if found is None else found.memory

    def put(self, stream: tuple[str, str], memory: Memory, now: float) -> None:
        """Keep the memory of the newest frame of ``stream``."""
        self._streams[stream] = _Stream(memory, now)
        self._streams.move_to_end(stream)
        while len(self._streams) > self._limit:
            self._streams.popitem(last=False)

    def _expire(self, now: float) -> None:
        while self._streams:
            stream, oldest = next(iter(self._streams.items()))
            if now - oldest.used < self._expiry:
                return
            del self._streams[stream]
