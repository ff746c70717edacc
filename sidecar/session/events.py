"""What a session tells the world: events, their JSON, and a bounded fan-out to listeners.

The same objects go to server-sent events and, one JSON object a line, to the log of a replay.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeAlias

from config.errors import RoomError
from reactions.labels import LabelScore
from reactions.reaction_event import ReactionEvent

Json: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ParticipantJoined:
    """Somebody's camera is in the picture; ``time`` is in seconds since the session began."""

    time: float
    participant: str
    name: str
    present: bool = False
    """Told to a new listener about somebody who joined earlier."""

    kind = "participant.joined"

    def payload(self) -> Json:
        return {"name": self.name, "present": True} if self.present else {"name": self.name}


@dataclass(frozen=True, slots=True)
class ParticipantLeft:
    """Somebody's camera is gone from the picture."""

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
        }


@dataclass(frozen=True, slots=True)
class LiveScores:
    """Every label's score in one sample, best first: told to that participant only."""

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


SessionEvent: TypeAlias = ParticipantJoined | ParticipantLeft | ReactionStep | LiveScores


def as_json(event: SessionEvent) -> Json:
    """The event as a JSON object: ``event`` (its kind), ``t``, ``participant``, and the rest."""
    return {
        "event": event.kind,
        "t": round(event.time, 3),
        "participant": event.participant,
        **event.payload(),
    }


class Listener:
    """One reader's mailbox: ``async for`` over the events published since it was opened.

    A reader that falls ``capacity`` events behind is cut off (the iteration ends): what it missed
    can't be told any more, and connecting anew gives it the present state.
    """

    def __init__(self, capacity: int, private_to: str | None) -> None:
        self._capacity = capacity
        self._private_to = private_to
        self._waiting: deque[SessionEvent] = deque()
        self._wake = asyncio.Event()
        self._closed = False

    def put(self, event: SessionEvent) -> None:
        """Deliver ``event`` if this reader may see it."""
        if isinstance(event, LiveScores):
            if event.participant != self._private_to:
                return
            # Only the newest scores are worth reading.
            if self._waiting and isinstance(self._waiting[-1], LiveScores):
                self._waiting.pop()
        if len(self._waiting) >= self._capacity:
            self._closed = True
            self._waiting.clear()
        elif not self._closed:
            self._waiting.append(event)
        self._wake.set()

    def close(self) -> None:
        """End the iteration after what is waiting."""
        self._closed = True
        self._wake.set()

    def __aiter__(self) -> "Listener":
        return self

    async def __anext__(self) -> SessionEvent:
        while not self._waiting and not self._closed:
            self._wake.clear()
            await self._wake.wait()
        if not self._waiting:
            raise StopAsyncIteration
        return self._waiting.popleft()


class EventBus:
    """Hands each event to every listener; publishing never waits and never fails.

    At most ``listeners`` may listen at once, each ``capacity`` events behind.
    """

    def __init__(self, *, listeners: int = 256, capacity: int = 256) -> None:
        self._limit = listeners
        self._capacity = capacity
        self._listeners: set[Listener] = set()
        self._present: dict[str, ParticipantJoined] = {}
        self._closed = False

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return len(self._listeners)

    def publish(self, event: SessionEvent) -> None:
        """Hand ``event`` to everybody who may see it."""
        if isinstance(event, ParticipantJoined):
            self._present[event.participant] = replace(event, present=True)
        elif isinstance(event, ParticipantLeft):
            self._present.pop(event.participant, None)
        for listener in self._listeners:
            listener.put(event)

    @contextmanager
    def listen(self, private_to: str | None = None) -> Iterator[Listener]:
        """A mailbox that begins with a ``participant.joined`` for everybody present.

        ``private_to`` is the participant whose own scores it gets too. Raises RoomError when too
        many listen already.
        """
        if len(self._listeners) >= self._limit:
            raise RoomError(
                f"{self._limit} listeners already", where="events", do="close one and try again"
            )
        listener = Listener(self._capacity + len(self._present), private_to)
        for joined in self._present.values():
            listener.put(joined)
        if self._closed:
            listener.close()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def close(self) -> None:
        """End every listener: the session is over."""
        self._closed = True
        for listener in self._listeners:
            listener.close()
