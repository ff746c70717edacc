"""Sinks of the tests' own."""

import asyncio

from sidecar.session.events import ParticipantJoined, SessionEvent


class RecordingSink:
    """Keeps what it gets; ``blocked`` makes it hang, ``failure`` makes it fail."""

    def __init__(self, name: str = "recording") -> None:
        self.name = name
        self.events: list[SessionEvent] = []
        self.open = asyncio.Event()
        self.open.set()
        self.failure: Exception | None = None
        self.started = self.closed = False

    async def start(self) -> None:
        self.started = True

    async def write(self, event: SessionEvent) -> None:
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        self.events.append(event)

    async def aclose(self) -> None:
        self.closed = True

    def delivered(self) -> list[tuple[str, str]]:
        """Kind and participant of each event."""
        return [(event.kind, event.participant) for event in self.events]


def joined(number: int) -> ParticipantJoined:
    """An event with a number."""
    return ParticipantJoined(float(number), f"p-{number}", f"Person {number}")
