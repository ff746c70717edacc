"""A session's events, their JSON, and the bus that delivers them to subscribers.

The same objects go to server-sent events, to sinks and, one JSON object a line, to files.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeAlias

import structlog

from config.errors import CapacityError
from reactions.crowd import CrowdReaction
from reactions.labels import LabelScore
from reactions.reaction_event import ReactionEvent

log = structlog.get_logger(__name__)

Json: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ParticipantJoined:
    """A participant's camera is in the picture; ``time`` is in seconds since the session began."""

    time: float
    participant: str
    name: str
    present: bool = False
    """For a new subscriber: this participant joined earlier."""

    kind = "participant.joined"

    def payload(self) -> Json:
        return {"name": self.name, "present": True} if self.present else {"name": self.name}


@dataclass(frozen=True, slots=True)
class ParticipantLeft:
    """A participant's camera is gone from the picture."""

    time: float
    participant: str
    name: str
    reason: str

    kind = "participant.left"

    def payload(self) -> Json:
        return {"name": self.name, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class ReactionStep:
    """The policy's event, with the participant's name for people who read it."""

    event: ReactionEvent
    name: str

    @property
    def kind(self) -> str:
        return f"reaction.{self.event.stage.value}"

    @property
    def time(self) -> float:
        return self.event.time

    @property
    def participant(self) -> str:
        return self.event.participant

    def payload(self) -> Json:
        return {
            "name": self.name,
            "label": self.event.label,
            "score": round(self.event.score, 3),
            "progress": round(self.event.progress, 3),
            "hand": self.event.hand.value if self.event.hand else None,
            **({"person": self.event.person} if self.event.person else {}),
        }


@dataclass(frozen=True, slots=True)
class CrowdReacted:
    """Enough people showed the same, and one effect plays over the whole composite."""

    event: CrowdReaction

    kind = "reaction.crowd"
    participant = ""
    """It belongs to no single participant."""

    @property
    def time(self) -> float:
        return self.event.time

    def payload(self) -> Json:
        return {
            "label": self.event.label,
            "effect": self.event.effect,
            "participants": list(self.event.participants),
            "present": self.event.present,
        }


@dataclass(frozen=True, slots=True)
class LiveScores:
    """Every label's score in one sample, best first: for that participant alone."""

    time: float
    participant: str
    scores: tuple[LabelScore, ...]
    progress: Mapping[str, float]
    """How much of its hold has passed, 0–1, for each label that is being held."""

    kind = "scores"

    def payload(self) -> Json:
        best: dict[str, float] = {}
        for score in self.scores:
            best[score.label] = max(score.score, best.get(score.label, 0.0))
        return {
            "labels": [
                {"label": label, "score": round(score, 3), "progress": self.progress.get(label, 0)}
                for label, score in best.items()
            ]
        }


SessionEvent: TypeAlias = (
    ParticipantJoined | ParticipantLeft | ReactionStep | CrowdReacted | LiveScores
)


def as_json(event: SessionEvent) -> Json:
    """The event as a JSON object: ``event`` (its kind), ``t``, ``participant``, and the rest.

    What belongs to all of a room has no ``participant``.
    """
    whose = {"participant": event.participant} if event.participant else {}
    return {"event": event.kind, "t": round(event.time, 3), **whose, **event.payload()}


EventHandler: TypeAlias = Callable[[SessionEvent], None]
"""Gets each event as it is published, on the event loop: it returns at once and raises nothing."""


class ListenerBehindError(Exception):
    """A listener missed events. Its reader handles it: it reaches no user."""


class Listener:
    """One reader's mailbox: ``async for`` over the events published since it was opened.

    Iterating ends with the session. For a reader that falls ``capacity`` events behind it raises
    ListenerBehindError: a new listener begins with the present state.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._waiting: deque[SessionEvent] = deque()
        self._wake = asyncio.Event()
        self._closed = False
        self.behind = False
        """Events were missed; no more are taken."""

    def put(self, event: SessionEvent) -> None:
        """Deliver ``event``. Of scores that wait, only the newest are kept."""
        if self.behind or self._closed:
            return
        newest = self._waiting[-1] if self._waiting else None
        if isinstance(event, LiveScores) and isinstance(newest, LiveScores):
            self._waiting.pop()
        if len(self._waiting) >= self._capacity:
            self.behind = True
            self._waiting.clear()
        else:
            self._waiting.append(event)
        self._wake.set()

    def close(self) -> None:
        """End the iteration after what is waiting."""
        self._closed = True
        self._wake.set()

    def __aiter__(self) -> "Listener":
        return self

    async def __anext__(self) -> SessionEvent:
        while not self._waiting:
            if self.behind:
                raise ListenerBehindError
            if self._closed:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        return self._waiting.popleft()


class EventBus:
    """Hands each event to every subscriber; publishing never waits and never fails.

    At most ``listeners`` may listen at once, each ``capacity`` events behind.
    """

    def __init__(self, *, listeners: int = 256, capacity: int = 256) -> None:
        self._limit = listeners
        self._capacity = capacity
        self._handlers: dict[EventHandler, str | None] = {}
        self._listeners: set[Listener] = set()
        self._present: dict[str, ParticipantJoined] = {}
        self._closed = False
        self.cut_off = 0
        """Listeners that fell too far behind, so far."""

    @property
    def listeners(self) -> int:
        """How many listen now; subscribers are not counted."""
        return len(self._listeners)

    def publish(self, event: SessionEvent) -> None:
        """Hand ``event`` to all subscribers that may get it."""
        if isinstance(event, ParticipantJoined):
            self._present[event.participant] = replace(event, present=True)
        elif isinstance(event, ParticipantLeft):
            self._present.pop(event.participant, None)
        for handler, private_to in tuple(self._handlers.items()):
            if not isinstance(event, LiveScores) or event.participant == private_to:
                handler(event)

    @contextmanager
    def subscribe(self, handler: EventHandler, *, private_to: str | None = None) -> Iterator[None]:
        """Call ``handler`` with each event, first with ``participant.joined`` of all present.

        ``private_to`` is the participant whose scores it gets too.
        """
        for joined in self._present.values():
            handler(joined)
        self._handlers[handler] = private_to
        try:
            yield
        finally:
            del self._handlers[handler]

    @contextmanager
    def listen(self, private_to: str | None = None) -> Iterator[Listener]:
        """A mailbox that begins with a ``participant.joined`` of all present.

        ``private_to`` is the participant whose scores it gets too. Raises CapacityError when too
        many listen already.
        """
        if len(self._listeners) >= self._limit:
            what = f"{self._limit} listeners already"
            raise CapacityError(what, where="events", do="close one and try again")
        listener = Listener(self._capacity + len(self._present))
        self._listeners.add(listener)
        try:
            with self.subscribe(listener.put, private_to=private_to):
                if self._closed:
                    listener.close()
                yield listener
        finally:
            self._listeners.discard(listener)
            if listener.behind:
                self.cut_off += 1
                reason = f"{self._capacity} events behind"
                log.warning("event listener cut off", reason=reason, cut_off=self.cut_off)

    def close(self) -> None:
        """End every listener: the session is over."""
        self._closed = True
        for listener in self._listeners:
            listener.close()
