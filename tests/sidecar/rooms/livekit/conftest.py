"""A real LiveKit server for each module of tests, and a room on it as a session would use it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from sidecar.media.feed import Feed
from sidecar.rooms.base import Consent, ConsentChanged, Joined, JoinOptions, Left, RoomChange
from sidecar.rooms.livekit.adapter import LiveKitAdapter
from sidecar.rooms.livekit.room import LiveKitRoom
from sidecar.rooms.reconnect import ReconnectingRoom
from tests.servers.livekit import LiveKit, livekit

LIVEKIT = LiveKitAdapter()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKit]:
    """One server for all tests of a module; each uses a room of its own."""
    with asyncio.Runner() as runner:
        context = livekit(tmp_path_factory.mktemp("livekit"))
        running = runner.run(context.__aenter__())
        try:
            yield running
        finally:
            runner.run(context.__aexit__(None, None, None))


@dataclass(eq=False)
class Sight:
    """What a session would see of a room."""

    room: LiveKitRoom | ReconnectingRoom
    present: dict[str, Joined] = field(default_factory=dict)
    consents: dict[str, Consent] = field(default_factory=dict)
    log: list[RoomChange] = field(default_factory=list)
    ended: bool = False
    failure: BaseException | None = None

    def feed(self, identity: str) -> Feed:
        """The camera of ``identity``, which is there."""
        feed = self.present[identity].feed
        assert feed is not None
        return feed

    def luma(self, identity: str) -> int | None:
        """How light the newest picture of ``identity`` is; None before there is one."""
        joined = self.present.get(identity)
        frame = joined.feed.frame if joined is not None and joined.feed is not None else None
        return None if frame is None else int(frame.to_ndarray()[10, 10])

    def shows(self, identity: str, luma: int) -> bool:
        """Whether the newest picture of ``identity`` is as light as ``luma``."""
        seen = self.luma(identity)
        return seen is not None and abs(seen - luma) < 6

    async def follow(self) -> None:
        """Keep up with the room until it ends."""
        try:
            async for change in self.room.changes():
                self.log.append(change)
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


def options(server: LiveKit, **changes: object) -> JoinOptions:
    """How the tests take part."""
    return replace(JoinOptions("Reactions", server.environ), **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def seen(server: LiveKit, room: str, **changes: object) -> AsyncIterator[Sight]:
    """Take part in ``room`` and follow it."""
    async with (
        LIVEKIT.room(server.url(room), options(server, **changes)) as entered,
        following(entered) as sight,
    ):
        yield sight


@asynccontextmanager
async def following(room: LiveKitRoom | ReconnectingRoom) -> AsyncIterator[Sight]:
    """Follow a room that is entered."""
    sight = Sight(room)
    task = asyncio.create_task(sight.follow())
    try:
        yield sight
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
