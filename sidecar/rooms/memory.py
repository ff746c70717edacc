"""A room without a network: for tests of sessions, sinks and programs around them.

A ``MemoryMeeting`` stands for the server. Participants join it and leave by its methods, and each
``MemoryRoom`` takes part in it as the room of a real system would::

    meeting = MemoryMeeting()
    meeting.join("ada", "Ada", camera)  # any object with ``recv``, such as a track of aiortc
    async with meeting.room() as room, Session(room, ...):
        meeting.choose("ada", Consent.OPT_OUT)
        meeting.leave("ada")
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass

from config.errors import RoomError
from sidecar.aio import Component, TaskSet
from sidecar.media.feed import Feed, VideoSource
from sidecar.rooms.base import (
    Consent,
    Joined,
    ReceiverConstraints,
    RoomChange,
    TrackSource,
)
from sidecar.rooms.changes import RoomChanges


@dataclass(frozen=True, slots=True, eq=False)
class MemoryParticipant:
    """A participant of a meeting in memory."""

    participant: str
    name: str
    camera: VideoSource | None
    """Read by the feed of each room: frames go to one of them where there are several."""
    problem: str


class MemoryMeeting:
    """The participants of a meeting, and what rooms ask of it. All methods return at once."""

    def __init__(
        self, name: str = "memory", *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``clock`` is that of the feeds: seconds."""
        self.name = name
        self.clock = clock
        self.participants: dict[str, MemoryParticipant] = {}
        self.consents: dict[str, Consent] = {}
        self.constraints: dict[str, ReceiverConstraints] = {}
        """The newest constraints for each participant."""
        self.composite: TrackSource | None = None
        """What was published last, as long as its room takes part."""
        self.announced: list[Mapping[str, object]] = []
        """The events that rooms announced."""
        self.rooms: list[MemoryRoom] = []
        """The rooms that take part at the moment."""
        self._outage: RoomError | None = None
        self._answers = asyncio.Event()
        self._answers.set()

    def room(self) -> "MemoryRoom":
        """Make a room of this meeting, not entered yet."""
        return MemoryRoom(self)

    def join(
        self, participant: str, name: str = "", camera: VideoSource | None = None, problem: str = ""
    ) -> None:
        """A participant joins with ``camera``, or with the ``problem`` why it can't be watched.

        One who is present already is replaced.
        """
        joined = MemoryParticipant(participant, name or participant, camera, problem)
        self.participants[participant] = joined
        for room in self.rooms:
            room._add(joined)

    def leave(self, participant: str, reason: str = "left") -> None:
        """A participant leaves; one who is not present is ignored."""
        if self.participants.pop(participant, None) is not None:
            self.constraints.pop(participant, None)
            for room in self.rooms:
                room._remove(participant, reason)

    def choose(self, participant: str, consent: Consent) -> None:
        """A participant, present or not, opts out or in."""
        self.consents[participant] = consent
        for room in self.rooms:
            room._choose(participant, consent)

    def fail(self, error: RoomError, *, lasting: bool = False) -> None:
        """End the rooms with ``error``; if ``lasting``, entering fails too until ``recover``."""
        self._outage = error if lasting else None
        for room in self.rooms:
            room._end(error)

    def hang(self) -> None:
        """Let entering take until ``recover``, as with a server that does not answer."""
        self._answers.clear()

    def recover(self) -> None:
        """Rooms can be entered again."""
        self._outage = None
        self._answers.set()

    def end(self) -> None:
        """The meeting is over for all, and can't be entered any more."""
        self._outage = RoomError("the meeting is over", where=self.name)
        for room in self.rooms:
            room._end(None)

    async def _admit(self, room: "MemoryRoom") -> None:
        """Take ``room`` in; raises the error of ``fail`` or ``end``."""
        await self._answers.wait()
        if self._outage is not None:
            raise self._outage
        self.rooms.append(room)


class MemoryRoom(Component):
    """Implements ``Room`` and ``SupportsDataMessages`` for a meeting in memory."""

    def __init__(self, meeting: MemoryMeeting | None = None) -> None:
        self.meeting = meeting or MemoryMeeting()
        self._changes = RoomChanges()
        self._composite: TrackSource | None = None
        self._feeds: dict[str, Feed] = {}
        self._tasks = TaskSet()

    @property
    def name(self) -> str:
        return self.meeting.name

    async def start(self) -> None:
        """Enter the meeting; raises RoomError where it can't be entered."""
        await self.meeting._admit(self)
        for participant, consent in self.meeting.consents.items():
            self._changes.choose(participant, consent)
        for joined in self.meeting.participants.values():
            self._add(joined)

    async def aclose(self) -> None:
        """Leave the meeting, and end the feeds."""
        if self._composite is not None and self.meeting.composite is self._composite:
            self.meeting.composite = None
        if self in self.meeting.rooms:
            self.meeting.rooms.remove(self)
        for participant in tuple(self._feeds):
            self._remove(participant, "the room was left")
        self._changes.end()
        await self._tasks.aclose()

    def changes(self) -> AsyncGenerator[RoomChange]:
        return self._changes.follow()

    async def publish(self, composite: TrackSource) -> None:
        self.meeting.composite = self._composite = composite

    def constrain(self, participant: str, want: ReceiverConstraints) -> None:
        if participant in self.meeting.participants:
            self.meeting.constraints[participant] = want

    async def announce(self, event: Mapping[str, object]) -> None:
        self.meeting.announced.append(event)

    def _add(self, joined: MemoryParticipant) -> None:
        """Show a participant of the meeting, in place of one with the same id."""
        self._close_feed(joined.participant)
        feed = None
        if joined.camera is not None:
            feed = self._feeds[joined.participant] = Feed(joined.camera, clock=self.meeting.clock)
            self._tasks.create_task(feed.start(), name=f"feed of {joined.participant}")
        self._changes.join(Joined(joined.participant, joined.name, feed, joined.problem))

    def _remove(self, participant: str, reason: str) -> None:
        """A participant has left the meeting."""
        self._changes.leave(participant, reason)
        self._close_feed(participant)

    def _choose(self, participant: str, consent: Consent) -> None:
        """A participant has opted out or in."""
        self._changes.choose(participant, consent)

    def _end(self, failure: RoomError | None) -> None:
        """The meeting is over, or lost by ``failure``."""
        self._changes.end(failure)

    def _close_feed(self, participant: str) -> None:
        if (feed := self._feeds.pop(participant, None)) is not None:
            self._tasks.create_cleanup(feed.aclose(), name=f"close feed of {participant}")
