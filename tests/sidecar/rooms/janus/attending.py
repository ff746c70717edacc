"""A sidecar's place in a room, and everything that the room told of it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiortc import RTCIceServer

from sidecar.media.encoder import Encoder
from sidecar.media.feed import Feed
from sidecar.rooms.base import Consent, ConsentChanged, Joined, JoinOptions, Left, Room, RoomChange
from sidecar.rooms.janus.adapter import ADAPTER
from tests.sidecar.media.pictures import flat

NAME = "Reactions"


@dataclass(eq=False)
class Attendance:
    """Follows a room's changes."""

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
                        self.present.pop(change.participant, None)
                    case ConsentChanged():
                        self.consents[change.participant] = change.consent
        except Exception as error:
            self.failure = error
        self.ended = True

    def feed(self, name: str) -> Feed | None:
        """The camera of whoever has this name."""
        return next((each.feed for each in self.present.values() if each.name == name), None)

    def frames(self, name: str) -> int:
        """How many pictures have come from whoever has this name."""
        feed = self.feed(name)
        return 0 if feed is None else feed.frames

    def problem(self, name: str) -> str:
        """Why the camera of whoever has this name can't be watched."""
        return next((each.problem for each in self.present.values() if each.name == name), "")


def options(
    environ: Mapping[str, str] | None = None,
    ice_servers: Sequence[RTCIceServer] = (),
    *,
    relay_only: bool = False,
) -> JoinOptions:
    """How the sidecar takes part."""
    return JoinOptions(NAME, environ or {}, ice_servers=ice_servers, relay_only=relay_only)


@asynccontextmanager
async def attending(
    url: str, how: JoinOptions | None = None, *, publishing: bool = False
) -> AsyncIterator[Attendance]:
    """Take part in the room at ``url``, publishing a grey composite or nothing."""
    async with ADAPTER.room(url, how or options()) as room, following(room) as attendance:
        if not publishing:
            yield attendance
            return
        async with composite() as encoder:
            await room.publish(encoder)
            yield attendance


@asynccontextmanager
async def following(room: Room) -> AsyncIterator[Attendance]:
    """Follow a room's changes."""
    attendance = Attendance(room)
    task = asyncio.create_task(attendance.follow())
    try:
        yield attendance
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def composite(fps: int = 10) -> AsyncIterator[Encoder]:
    """An encoder that is fed with a grey picture."""
    encoder = Encoder(160, 96, fps=fps, bitrate=200_000)

    async def feed() -> None:
        tick = 0
        while True:
            encoder.publish(encoder.encode(flat(160, 96), tick))
            tick += 1
            await asyncio.sleep(1 / fps)

    task = asyncio.create_task(feed())
    try:
        yield encoder
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        encoder.close()
