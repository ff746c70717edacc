"""One room from joining to leaving: the loops around participants, policy and composite."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Protocol

import structlog

from config.errors import ConfigError, NotFoundError, SidecarError
from config.reaction_rule import Kind, ReactionRule
from config.sensitivity import Sensitivity
from config.settings import CompositeSettings, Settings
from reactions.geometry import Box
from reactions.labels import LabelScore
from sidecar.aio import Component, cancel_and_wait
from sidecar.inference.detector import Detector
from sidecar.media.compositor.compositor import Compositor, Stickers, StickerSource
from sidecar.media.compositor.layout import Fit
from sidecar.media.compositor.render_loop import PictureListener, RenderLoop
from sidecar.media.compositor.sticker_loader import StickerPrefetcher
from sidecar.media.compositor.tiles import TileView
from sidecar.media.encoder import Encoder
from sidecar.rooms.base import (
    Consent,
    ConsentChanged,
    Joined,
    Left,
    Room,
    SensitivityChosen,
    TrackSource,
)
from sidecar.session.choices import SessionChoices
from sidecar.session.crowd_watch import CrowdWatch
from sidecar.session.events import EventBus, ParticipantJoined, ParticipantLeft, SessionEvent
from sidecar.session.factories import make_policy
from sidecar.session.layer_selection import TURN, select_layers
from sidecar.session.participant import Consents, Participant
from sidecar.session.sampler import Sampler
from sidecar.session.stats import SessionStats

log = structlog.get_logger(__name__)

TRIGGERED_AT = Box(0.35, 0.1, 0.3, 0.3)
"""Where a reaction plays that was triggered by hand and never seen: where heads are."""
SWEEP_EVERY = 0.1
"""Seconds between looks at what ends by time alone."""


class CompositeOutput(Protocol):
    """Where the encoded composite goes: the room itself, or a sink."""

    async def publish(self, composite: TrackSource) -> None:
        """Show the composite until the output is closed."""
        ...


class Session(Component):
    """Runs one room while it is open; an error in one participant does not affect the others.

    The encoded composite goes to ``outputs``, to the room itself if not given, and its pictures to
    ``listeners``; without either nothing is drawn. ``consent`` is that of participants who made no
    choice. ``clock`` is that of the feeds: seconds, monotonic.
    """

    def __init__(
        self,
        room: Room,
        detector: Detector,
        stickers: StickerSource,
        table: Mapping[str, ReactionRule],
        settings: Settings,
        *,
        outputs: Sequence[CompositeOutput] | None = None,
        listeners: Sequence[PictureListener] = (),
        consent: Consent = Consent.OPT_IN,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.room = room
        self.events = EventBus()
        self._outputs = (room,) if outputs is None else tuple(outputs)
        self._drawn = bool(self._outputs or listeners)
        self._settings = settings
        self._table = dict(table)
        self._clock = clock
        self._began = clock()
        self._participants: dict[str, Participant] = {}
        self._sampling: dict[str, asyncio.Task[None]] = {}
        self._consents = Consents(consent)
        self._pinned: str | None = None
        self.sampler = Sampler(
            detector,
            self._publish_events,
            room=room.name,
            rate=settings.sampling.rate,
            longest=settings.sampling.longest,
            clock=clock,
        )
        self._policy = make_policy(table, settings)
        self._crowd = CrowdWatch(self._policy, table)
        self._encoder = make_encoder(settings.composite)
        self._loader = StickerPrefetcher(stickers)
        self._composite = self._make_render_loop(listeners)
        self._life = AsyncExitStack()
        self._running: asyncio.Task[None] | None = None

    def _make_render_loop(self, listeners: Sequence[PictureListener]) -> RenderLoop:
        return RenderLoop(
            make_compositor(self._settings.composite, self._loader),
            self.tiles,
            self._encoder,
            effect=lambda: self._crowd.effect,
            loader=self._loader,
            listeners=listeners,
            clock=self._clock,
        )

    async def start(self) -> None:
        """Join the room and begin to publish; raises RoomError where it refuses us."""
        async with AsyncExitStack() as stack:
            self._began = self._clock()
            stack.callback(self.events.close)
            await stack.enter_async_context(self.sampler)
            await stack.enter_async_context(self.room)
            if self._drawn:
                await stack.enter_async_context(self._composite)
            for output in self._outputs:
                await output.publish(self._encoder)
            self._running = asyncio.create_task(self._run(), name=f"room {self.room.name}")
            stack.push_async_callback(self._stop)
            self._life = stack.pop_all()

    async def aclose(self) -> None:
        """Leave the room."""
        await self._life.aclose()

    async def ended(self) -> None:
        """Wait until the meeting is over; raises what ended it if that was an error.

        Closing the session is none: it releases the callers that wait.
        """
        if self._running is None:
            return
        await asyncio.wait([self._running])
        if not self._running.cancelled():
            self._running.result()

    def tiles(self, now: float) -> Sequence[TileView]:
        """The tile of each participant at ``now``, in the order in which they joined."""
        spotlight = self._spotlight()
        return [
            participant.live_tile(now, pinned=participant.participant == spotlight)
            for participant in self._participants.values()
        ]

    def scores(self) -> Mapping[str, tuple[LabelScore, ...]]:
        """The newest scores of each participant, best first: for the operator, not for the room."""
        return {key: participant.scores for key, participant in self._participants.items()}

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
            participants=tuple(one.stats(now) for one in self._participants.values()),
            listeners=self.events.listeners,
            listeners_cut_off=self.events.cut_off,
            packets_dropped=self._encoder.dropped,
        )

    @property
    def encoded_bytes(self) -> int:
        """Bytes of the encoded composite so far."""
        return self._encoder.bytes

    @property
    def pinned(self) -> str | None:
        """The participant who has the large tile, if they are present."""
        return self._spotlight()

    def choose(self, participant: str, consent: Consent) -> None:
        """Opt a participant out or in, as they would themselves."""
        self._on_consent(ConsentChanged(participant, consent))

    def choose_default(self, consent: Consent) -> None:
        """Opt all who made no choice of their own out or in."""
        self._consents.default = consent
        for participant in self._participants.values():
            if participant.opted_out:
                self._publish_events(participant.stop(self._clock()))

    @property
    def choices(self) -> SessionChoices:
        """What was chosen for participants until now."""
        return SessionChoices(self._consents.made, self._policy.chosen, self._pinned)

    def take_choices(self, choices: SessionChoices) -> None:
        """Go on with what was chosen in an earlier session of the room, or by its operator."""
        for participant, consent in choices.consents.items():
            self.choose(participant, consent)
        for participant, sensitivity in choices.sensitivities.items():
            self.choose_sensitivity(participant, sensitivity)
        if choices.pinned != self._pinned:
            self.pin(choices.pinned)

    def sensitivity(self, participant: str) -> Sensitivity:
        """How easily reactions of ``participant`` start."""
        return self._policy.sensitivity(participant)

    def choose_sensitivity(self, participant: str, sensitivity: Sensitivity) -> None:
        """Take a participant's choice, present or not."""
        self._policy.choose(participant, sensitivity)

    def choose_default_sensitivity(self, sensitivity: Sensitivity) -> None:
        """Change the sensitivity of all who made no choice of their own."""
        self._policy.choose_for_all(sensitivity)

    def change_composite(self, composite: CompositeSettings) -> None:
        """Change size, rate, fit and spotlight of the composite; its bitrate stays.

        Raises ConfigError for a size that can't be drawn.
        """
        self._composite.change(make_compositor(composite, self._loader), composite.fps)
        self._settings = self._settings.model_copy(update={"composite": composite})
        self._update_constraints()

    @property
    def composite(self) -> CompositeSettings:
        """The composite as it is drawn now."""
        return self._settings.composite

    def change_table(self, table: Mapping[str, ReactionRule]) -> None:
        """Go on with another reaction table; what runs of a label that is off now ends.

        Files of stickers that were read before are read again.
        """
        reactions = self._policy.change(table, self._clock())
        for reaction in reactions:
            if (participant := self._participants.get(reaction.participant)) is not None:
                self._publish_events(participant.apply([reaction]))
        self._crowd.change(table)
        # Participants have the same object.
        self._table.clear()
        self._table.update(table)
        self._loader.refresh()

    def pin(self, participant: str | None) -> None:
        """Give the large tile to a participant; None returns to the settings' choice."""
        self._pinned = participant
        self._update_constraints()

    def trigger(self, participant: str, label: str) -> None:
        """Start a reaction by hand; raises NotFoundError for one that there can't be."""
        found = self._participants.get(participant)
        if found is None:
            raise NotFoundError("there is no such participant", where=self.room.name)
        rule = self._table.get(label)
        if rule is None or rule.kind is Kind.OFF:
            raise NotFoundError(f"the label {label!r} is not on", where=self.room.name)
        if not found.opted_out:
            now = self._clock()
            self._publish_events(
                found.apply(self._policy.trigger(participant, label, now, TRIGGERED_AT))
            )

    async def _stop(self) -> None:
        # ``ended`` raises the error that ended it; closing continues in any case.
        if self._running is not None and not self._running.done():
            await cancel_and_wait(self._running)

    async def _run(self) -> None:
        """Take part until the room ends the meeting; raises the error that ends it before."""
        failure: Exception | None = None
        try:
            async with asyncio.TaskGroup() as group:
                # One that fails ends the room.
                helpers = [
                    group.create_task(self._sweep(), name=f"sweep {self.room.name}"),
                    group.create_task(self._composite.watch(), name=f"watch {self.room.name}"),
                ]
                await self._follow_changes(group)
                for helper in helpers:
                    helper.cancel()
        except ExceptionGroup as failures:
            failure = self._main_failure(failures)
        finally:
            self._remove_participants()
        if failure is not None:
            raise failure

    def _main_failure(self, failures: ExceptionGroup) -> Exception:
        """The error to report of several: the first that the operator can act on; logs the rest."""
        found = list(_leaves(failures))
        main = next((error for error in found if isinstance(error, SidecarError)), found[0])
        for error in found:
            if error is not main:
                log.error("room task failed", room=self.room.name, reason=repr(error))
        return main

    async def _follow_changes(self, group: asyncio.TaskGroup) -> None:
        async for change in self.room.changes():
            match change:
                case Joined():
                    self._on_joined(change, group)
                case Left():
                    self._on_left(change)
                case ConsentChanged():
                    self._on_consent(change)
                case SensitivityChosen():
                    self.choose_sensitivity(change.participant, change.sensitivity)
        self._remove_participants()

    def _remove_participants(self) -> None:
        for key in tuple(self._participants):
            self._on_left(Left(key, "the meeting is over"))

    def _on_joined(self, joined: Joined, group: asyncio.TaskGroup) -> None:
        key, feed = joined.participant, joined.feed
        if key in self._participants:
            self._on_left(Left(key, "joined again"))
        participant = Participant(
            key,
            joined.name,
            self._table,
            self._policy,
            consents=self._consents,
            feed=feed,
            epoch=self._began,
        )
        self._participants[key] = participant
        if feed is None:
            log.warning("camera unavailable", participant=key, reason=joined.problem)
        else:
            sampling = self.sampler.follow(participant, feed)
            self._sampling[key] = group.create_task(sampling, name=f"sample {key}")
        self.events.publish(ParticipantJoined(self._elapsed(), key, joined.name))
        log.info("participant joined", participant=key)
        self._update_constraints()

    def _on_left(self, left: Left) -> None:
        key = left.participant
        participant = self._participants.pop(key, None)
        if participant is None:
            return
        if (sampling := self._sampling.pop(key, None)) is not None:
            sampling.cancel()
        self._publish_events(participant.leave(self._clock()))
        name = participant.name
        self.events.publish(ParticipantLeft(self._elapsed(), key, name, left.reason))
        log.info("participant left", participant=key, reason=left.reason)
        self._update_constraints()

    def _on_consent(self, change: ConsentChanged) -> None:
        participant = self._participants.get(change.participant)
        if participant is None:
            # It counts for participants who come back, and for those who join later.
            self._consents[change.participant] = change.consent
        else:
            self._publish_events(participant.choose(change.consent, self._clock()))

    def _update_constraints(self) -> None:
        """Ask the room for what is needed of each camera now, where that changed."""
        size = self._settings.composite
        wanted = select_layers(
            tuple(self._participants),
            (size.width, size.height),
            fps=size.fps,
            rate=self.sampler.rate,
            attention=self._settings.rooms.attention,
            turn=int(self._elapsed() / TURN),
            spotlight=self._spotlight(),
            busy={key for key, participant in self._participants.items() if participant.busy},
        )
        for key, constraints in wanted.items():
            participant = self._participants[key]
            if participant.constraints != constraints:
                participant.constraints = constraints
                self.room.constrain(key, constraints)

    def _spotlight(self) -> str | None:
        """The participant whom the settings give the large tile, if they are present."""
        if self._pinned in self._participants:
            return self._pinned
        name = self._settings.composite.spotlight
        named = (key for key, one in self._participants.items() if name and one.name == name)
        return next(named, None)

    async def _sweep(self) -> None:
        """End what ends by time alone, also of participants whose samples stopped."""
        while True:
            await asyncio.sleep(SWEEP_EVERY)
            if len(self._participants) > self._settings.rooms.attention:
                self._update_constraints()
            for reaction in self._policy.advance(self._clock()):
                if (participant := self._participants.get(reaction.participant)) is not None:
                    self._publish_events(participant.apply([reaction]))
            self._publish_events(
                self._crowd.look(self._participants.values(), self._clock(), self._began)
            )

    def _publish_events(self, events: Iterable[SessionEvent]) -> None:
        for event in events:
            self.events.publish(event)

    def _elapsed(self) -> float:
        return self._clock() - self._began


def make_encoder(composite: CompositeSettings) -> Encoder:
    """The encoder of pictures as ``composite`` describes them."""
    size = composite.width, composite.height
    return Encoder(*size, fps=composite.fps, bitrate=composite.bitrate)


def make_compositor(composite: CompositeSettings, stickers: Stickers) -> Compositor:
    """The compositor that ``composite`` describes; raises ConfigError for a size that is none."""
    try:
        fit = Fit(composite.fit)
        return Compositor(composite.width, composite.height, stickers, fit=fit)
    except ValueError as error:
        raise ConfigError(str(error), where="composite", do="at least 320x180, both even") from None


def _leaves(group: ExceptionGroup) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
