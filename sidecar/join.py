"""Take part in a meeting: the core of ``sidecar join``."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

import structlog

from config.reaction_rule import Kind, ReactionRule
from config.settings import Engine, Settings
from reactions.bundle import SHIPPED_BUNDLE, ModelBundle
from sidecar.aio import TaskSet
from sidecar.captured import Captured
from sidecar.inference.detector import Detector
from sidecar.rooms.base import JoinOptions
from sidecar.rooms.reconnect import ReconnectingRoom
from sidecar.rooms.registry import find_adapter
from sidecar.server.preview_page import PreviewPage
from sidecar.session.factories import (
    default_consent,
    join_options,
    make_detector,
    make_stickers,
    make_store,
    sticker_files,
)
from sidecar.session.session import Session
from sidecar.session.stats import Status, StatusReader
from sidecar.sinks.base import EventSink, SinkOptions
from sidecar.sinks.data_message import DataMessageSink
from sidecar.sinks.jsonl import JsonlSink
from sidecar.sinks.registry import open_event_sink, open_video_sinks
from sidecar.sinks.sink_set import SinkSet

log = structlog.get_logger(__name__)

STATUS_EVERY = 1.0
"""Seconds between two readings of the status."""


def _write_note(line: str) -> None:
    """Standard output may have JSON lines."""
    print(line, file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class JoinPlan:
    """What to join, and what to do there."""

    url: str = field(repr=False)
    publish: tuple[str, ...] = ("room",)
    """``room``, ``none``, ``whip+https://…`` and names of video files; several may be given."""
    events: Path | None = None
    """Where every event goes, one JSON object a line."""
    sinks: tuple[str, ...] = field(default=(), repr=False)
    """URLs of further event sinks."""
    seconds: float | None = None
    """When to leave; None stays until the meeting ends."""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Where adapters and sinks find keys, tokens and passwords."""
    preview: bool = False
    """Show the composite on a page of this machine, mirrored."""
    say: Callable[[str], None] = _write_note
    """Shows one line to the user: the address of the preview."""
    bundle: ModelBundle = SHIPPED_BUNDLE
    """The models."""


class StatusView(Protocol):
    """Shows the status of a session, as long as that takes: it runs in a task of its own."""

    async def show(self, status: Status) -> None:
        """Show ``status``; what it raises is logged."""
        ...


async def join(
    plan: JoinPlan,
    settings: Settings,
    table: Mapping[str, ReactionRule],
    *,
    view: StatusView | None = None,
    event_sinks: Sequence[EventSink] = (),
) -> None:
    """Take part until the meeting ends, ``plan.seconds`` are over, or the task is cancelled.

    Events go to the sinks of ``plan`` and to ``event_sinks``. Raises ConfigError for what is wrong
    with ``plan``, RoomError where the meeting can't be joined or removes the sidecar.
    """
    adapter = await find_adapter(plan.url)
    options = join_options(settings, plan.environ)
    room = ReconnectingRoom(lambda: adapter.room(plan.url, options))
    preview = PreviewPage() if plan.preview else None
    sinks = _open_sinks(plan, room, options, settings, table, event_sinks, preview)
    shown = {label for label, rule in table.items() if rule.kind is Kind.STICKER}
    reader = StatusReader(adapter.system, shown)
    async with AsyncExitStack() as stack:
        given = make_store(settings), table, settings
        made = make_detector(*given, engine=Engine.PROCESSES, bundle=plan.bundle)
        detector = await stack.enter_async_context(made)
        await stack.enter_async_context(sinks)
        if preview is not None:
            plan.say(f"The preview is at {preview.url}")
        session = _make_session(room, detector, sinks, table, settings)
        # Attached beyond the session's end, so that the last events are delivered too.
        stack.enter_context(sinks.attached(session.events))
        stack.enter_context(session.events.subscribe(reader.update))
        if view is not None:
            read = partial(_read_status, reader, session, room, detector, sinks)
            await stack.enter_async_context(_shown(view, read))
        await stack.enter_async_context(session)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(plan.seconds):
                await session.ended()


def _make_session(
    room: ReconnectingRoom,
    detector: Detector,
    sinks: SinkSet,
    table: Mapping[str, ReactionRule],
    settings: Settings,
) -> Session:
    return Session(
        *(room, detector, make_stickers(table, settings), table, settings),
        outputs=sinks.outputs,
        listeners=sinks.listeners,
        consent=default_consent(settings),
    )


def _open_sinks(
    plan: JoinPlan,
    room: ReconnectingRoom,
    options: JoinOptions,
    settings: Settings,
    table: Mapping[str, ReactionRule],
    event_sinks: Sequence[EventSink],
    preview: PreviewPage | None,
) -> SinkSet:
    """Where the composite and the events go; raises ConfigError for a target that is no sink."""
    given = SinkOptions(
        room=room,
        environ=plan.environ,
        fps=settings.composite.fps,
        size=(settings.composite.width, settings.composite.height),
        ice_servers=options.ice_servers,
        relay_only=options.relay_only,
        stickers=sticker_files(table, settings),
    )
    events = [*event_sinks, DataMessageSink(room)]
    if plan.events is not None:
        events.append(JsonlSink(plan.events))
    events += [open_event_sink(url, given) for url in plan.sinks]
    events += [open_event_sink(url, given, where="rooms.sinks") for url in settings.rooms.sinks]
    videos = open_video_sinks(plan.publish, given)
    return SinkSet([*videos, *([] if preview is None else [preview])], events)


def _read_status(
    reader: StatusReader,
    session: Session,
    room: ReconnectingRoom,
    detector: Detector,
    sinks: SinkSet,
) -> Status:
    return reader.read(
        session.stats(),
        session.scores(),
        cpu=time.process_time(),
        rejoined=room.rejoined,
        detector=detector.stats(),
        sinks=sinks.stats(),
    )


@asynccontextmanager
async def _shown(view: StatusView, read: Callable[[], Status]) -> AsyncIterator[None]:
    """Show the status once a second while it is entered."""

    async def show() -> None:
        reason = ""
        while True:
            with Captured() as attempt:
                await view.show(read())
            if attempt.reason not in ("", reason):
                log.warning("status not shown", reason=attempt.reason)
            reason = attempt.reason
            await asyncio.sleep(STATUS_EVERY)

    async with TaskSet() as tasks:
        tasks.create_task(show(), name="status")
        yield
