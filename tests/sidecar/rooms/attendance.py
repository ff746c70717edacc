"""The state that a room's changes add up to, as a session follows them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Generic

from typing_extensions import TypeVar

from sidecar.aio import cancel_and_wait
from sidecar.media.feed import Feed
from sidecar.rooms.base import Consent, ConsentChanged, Joined, Left, Room, RoomChange
from tests.sidecar.rooms.composites import grey_composite

RoomT = TypeVar("RoomT", bound=Room)
FollowedRoom = TypeVar("FollowedRoom", bound=Room, default=Room, covariant=True)


@dataclass(eq=False)
class Attendance(Generic[FollowedRoom]):
    """Follows a room's changes; a participant is found by their id or their name."""

    room: FollowedRoom
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

    def camera(self, who: str) -> Feed:
        """The camera of ``who``, which can be watched."""
        feed = self.feed(who)
        assert feed is not None
        return feed

    def luma(self, who: str) -> int | None:
        """How light the newest picture of ``who`` is, 0–255; None before there is one."""
        feed = self.feed(who)
        frame = None if feed is None else feed.frame
        return None if frame is None else int(frame.to_ndarray()[10, 10])

    def shows(self, who: str, luma: int) -> bool:
        """Whether the newest picture of ``who`` is as light as ``luma``."""
        seen = self.luma(who)
        return seen is not None and abs(seen - luma) < 6

    def problem(self, who: str) -> str:
        """Why the camera of ``who`` can't be watched."""
        return "" if (joined := self.find(who)) is None else joined.problem


@asynccontextmanager
async def following(room: RoomT) -> AsyncIterator[Attendance[RoomT]]:
    """Follow the changes of a room that is entered."""
    attendance = Attendance(room)
    task = asyncio.create_task(attendance.follow())
    try:
        yield attendance
    finally:
        await cancel_and_wait(task)


@asynccontextmanager
async def entered(room: RoomT, *, publishing: bool = False) -> AsyncIterator[Attendance[RoomT]]:
    """Enter a room and follow its changes, publishing a grey composite or nothing."""
    async with room, following(room) as attendance:
        if not publishing:
            yield attendance
            return
        async with grey_composite() as encoder:
            await room.publish(encoder)
            yield attendance
