"""Which dispatches no server works on: pure, times are arguments.

A LiveKit server of one's own never dispatches a job again whose worker died, and lists it as
running for ever; a dispatch that found no worker keeps no job. That a job's room lives is seen by
its watcher, whose attribute changes once a second: the server itself notices a killed participant
after 15 s (``iceFailedTimeoutTotal`` of its ``pkg/rtc/transport.go``) only.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from sidecar.dispatch.dispatch_api import RoomDispatch, SignOfLife

SILENCE: Final = 5.0
"""Seconds without a sign of life after which a room that had one is abandoned; also those for which
a dispatch may be without a job."""
STARTING: Final = 30.0
"""Seconds that a job may take to its first sign of life: a process starts, and joins."""


@dataclass(frozen=True, slots=True)
class ListedDispatch:
    """A dispatch, and what its room's watcher shows."""

    dispatch: RoomDispatch
    sign: SignOfLife | None
    """The newest sign of life of the room's watcher; None where there is none."""

    @property
    def beat(self) -> str | None:
        """That of this job's watcher: one that joined before is what a killed server left."""
        if self.sign is None or self.sign.joined < self.dispatch.started:
            return None
        return self.sign.beat


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was last seen of a dispatch."""

    beat: str | None
    since: float
    """When it was first seen so."""
    jobs: int


class AbandonedWatch:
    """Watches the dispatches of one agent name over several looks."""

    def __init__(self, silence: float = SILENCE, starting: float = STARTING) -> None:
        self._silence = silence
        self._starting = starting
        self._seen: dict[str, _Seen] = {}

    def look(
        self, listed: Collection[ListedDispatch], now: float, server_now: float
    ) -> list[RoomDispatch]:
        """Those of ``listed`` that no server works on.

        ``listed`` are all dispatches but our own. ``now`` is on any monotonic clock, ``server_now``
        in seconds since 1970 on the server's.
        """
        before = self._seen
        self._seen = {
            one.dispatch.dispatch: _newest(before.get(one.dispatch.dispatch), one, now)
            for one in listed
        }
        return [one.dispatch for one in listed if self._is_abandoned(one, now, server_now)]

    def _is_abandoned(self, one: ListedDispatch, now: float, server_now: float) -> bool:
        dispatch = one.dispatch
        seen = self._seen[dispatch.dispatch]
        if now - seen.since < self._silence:
            return False
        if not dispatch.jobs:
            return True
        if not dispatch.restarts:
            return False
        return seen.beat is not None or server_now - dispatch.started >= self._starting


def _newest(before: _Seen | None, one: ListedDispatch, now: float) -> _Seen:
    """What is seen now. A watcher that is gone is no new sign of life."""
    if before is None or before.jobs != one.dispatch.jobs:
        return _Seen(one.beat, now, one.dispatch.jobs)
    if one.beat is None or one.beat == before.beat:
        return before
    return replace(before, beat=one.beat, since=now)
