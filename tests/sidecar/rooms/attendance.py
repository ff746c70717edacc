"""What a room's changes come to, followed as a session would."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sidecar.aio import cancel_and_wait
from sidecar.media.feed import Feed
from sidecar.rooms.base import Consent, ConsentChanged, Joined, Left, Room, RoomChange
from tests.sidecar.rooms.composites import grey_composite


@dataclass(eq=False)
class Attendance:
    """Follows a room's changes; a participant is found by their id or their name."""

    room: Room
    changes: list[RoomChange] = field(default_factory=list)
    present: dict[str, Joined] = field(default_factory=dict)
    consents: dict[str, Consent] = field(default_factory=dict)
    ended: bool = False
    failure: Exception | None = None

    async def follow(self) -> None:
        """Until the meeting ends."""
        try:
            async for change in self.room.changes():
                self.changes.append(change)
                match change:
                    case Joined():
                        self.present[change.participant] = change
                    case Left():
                        del self.present[change.participant]
                    case ConsentChanged():
                        self.consents[change.participant] = change.consent
        except Exception as error:
            self.failure = error
        self.ended = True

    def find(self, who: str) -> Joined | None:
        """The participant ``who``, if they are present."""
        present = self.present.values()
        return next((each for each in present if who in (each.participant, each.name)), None)

    def feed(self, who: str) -> Feed | None:
        """The camera of ``who``."""
        return None if (joined := self.find(who)) is None else joined.feed

    def frames(self, who: str) -> int:
        """How many frames have come from ``who``."""
        return 0 if (feed := self.feed(who)) is None else feed.frames

    def problem(self, who: str) -> str:
        """Why the camera of ``who`` can't be watched."""
        return "" if (joined := self.find(who)) is None else joined.problem


@asynccontextmanager
async def following(room: Room) -> AsyncIterator[Attendance]:
    """Follow the changes of a room that is entered."""
    attendance = Attendance(room)
    task = asyncio.create_task(attendance.follow())
    try:
        yield attendance
    finally:
        await cancel_and_wait(task)


@asynccontextmanager
async def entered(room: Room, *, publishing: bool = False) -> AsyncIterator[Attendance]:
    """Enter a room and follow its changes, publishing a grey composite or nothing."""
    async with room, following(room) as attendance:
        if not publishing:
            yield attendance
            return
        async with grey_composite() as encoder:
            await room.publish(encoder)
            yield attendance
