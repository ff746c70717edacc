"""One room across the lives of its process: its state, its restarts, and what it last reported."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from config.errors import HttpRefusalError, RefusedError, RoomError, SidecarError
from sidecar.aio import Broadcast
from sidecar.supervisor.control import (
    Begin,
    ChoicesReport,
    EventReport,
    Operation,
    StateReport,
    StatsReport,
)
from sidecar.supervisor.event_log import EventLog
from sidecar.supervisor.handle import Report, RoomHandle, Usage
from sidecar.supervisor.participant_choices import ParticipantChoices
from sidecar.supervisor.recent_reactions import RecentReactions
from sidecar.supervisor.restarts import RestartLimit
from sidecar.supervisor.totals import Totals
from sidecar.supervisor.values import RoomRequest, RoomState, RoomStats, RoomView

log = structlog.get_logger(__name__)

HandleFactory = Callable[[], RoomHandle]
"""A handle for one life, not started yet."""

EMPTY: Final = "empty"
MEDIA: Final = "no media"


@dataclass(frozen=True, slots=True)
class RoomLimits:
    """When a room is left by itself; seconds."""

    empty: float = 60.0
    """Without participants."""
    media: float = 180.0
    """With participants and without a frame of any."""


class SupervisedRoom:
    """A wanted room: ``run`` joins it, restarts its process, and returns when it is over.

    ``begin`` makes the first message of each life, with the secrets of that moment; it raises
    ConfigError where they are gone, and the room is failed then.
    """

    def __init__(
        self,
        room: str,
        request: RoomRequest,
        shown_url: str,
        created: datetime,
        *,
        make: HandleFactory,
        begin: Callable[["SupervisedRoom"], Begin],
        events: EventLog,
        totals: Totals | None = None,
        restarts: RestartLimit | None = None,
        limits: RoomLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
        on_choices: Callable[[ParticipantChoices], None] = lambda _: None,
    ) -> None:
        self.id = room
        self.request = request
        self.stats = RoomStats()
        self.choices: ParticipantChoices = {}
        """Of participants, by the room's last report; the next life begins with them."""
        self.restarts = restarts or RestartLimit()
        self.state, self.reason = RoomState.JOINING, ""
        self._shown_url = shown_url
        self._created = created
        self._since = created
        self._make = make
        self._begin = begin
        self._events = events
        self._totals = totals or Totals()
        self._limits = limits or RoomLimits()
        self._clock = clock
        self._on_choices = on_choices
        self._handle: RoomHandle | None = None
        self._final = False
        self._ending = ""
        self._reactions = RecentReactions()
        self._quiet_since, self._quiet_kind = clock(), ""
        self._frames = 0
        self._updated = Broadcast()

    def view(self, load: float = 0.0) -> RoomView:
        """The room as the API shows it; ``load`` is its share of the cores for rooms."""
        handle, stats = self._handle, RoomStats() if self.state.over else self.stats
        return RoomView(
            id=self.id,
            url=self._shown_url,
            name=self.request.name,
            state=self.state,
            pid=None if handle is None else handle.pid,
            participants=stats.participants,
            viewers=stats.viewers,
            load=load,
            sensitivity=self.request.sensitivity,
            sample_age=stats.sample_age,
            median_sample_age=stats.median_sample_age,
            reactions=self._reactions.counts(self._clock()),
            restarts=self.restarts.total,
            reason=self.reason,
            created=self._created,
            since=self._since,
        )

    def usage(self) -> Usage | None:
        """What the process of this life has used."""
        return None if self._handle is None else self._handle.usage()

    async def call(self, operation: Operation) -> Any:
        """Carry out ``operation`` in the room.

        Raises RoomError while no process runs for it, RefusedError once it is over, and
        HttpRefusalError 504 where it does not answer.
        """
        if self.state.over:
            do = "make it again: POST /v1/rooms"
            raise RefusedError(f"the room is {self.state.value}", where=self.id, do=do)
        handle = self._handle
        if handle is None or handle.pid is None:
            what = f"the room is {self.state.value}"
            raise RoomError(what, where=self.id, do="try again when it is live")
        try:
            return await handle.call(operation)
        except TimeoutError:
            what = "the room's process does not answer"
            raise HttpRefusalError(what, status=504, where=self.id, do="try again") from None

    async def run(self) -> None:
        """Keep the room joined until it ends, fails finally, or is left."""
        try:
            while not self._ending:
                await self._live()
                if self._final or self._ending:
                    break
                why = self.reason or "the room's process ended"
                delay = self.restarts.next_delay(self._clock())
                if delay is None:
                    limit = f"{self.restarts.limit} restarts in {self.restarts.window:g} s"
                    self._enter(RoomState.FAILED, f"{limit}; last: {why}")
                    return
                self._enter(RoomState.REJOINING, why)
                await asyncio.sleep(delay)
        finally:
            if not self.state.over:
                self._enter(RoomState.ENDED, self._ending or self.reason)

    async def joined(self) -> None:
        """Wait until the room has been joined; raises RoomError where it is over instead."""
        await self._updated.wait_for(lambda: self.state is not RoomState.JOINING)
        if self.state.over:
            raise RoomError(self.reason or "the room is over", where=self._shown_url)

    async def over(self) -> None:
        """Wait until no process runs for the room any more."""
        await self._updated.wait_for(lambda: self.state.over)

    async def leave(self, reason: str) -> None:
        """Leave the meeting; ``run`` returns when that is done."""
        if self.state.over or self._ending:
            return
        self._ending = reason
        self._enter(RoomState.ENDING, reason)
        if self._handle is not None:
            await self._handle.aclose()

    async def restart(self, reason: str) -> None:
        """End the process of this life, so that the next one begins."""
        self.reason = reason
        if self._handle is not None:
            await self._handle.aclose()

    def idle(self, limits: RoomLimits | None = None) -> str | None:
        """Why the room should be left by now: it is empty, or no frame has come; None otherwise.

        ``limits`` are in place of the room's own.
        """
        limits = limits or self._limits
        if self.state not in {RoomState.LIVE, RoomState.PAUSED}:
            self._quiet_kind = ""
            return None
        frames, self._frames = self._frames, self.stats.frames_in
        kind = EMPTY if not self.stats.participants else MEDIA if frames == self._frames else ""
        now = self._clock()
        if kind != self._quiet_kind:
            self._quiet_kind, self._quiet_since = kind, now
        limit = limits.empty if kind == EMPTY else limits.media
        if kind and now - self._quiet_since >= limit:
            return f"{kind} for {limit:g} s"
        return None

    async def _live(self) -> None:
        """One life, from the start of a process to its end."""
        handle = self._make()
        self._handle = handle
        self.stats = RoomStats()
        try:
            if self.state is RoomState.JOINING:
                self._enter(RoomState.JOINING, "")
            await handle.start(self._begin(self))
            async for report in handle.reports():
                self._take(report)
        except SidecarError as error:
            # What the process can't be started with does not get better by itself.
            self._final = True
            self._enter(RoomState.FAILED, str(error))
        finally:
            with contextlib.suppress(SidecarError):
                await handle.aclose()
            self._handle = None

    def _take(self, report: Report) -> None:
        match report:
            case StateReport():
                self._final = report.final
                if report.restarted:
                    self.restarts.total += 1
                    self.stats = RoomStats()
                if not self._ending or report.state.over:
                    self._enter(report.state, self._ending or report.reason)
            case StatsReport():
                self._totals.add(self.stats, report.stats)
                self.stats = report.stats
            case ChoicesReport():
                self.choices = report.choices
                self._on_choices(report.choices)
            case EventReport():
                if report.event.get("event") == "reaction.started":
                    self._reactions.add(str(report.event["label"]), self._clock())
                self._events.append(self.id, report.event)

    def _enter(self, state: RoomState, reason: str) -> None:
        changed = state is not self.state or reason != self.reason
        self.state, self.reason = state, reason
        self._updated.notify()
        if changed:
            self._since = datetime.now(UTC)
            log.info("room state", room=self.id, state=state.value, reason=reason)
            self._events.append(
                self.id, {"event": "room.state", "state": state.value, "reason": reason}
            )
