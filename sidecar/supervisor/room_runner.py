"""One life of a room inside its process: join, report, answer calls.

It knows nothing of processes: a child process, the supervisor's own process and a Ray actor run it
alike.
"""

import asyncio
import base64
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median
from typing import Any, Final, assert_never

import structlog

from config.errors import ConfigError, NotFoundError, RefusedError, RoomError, SidecarError
from config.reaction_rule import ReactionRule
from config.settings import CompositeSettings, Settings
from sidecar.addresses import AddressRule
from sidecar.aio import run_until_first
from sidecar.inference.detector import Detector
from sidecar.rooms.base import Adapter, Consent, JoinOptions
from sidecar.rooms.reconnect import ReconnectingRoom
from sidecar.rooms.registry import find_adapter
from sidecar.session.events import SessionEvent, as_json
from sidecar.session.factories import default_consent, join_options, make_stickers, sticker_files
from sidecar.session.preview import preview
from sidecar.session.session import Session
from sidecar.session.snapshots import snapshots
from sidecar.session.stats import DurationHistogram
from sidecar.sinks.base import SinkOptions
from sidecar.sinks.data_message import DataMessageSink
from sidecar.sinks.registry import open_event_sink, open_video_sinks
from sidecar.sinks.sink_set import SinkSet
from sidecar.supervisor.control import (
    Begin,
    ChangeParticipant,
    ChangeRoom,
    ChangeSampling,
    ChangeTable,
    ChoicesReport,
    EventReport,
    LeaveRoom,
    ListParticipants,
    ListScores,
    Operation,
    SessionOperation,
    StateReport,
    StatsReport,
    TakeChoices,
    TakePreview,
    TakeSnapshots,
    TriggerReaction,
)
from sidecar.supervisor.handle import Report
from sidecar.supervisor.participant_choices import plain_choices, session_choices
from sidecar.supervisor.room_urls import public_rule
from sidecar.supervisor.scored_labels import with_labels
from sidecar.supervisor.values import (
    ParticipantPatch,
    ParticipantView,
    RoomLayout,
    RoomPatch,
    RoomState,
    RoomStats,
)

log = structlog.get_logger(__name__)

REPORT_EVERY: Final = 1.0
"""Seconds between two reports of the numbers, and two looks at whether the meeting was lost."""


class RoomRunner:
    """Runs the room of ``begin`` with ``detector``; ``report`` gets what happens, at once.

    ``find`` finds the adapter of the meeting's URL; ``environ`` has the secrets of the sinks that
    the settings name.
    """

    def __init__(
        self,
        begin: Begin,
        detector: Detector,
        report: Callable[[Report], None],
        *,
        find: Callable[[str], Awaitable[Adapter]] = find_adapter,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._find = find
        self._environ = environ or {}
        self._begin = begin
        self._detector = detector
        self._report = report
        self._settings = room_settings(begin)
        self._given = read_table(begin.table)
        """The reaction table without what the room's own ``labels`` turn on."""
        self._labels = begin.request.labels
        self._table = room_table(begin)
        self._stickers = make_stickers(self._table, self._settings)
        self._reactions: Counter[str] = Counter()
        self._room: ReconnectingRoom | None = None
        self._system = ""
        self._sinks = SinkSet()
        self._leaving = asyncio.Event()
        self._state = RoomState.JOINING
        self._choices = begin.choices
        self.session: Session | None = None
        """The session, from the moment that the room is entered."""

    @property
    def table(self) -> Mapping[str, ReactionRule]:
        """The room's reaction table at this moment."""
        return self._table

    @property
    def sticker_folders(self) -> Sequence[Path]:
        """Where its stickers are looked for, besides our own."""
        return self._settings.stickers.folders

    async def run(self) -> None:
        """Take part until the meeting ends or ``leave``; every end is reported."""
        try:
            await self._take_part()
        except RefusedError as error:
            self._end(RoomState.FAILED, str(error), final=True)
        except RoomError as error:
            # A meeting that can't be reached now may be reachable for the next process.
            self._end(RoomState.REJOINING, str(error), final=False)
        except SidecarError as error:
            self._end(RoomState.FAILED, str(error), final=True)
        else:
            reason = "left" if self._leaving.is_set() else "the meeting is over"
            self._end(RoomState.ENDED, reason, final=True)

    def leave(self) -> None:
        """Leave the meeting; ``run`` returns once that is done."""
        self._leaving.set()

    async def call(self, operation: Operation) -> Any:
        """Carry out ``operation``; the result is plain. Raises SidecarError."""
        if isinstance(operation, LeaveRoom):
            self.leave()
            return None
        session = self.session
        if isinstance(operation, ChangeTable):
            return self._change_table(session, operation.table)
        if session is None:
            raise RoomError("the room is joining", where=self._begin.room, do="try again soon")
        return await self._call(session, operation)

    async def _call(self, session: Session, operation: SessionOperation) -> Any:
        match operation:
            case ChangeRoom():
                self._change(session, operation.patch)
                return self._report_changes(session)
            case ChangeSampling():
                session.sampler.factor = operation.factor
                return None
            case ListParticipants():
                return [one.model_dump() for one in views(session)]
            case ChangeParticipant():
                changed = self._change_participant(session, operation.participant, operation.patch)
                self._report_changes(session)
                return changed
            case TakeChoices():
                session.take_choices(session_choices(operation.choices))
                return self._report_changes(session)
            case TriggerReaction():
                return session.trigger(operation.reaction.participant, operation.reaction.label)
            case ListScores():
                return {
                    participant: {score.label: round(score.score, 3) for score in scores}
                    for participant, scores in session.scores().items()
                }
            case TakeSnapshots():
                return [asdict(one) for one in await snapshots(session, time.monotonic())]
            case TakePreview():
                picture = await preview(session, self._stickers, time.monotonic())
                return base64.b64encode(picture).decode()
            case _:
                assert_never(operation)

    async def _take_part(self) -> None:
        begin = self._begin
        adapter = await self._find(begin.request.url)
        self._system = adapter.system
        options = join_options(self._settings, begin.secrets)
        room = ReconnectingRoom(lambda: adapter.room(begin.request.url, options))
        sinks = self._open_sinks(room, options)
        session = Session(
            room,
            self._detector,
            self._stickers,
            self._table,
            self._settings,
            outputs=sinks.outputs,
            listeners=sinks.listeners,
            consent=default_consent(self._settings),
        )
        session.sampler.labels = self._labels
        session.sampler.paused = begin.request.paused
        session.take_choices(session_choices(begin.choices))
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(sinks)
            stack.enter_context(sinks.attached(session.events))
            stack.enter_context(session.events.subscribe(self._on_event))
            await stack.enter_async_context(session)
            self.session, self._room, self._sinks = session, room, sinks
            self._report_changes(session)
            await self._attend(session)

    async def _attend(self, session: Session) -> None:
        """Report until the meeting is over or is to be left; raises what ended it."""

        async def left() -> None:
            await self._leaving.wait()

        await run_until_first(session.ended(), left(), self._report_often(session))

    async def _report_often(self, session: Session) -> None:
        while True:
            self._report(StatsReport(stats=self.stats()))
            await asyncio.sleep(REPORT_EVERY)
            self._report_changes(session)

    def _report_changes(self, session: Session) -> None:
        """Report state and choices where they are others than were reported last."""
        lost = "" if self._room is None else self._room.lost
        state = RoomState.REJOINING if lost else _attending(session)
        if state is not self._state:
            self._state = state
            self._report(StateReport(state=state, reason=lost))
        if (choices := plain_choices(session.choices)) != self._choices:
            self._choices = choices
            self._report(ChoicesReport(choices=choices))

    def stats(self) -> RoomStats:
        """The numbers of this moment."""
        session, room = self.session, self._room
        if session is None or room is None:
            return RoomStats()
        numbers = session.stats()
        people = numbers.participants
        ages = [one.sample_age for one in people if one.sample_age is not None]
        sinks = self._sinks.stats()
        return RoomStats(
            participants=len(people),
            viewers=numbers.viewers,
            sample_age=max(ages, default=None),
            median_sample_age=median(ages) if ages else None,
            frames_in=sum(one.frames_in for one in people),
            frames_late=sum(one.frames_late for one in people),
            ticks=numbers.frames_out,
            late_ticks=numbers.late_ticks,
            samples=sum(session.sampler.detections.counts),
            bursts=session.sampler.bursts.bursts,
            encoded_bytes=session.encoded_bytes,
            rejoins={f"{kind} {self._system}": count for kind, count in room.rejoins.items()},
            dropped=dict(session.sampler.dropped),
            reactions=dict(self._reactions),
            sink_drops={sink.name: sink.dropped for sink in sinks},
            deliveries={sink.name: sink.delivered for sink in sinks},
            detections={
                str(bound): count
                for bound, count in zip(
                    DurationHistogram.BOUNDS, session.sampler.detections.counts, strict=True
                )
            },
            detection_seconds=session.sampler.detections.total,
        )

    def _open_sinks(self, room: ReconnectingRoom, options: JoinOptions) -> SinkSet:
        given = SinkOptions(
            room=room,
            environ=self._begin.secrets,
            fps=self._settings.composite.fps,
            ice_servers=options.ice_servers,
            relay_only=options.relay_only,
            rule=public_rule(self._settings.serve),
            files=False,
            stickers=sticker_files(self._table, self._settings),
        )
        request, settings = self._begin.request, self._settings
        videos = open_video_sinks(request.publish, given, where="publish")
        events = [open_event_sink(url, given, where="sinks") for url in request.sinks]
        ours = replace(given, environ=self._environ, rule=AddressRule.ANY, files=True)
        events += [open_event_sink(url, ours, where="rooms.sinks") for url in settings.rooms.sinks]
        return SinkSet(videos, [DataMessageSink(room), *events])

    def _on_event(self, event: SessionEvent) -> None:
        if event.kind == "reaction.started":
            self._reactions[str(as_json(event)["label"])] += 1
        self._report(EventReport(event=dict(as_json(event))))

    def _change(self, session: Session, patch: RoomPatch) -> None:
        if patch.rate is not None:
            session.sampler.rate = patch.rate
        if patch.labels is not None:
            self._change_labels(session, patch.labels)
        if patch.layout is not None:
            session.change_composite(changed_composite(session.composite, patch.layout))
        if patch.paused is not None:
            session.sampler.paused = patch.paused
        if patch.sensitivity is not None:
            session.choose_default_sensitivity(patch.sensitivity)
        if patch.consent is not None:
            session.choose_default(Consent.OPT_OUT if patch.consent == "opt-in" else Consent.OPT_IN)

    def _change_labels(self, session: Session, labels: Sequence[str]) -> None:
        unknown = [label for label in labels if label not in self._given]
        if unknown:
            what = f"the label {unknown[0]!r} is not known"
            raise ConfigError(what, where="labels", do="sidecar config --table lists all")
        self._labels = tuple(labels)
        table = with_labels(self._given, self._labels)
        if table != self._table:
            self._table = table
            session.change_table(table)
        session.sampler.labels = self._labels

    def _change_table(self, session: Session | None, table: Mapping[str, Any]) -> None:
        """Also for a room that is joining: its session begins with the new table."""
        self._given = read_table(table)
        self._table = with_labels(self._given, self._labels)
        self._stickers.refresh()
        if session is not None:
            session.change_table(self._table)

    def _change_participant(
        self, session: Session, participant: str, patch: ParticipantPatch
    ) -> Mapping[str, Any]:
        if participant not in session.scores():
            raise NotFoundError("there is no such participant", where=self._begin.room)
        if patch.opted_out is not None:
            session.choose(participant, Consent.OPT_OUT if patch.opted_out else Consent.OPT_IN)
        if patch.sensitivity is not None:
            session.choose_sensitivity(participant, patch.sensitivity)
        if patch.pinned is not None:
            session.pin(participant if patch.pinned else None)
        return next(one for one in views(session) if one.id == participant).model_dump()

    def _end(self, state: RoomState, reason: str, *, final: bool) -> None:
        self._report(StatsReport(stats=self.stats()))
        self._report(StateReport(state=state, reason=reason, final=final))


def room_table(begin: Begin) -> dict[str, ReactionRule]:
    """The room's reaction table, with the labels of its request on."""
    return with_labels(read_table(begin.table), begin.request.labels)


def read_table(table: Mapping[str, Any]) -> dict[str, ReactionRule]:
    """A reaction table that came as plain values."""
    return {label: ReactionRule.model_validate(rule) for label, rule in table.items()}


def room_settings(begin: Begin) -> Settings:
    """The server's settings with what the room's request says on top."""
    request = begin.request
    layout = {} if request.layout is None else request.layout.model_dump(exclude_none=True)
    rooms: dict[str, Any] = {"name": request.name, "consent": request.consent}
    values = dict(begin.settings)
    values["composite"] = {**values.get("composite", {}), **layout}
    values["rooms"] = {
        **values.get("rooms", {}),
        **{key: value for key, value in rooms.items() if value is not None},
    }
    if request.sensitivity is not None:
        values["policy"] = {**values.get("policy", {}), "sensitivity": request.sensitivity}
    if request.rate is not None:
        values["sampling"] = {**values.get("sampling", {}), "rate": request.rate}
    return Settings.model_validate(values)


def _attending(session: Session) -> RoomState:
    """The state of a room that is joined."""
    return RoomState.PAUSED if session.sampler.paused else RoomState.LIVE


def changed_composite(composite: CompositeSettings, layout: RoomLayout) -> CompositeSettings:
    """``composite`` with what ``layout`` gives."""
    changes = layout.model_dump(exclude_none=True)
    return CompositeSettings.model_validate(composite.model_dump() | changes)


def views(session: Session) -> list[ParticipantView]:
    """All participants as the API shows them."""
    return [
        ParticipantView(
            id=one.participant,
            name=one.name,
            opted_out=one.opted_out,
            sensitivity=session.sensitivity(one.participant),
            pinned=one.participant == session.pinned,
            stale=one.stale,
            width=one.width,
            height=one.height,
            frames=one.frames_in,
            samples=one.samples,
            sample_age=one.sample_age,
        )
        for one in session.stats().participants
    ]
