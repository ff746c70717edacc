"""Takes part in somebody else's meeting: the core of ``sidecar join``."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import structlog

from config.errors import ConfigError
from config.reaction_rule import Kind, ReactionRule
from config.settings import Settings
from sidecar.media.ice import configured_servers
from sidecar.outlets import open_outlets
from sidecar.rooms.base import Consent, JoinOptions
from sidecar.rooms.reconnect import ReconnectingRoom
from sidecar.rooms.registry import find_adapter
from sidecar.session.events import LiveScores, SessionEvent, as_json
from sidecar.session.factories import make_detector, make_stickers, make_store
from sidecar.session.session import Session
from sidecar.session.stats import Status, StatusReader

log = structlog.get_logger(__name__)

STATUS_EVERY = 1.0
"""Seconds between two looks at how it is going."""
ANNOUNCING = 1.0
"""Seconds that a meeting gets to take a data message."""
FAREWELL = 1.0
"""Seconds for the last events to be written."""
ANNOUNCED = ("reaction.started", "reaction.ended")
"""What a meeting's own programs are told; how a hold gets on is nobody else's business."""


@dataclass(frozen=True, slots=True)
class JoinPlan:
    """What to join, and what to do there."""

    url: str = field(repr=False)
    publish: tuple[str, ...] = ("room",)
    """``room``, ``none``, ``whip+https://…`` and names of video files; several may be given."""
    events: Path | None = None
    """Where every event goes, one JSON object a line."""
    seconds: float | None = None
    """When to leave; None stays until the meeting ends."""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Where adapters find keys, tokens and passwords."""


@dataclass(frozen=True, slots=True)
class Show:
    """Who is told how it goes; both are called on the event loop and must not block."""

    status: Callable[[Status], None]
    event: Callable[[SessionEvent], None]


async def join(
    plan: JoinPlan, settings: Settings, table: Mapping[str, ReactionRule], show: Show
) -> None:
    """Take part until the meeting ends, ``plan.seconds`` are over, or the task is cancelled.

    Raises ConfigError for what is wrong with ``plan``, RoomError where the meeting can't be joined
    or puts us out.
    """
    adapter = await find_adapter(plan.url)
    options = join_options(settings, plan.environ)
    room = ReconnectingRoom(lambda: adapter.room(plan.url, options))
    async with AsyncExitStack() as stack:
        detector = await stack.enter_async_context(
            make_detector(make_store(settings), table, settings)
        )
        fps = settings.composite.fps
        places = await open_outlets(plan.publish, room, options, fps, stack)
        session = Session(
            room,
            detector,
            make_stickers(table, settings),
            table,
            settings,
            outputs=places.outlets,
            listeners=places.listeners,
            consent=_default_consent(settings),
        )
        journal = await stack.enter_async_context(_journal(plan.events))
        stickers = {label for label, rule in table.items() if rule.kind is Kind.STICKER}
        reader = StatusReader(adapter.system, stickers)
        # Attended beyond its end, so that the last events are told too.
        await stack.enter_async_context(_attended(session, room, reader, journal, show))
        await stack.enter_async_context(session)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(plan.seconds):
                await session.ended()


def _default_consent(settings: Settings) -> Consent:
    return Consent.OPT_OUT if settings.rooms.consent == "opt-in" else Consent.OPT_IN


def join_options(settings: Settings, environ: Mapping[str, str]) -> JoinOptions:
    """How ``settings`` want to take part in any meeting."""
    return JoinOptions(
        name=settings.rooms.name,
        environ=environ,
        rate=settings.sampling.rate,
        ice_servers=configured_servers(settings.server.ice_servers),
        relay_only=settings.rooms.relay_only,
    )


def only_labels(
    table: Mapping[str, ReactionRule], wanted: str | None
) -> Mapping[str, ReactionRule]:
    """``table`` with every label off but those in the comma-separated ``wanted``; None is all.

    Raises ConfigError for a label that there is not.
    """
    if wanted is None:
        return table
    names = {name.strip() for name in wanted.split(",")}
    if unknown := sorted(names - table.keys()):
        raise ConfigError(
            f"unknown label {unknown[0]!r}", where="--labels", do=f"one of {', '.join(table)}"
        )
    return {
        label: rule if label in names else rule.model_copy(update={"kind": Kind.OFF})
        for label, rule in table.items()
    }


@asynccontextmanager
async def _attended(
    session: Session,
    room: ReconnectingRoom,
    reader: StatusReader,
    journal: TextIO | None,
    show: Show,
) -> AsyncIterator[None]:
    """While it is entered: events are written and told, and the status is shown.

    Left once ``session`` is: what it told last is told before that.
    """

    async def listen() -> None:
        with session.events.listen() as listener:
            async for event in listener:
                reader.update(event)
                show.event(event)
                if journal is not None and not isinstance(event, LiveScores):
                    await asyncio.to_thread(print, json.dumps(as_json(event)), file=journal)
                if event.kind in ANNOUNCED:
                    await _announce(room, event)

    async def look() -> None:
        while True:
            cpu = time.process_time()
            show.status(
                reader.read(session.stats(), session.scores(), cpu=cpu, rejoined=room.rejoined)
            )
            await asyncio.sleep(STATUS_EVERY)

    listening = asyncio.create_task(listen(), name="events")
    looking = asyncio.create_task(look(), name="status")
    try:
        yield
    finally:
        looking.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL):
                await asyncio.wait([listening])
        listening.cancel()
        for result in await asyncio.gather(listening, looking, return_exceptions=True):
            if isinstance(result, Exception):
                log.error("the session was not followed to its end", reason=repr(result))


async def _announce(room: ReconnectingRoom, event: SessionEvent) -> None:
    try:
        async with asyncio.timeout(ANNOUNCING):
            await room.announce(as_json(event))
    except Exception as error:
        # Whatever breaks on the way, as when the meeting is being left; nobody waits for this.
        log.info("reaction not announced", reason=str(error) or repr(error))


@asynccontextmanager
async def _journal(path: Path | None) -> AsyncIterator[TextIO | None]:
    """A file that gets each line as it is written; raises ConfigError if it can't be opened."""
    if path is None:
        yield None
        return
    try:
        file = await asyncio.to_thread(path.open, "w", buffering=1, encoding="utf-8")
    except OSError as error:
        what = f"{path} can't be written: {error.strerror}"
        raise ConfigError(what, where="--events", do="name another file") from error
    with file:
        yield file
