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

    room: str
    beat: str | None
    since: float
    """When it was first seen so."""
    jobs: int
    looked: float
    """When it was last looked at."""
    gone: bool
    """Its watcher is not there."""
    lives: bool = False
    """Two looks, one soon after the other, saw different signs of life."""


class AbandonedWatch:
    """Watches the dispatches of one agent name over several looks."""

    def __init__(self, silence: float = SILENCE, starting: float = STARTING) -> None:
        self._silence = silence
        self._starting = starting
        self._seen: dict[str, _Seen] = {}

    @property
    def open(self) -> Collection[str]:
        """Rooms with a dispatch of which it is not known yet whether a server works on it."""
        return {seen.room for seen in self._seen.values() if not seen.lives}

    def look(
        self,
        listed: Collection[ListedDispatch],
        now: float,
        server_now: float,
        unasked: Collection[str] = (),
    ) -> list[RoomDispatch]:
        """Those of ``listed`` that no server works on.

        ``listed`` are all dispatches but our own, without those in rooms that were ``unasked``, or
        gave no answer: what was seen there before stays. ``now`` is on any monotonic clock,
        ``server_now`` in seconds since 1970 on the server's.
        """
        before = self._seen
        self._seen = {name: seen for name, seen in before.items() if seen.room in unasked}
        for one in listed:
            name = one.dispatch.dispatch
            self._seen[name] = _newest(before.get(name), one, now, self._silence)
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


def _newest(before: _Seen | None, one: ListedDispatch, now: float, silence: float) -> _Seen:
    """What is seen now. A watcher that is gone is no new sign of life.

    After a look long ago, a sign of life may have come at any time since, and its watcher may be
    gone for a moment, to join again: the next looks tell.
    """
    gone, jobs = one.beat is None, one.dispatch.jobs
    if before is None or before.jobs != jobs:
        return _Seen(one.dispatch.room, one.beat, now, jobs, looked=now, gone=gone)
    soon = now - before.looked <= silence
    if gone:
        since = before.since if soon or before.gone else now
        return replace(before, since=since, looked=now, gone=True, lives=False)
    if one.beat == before.beat:
        return replace(before, looked=now, gone=False, lives=False)
    return replace(before, beat=one.beat, since=now, looked=now, gone=False, lives=soon)
