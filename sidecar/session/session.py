"""One room from joining to leaving: feeds, sampling, detection, policy and composite."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Self

import structlog

from config.errors import SampleDroppedError
from config.reaction_rule import ReactionRule
from config.settings import Settings
from reactions.labels import LabelScore
from reactions.pipeline import Detection
from reactions.reaction_event import ReactionEvent
from sidecar.inference.detector import Detector
from sidecar.inference.sampling import SamplingThread
from sidecar.media.compositor.compositor import Compositor, Stickers
from sidecar.media.compositor.layout import Fit
from sidecar.media.compositor.render_loop import PictureListener, RenderLoop
from sidecar.media.compositor.tiles import TileView
from sidecar.media.encoder import Encoder
from sidecar.media.feed import Feed
from sidecar.rooms.base import (
    Consent,
    ConsentChanged,
    Joined,
    Left,
    ReceiverConstraints,
    Room,
    VideoSink,
)
from sidecar.session.events import (
    EventBus,
    LiveScores,
    ParticipantJoined,
    ParticipantLeft,
    ReactionStep,
)
from sidecar.session.factories import make_policy
from sidecar.session.layer_selection import TURN, select_layers
from sidecar.session.presence import Presence
from sidecar.session.seat import Seat
from sidecar.session.stats import SessionStats

log = structlog.get_logger(__name__)

SWEEP_EVERY = 0.1
"""Seconds between looks at what ends by time alone."""


class Session:
    """Takes part in ``room`` while it is entered; nobody's failure disturbs anybody else's tile.

    The composite goes to ``outlets``, to the room itself if not given, and its pictures to
    ``listeners``; without either nothing is drawn. With ``opt_in`` nobody is sampled before they
    agree. ``clock`` is that of the feeds: seconds, monotonic.
    """

    def __init__(
        self,
        room: Room,
        detector: Detector,
        stickers: Stickers,
        table: Mapping[str, ReactionRule],
        settings: Settings,
        *,
        outlets: Sequence[VideoSink] | None = None,
        listeners: Sequence[PictureListener] = (),
        opt_in: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        size = settings.composite
        self.room = room
        self.events = EventBus()
        self._outlets = (room,) if outlets is None else tuple(outlets)
        self._opt_in = opt_in
        self._settings = settings
        self._detector = detector
        self._sampling = SamplingThread(settings.sampling.longest)
        self._table = table
        self._interval = 1 / settings.sampling.rate
        self._clock = clock
        self._began = clock()
        self._people: dict[str, Presence] = {}
        self._opted_out: dict[str, bool] = {}
        self._wanted: dict[str, ReceiverConstraints] = {}
        self._policy = make_policy(table, settings)
        self._encoder = Encoder(size.width, size.height, fps=size.fps, bitrate=size.bitrate)
        canvas = Compositor(size.width, size.height, stickers, fit=Fit(size.fit))
        self._composite = RenderLoop(canvas, self.tiles, self._encoder, clock=clock)
        self._composite.listeners.extend(listeners)
        self._life = AsyncExitStack()
        self._attending: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Join the room and begin to publish; raises RoomError where it refuses us."""
        async with AsyncExitStack() as stack:
            self._began = self._clock()
            stack.callback(self.events.close)
            await stack.enter_async_context(self._sampling)
            await stack.enter_async_context(self.room)
            if self._outlets or self._composite.listeners:
                await stack.enter_async_context(self._composite)
            for outlet in self._outlets:
                await outlet.publish(self._encoder)
            self._attending = asyncio.create_task(self._attend(), name=f"room {self.room.name}")
            stack.push_async_callback(self._stop, self._attending)
            self._life = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._life.aclose()

    async def ended(self) -> None:
        """Wait until the meeting is over; raises what ended it if that was an error.

        Leaving the session is none: it releases whoever waits.
        """
        if self._attending is None:
            return
        await asyncio.wait([self._attending])
        if not self._attending.cancelled():
            self._attending.result()

    def tiles(self, now: float) -> Sequence[TileView]:
        """Everybody's tile at ``now``, in the order in which they joined."""
        spotlight = self._spotlight()
        return [
            person.tile(now, pinned=participant == spotlight)
            for participant, person in self._people.items()
        ]

    def scores(self) -> Mapping[str, tuple[LabelScore, ...]]:
        """Everybody's newest scores, best first: for whoever runs the session, not for the room."""
        return {participant: person.scores for participant, person in self._people.items()}

    def stats(self) -> SessionStats:
        """The numbers of this moment."""
        now = self._clock()
        return SessionStats(
            room=self.room.name,
            uptime=now - self._began,
            frames_out=self._composite.ticks,
            late_ticks=self._composite.late,
            viewers=self._encoder.viewers,
            key_frames=self._encoder.key_frames,
            participants=tuple(person.stats(now) for person in self._people.values()),
        )

    @staticmethod
    async def _stop(task: asyncio.Task[None]) -> None:
        # An error that ended it is for ``ended`` to tell; leaving goes on whatever it was.
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _attend(self) -> None:
        """Take part until the room ends the meeting; raises the error that ends it before."""
        failure: Exception | None = None
        try:
            async with asyncio.TaskGroup() as group:
                sweeper = group.create_task(self._sweep(), name=f"sweep {self.room.name}")
                await self._follow_changes(group)
                sweeper.cancel()
        except ExceptionGroup as failures:
            # The group's others are what followed from it; it keeps its own cause.
            failure = failures.exceptions[0]
        finally:
            self._see_everybody_off()
        if failure is not None:
            raise failure

    async def _follow_changes(self, group: asyncio.TaskGroup) -> None:
        async for change in self.room.changes():
            match change:
                case Joined():
                    self._welcome(change, group)
                case Left():
                    self._see_off(change)
                case ConsentChanged():
                    self._heed(change)
        self._see_everybody_off()

    def _see_everybody_off(self) -> None:
        for participant in tuple(self._people):
            self._see_off(Left(participant, "the meeting is over"))

    def _welcome(self, joined: Joined, group: asyncio.TaskGroup) -> None:
        participant = joined.participant
        # A camera that replaces another begins from nothing.
        self._see_off(Left(participant, "joined anew"))
        feed = joined.feed
        person = Presence(Seat(participant, joined.name, self._table), feed)
        person.opted_out = self._opted_out.get(participant, self._opt_in)
        self._people[participant] = person
        if feed is None:
            log.warning("camera can't be watched", participant=participant, why=joined.problem)
        else:
            watching = self._watch(person, feed)
            person.watcher = group.create_task(watching, name=f"watch {participant}")
        self.events.publish(ParticipantJoined(self._elapsed(), participant, joined.name))
        log.info("participant joined", participant=participant)
        self._ask()

    def _see_off(self, left: Left) -> None:
        person = self._people.pop(left.participant, None)
        if person is None:
            return
        if person.watcher is not None:
            person.watcher.cancel()
        self._wanted.pop(left.participant, None)
        self._tell(person, self._policy.leave(left.participant, self._clock()))
        name = person.seat.name
        self.events.publish(ParticipantLeft(self._elapsed(), left.participant, name, left.reason))
        log.info("participant left", participant=left.participant, reason=left.reason)
        self._ask()

    def _ask(self) -> None:
        """Tell the room what is needed of each camera now, where that changed."""
        size, now = self._settings.composite, self._clock()
        asked = select_layers(
            tuple(self._people),
            (size.width, size.height),
            fps=size.fps,
            rate=self._settings.sampling.rate,
            attention=self._settings.rooms.attention,
            turn=int((now - self._began) / TURN),
            spotlight=self._spotlight(),
            busy={participant for participant, person in self._people.items() if person.busy},
        )
        for participant, want in asked.items():
            if self._wanted.get(participant) != want:
                self._wanted[participant] = want
                self._people[participant].paused = want.paused
                self.room.constrain(participant, want)

    def _spotlight(self) -> str | None:
        """The participant whom the settings give the large tile, if they are there."""
        name = self._settings.composite.spotlight
        named = (who for who, person in self._people.items() if name and person.seat.name == name)
        return next(named, None)

    def _heed(self, consent: ConsentChanged) -> None:
        # Remembered for those who come back, and for those who are still on their way.
        opted_out = consent.consent is Consent.OPT_OUT
        self._opted_out[consent.participant] = opted_out
        person = self._people.get(consent.participant)
        if person is None:
            return
        person.opted_out = opted_out
        now = self._clock()
        self._tell(person, self._policy.opt_out(consent.participant, opted_out, now))
        person.seat.forget()

    async def _watch(self, person: Presence, feed: Feed) -> None:
        """Sample one participant at the set rate for as long as their feed lasts."""
        seen = 0
        while await feed.wait_newer(seen):
            began = self._clock()
            seen = feed.frames
            if not person.opted_out:
                try:
                    await self._sample(person, feed)
                except SampleDroppedError:
                    pass  # The detector counts it; the newest frame is next.
                except Exception:
                    person.failures += 1
                    if person.failures & (person.failures - 1) == 0:
                        # The first, second, fourth … failure: five a second would drown the log.
                        who = person.seat.participant
                        log.exception("detection failed", participant=who, failed=person.failures)
            await asyncio.sleep(max(0.0, began + self._interval - self._clock()))

    async def _sample(self, person: Presence, feed: Feed) -> None:
        frame, arrived = feed.frame, feed.arrived
        if frame is None or arrived is None:
            return
        # After one interval there is a newer frame, so that this one is not worth waiting for.
        deadline = self._clock() + self._interval
        sample = await self._sampling.sample(frame, arrived)
        source = f"{self.room.name}/{person.seat.participant}"
        detection = await self._detector.detect(sample, person.seat.memory, deadline, source=source)
        if not person.opted_out:
            self._take(person, detection, arrived)

    def _take(self, person: Presence, detection: Detection, taken: float) -> None:
        participant = person.seat.participant
        person.count(detection, taken)
        person.seat.see(detection)
        self._tell(person, self._policy.observe(participant, detection.scores, taken))
        progress = dict(person.seat.progress)
        scores = LiveScores(taken - self._began, participant, detection.scores, progress)
        self.events.publish(scores)

    async def _sweep(self) -> None:
        """End what ends by time, also for those of whom no samples come any more."""
        while True:
            await asyncio.sleep(SWEEP_EVERY)
            if len(self._people) > self._settings.rooms.attention:
                self._ask()
            for event in self._policy.advance(self._clock()):
                if (person := self._people.get(event.participant)) is not None:
                    self._tell(person, [event])

    def _tell(self, person: Presence, events: Sequence[ReactionEvent]) -> None:
        person.seat.apply(events)
        for event in events:
            rebased = replace(event, time=event.time - self._began)
            self.events.publish(ReactionStep(rebased, person.seat.name))

    def _elapsed(self) -> float:
        return self._clock() - self._began
