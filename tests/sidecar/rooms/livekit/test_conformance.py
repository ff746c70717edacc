"""What every room must do, by a fake LiveKit server in this process and by a real one."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from livekit.protocol import models

from sidecar.rooms.base import Consent, JoinOptions, Room
from tests.conformance.room import RoomConformance, RoomHarness
from tests.servers.livekit import KEY, SECRET, LiveKit, livekit
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.rooms.livekit.admin import call, identities
from tests.sidecar.rooms.livekit.conftest import LIVEKIT
from tests.sidecar.rooms.livekit.fake_sfu import FakeLiveKit
from tests.sidecar.rooms.livekit.guest import Guest, joined

pytestmark = pytest.mark.peers

ROOM = "conformance"
GREY = 200
CHOICES = {Consent.OPT_OUT: "off", Consent.OPT_IN: "on"}


class FakeHarness:
    """Implements ``RoomHarness``."""

    def __init__(self, server: FakeLiveKit) -> None:
        self.server = server

    def room(self) -> Room:
        environ = {"LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET}
        return LIVEKIT.room(self.server.url, JoinOptions("Reactions", environ))

    async def join(self, name: str) -> str:
        return await self.server.join(name)

    async def join_unwatchable(self, name: str) -> str:
        return await self.server.join(name, "video/VP9")

    async def leave(self, participant: str) -> None:
        await self.server.leave(participant)

    async def choose(self, participant: str, consent: Consent) -> None:
        await self.server.choose(participant, CHOICES[consent])

    async def composite_arrives(self) -> None:
        await self.server.composite_arrived.wait()

    async def refuse(self) -> None:
        self.server.secret = "another-secret-of-at-least-32-characters"

    async def put_out(self) -> None:
        await self.server.put_out(models.DisconnectReason.PARTICIPANT_REMOVED)

    async def end(self) -> None:
        await self.server.put_out(models.DisconnectReason.ROOM_CLOSED)

    async def lose(self) -> None:
        await self.server.lose()

    async def recover(self) -> None:
        await self.server.start()

    async def hang(self) -> None:
        self.server.hanging = True


class TestFakeLiveKit(RoomConformance):
    @pytest.fixture
    async def harness(self) -> AsyncIterator[RoomHarness]:
        async with FakeLiveKit() as server:
            yield FakeHarness(server)


@dataclass(eq=False)
class RealHarness:
    """Implements ``RoomHarness``."""

    server: LiveKit
    stack: AsyncExitStack
    environ: dict[str, str] = field(default_factory=dict)
    guests: dict[str, tuple[Guest, AsyncExitStack]] = field(default_factory=dict)

    async def start(self) -> None:
        """Make the room, which closes soon after its last participant has left."""
        await call(self.server, ROOM, "CreateRoom", name=ROOM, departure_timeout=1)

    def room(self) -> Room:
        environ = {**self.server.environ, **self.environ}
        return LIVEKIT.room(self.server.url(ROOM), JoinOptions("Reactions", environ))

    async def join(self, name: str, codec: str = "VP8") -> str:
        guest = await self._joined(name)
        await guest.publish(ColourTrack(220), codec=codec)
        return name.lower()

    async def join_unwatchable(self, name: str) -> str:
        return await self.join(name, codec="VP9")

    async def leave(self, participant: str) -> None:
        _, stack = self.guests.pop(participant)
        await stack.aclose()

    async def choose(self, participant: str, consent: Consent) -> None:
        guest, _ = self.guests[participant]
        await guest.set_attributes(reactions=CHOICES[consent])

    async def composite_arrives(self) -> None:
        viewer = await self._joined("Viewer", watch=True)
        await eventually(lambda: viewer.sees(GREY))

    async def refuse(self) -> None:
        self.environ["LIVEKIT_API_SECRET"] = "this-is-not-the-secret-of-the-server"

    async def put_out(self) -> None:
        ours = [who for who in await identities(self.server, ROOM) if "sidecar" in who]
        publisher = next(who for who in ours if "watcher" not in who)
        await call(self.server, ROOM, "RemoveParticipant", identity=publisher)

    async def end(self) -> None:
        for participant in tuple(self.guests):
            await self.leave(participant)

    async def lose(self) -> None:
        self.server.process.kill()
        await self.end()

    async def recover(self) -> None:
        await self.server.process.start()
        await self.start()

    async def hang(self) -> None:
        process = psutil.Process(self.server.process.pid)
        process.suspend()
        self.stack.callback(process.resume)

    async def _joined(self, name: str, *, watch: bool = False) -> Guest:
        stack = AsyncExitStack()
        guest = await stack.enter_async_context(
            joined(self.server.address, ROOM, name.lower(), watch=watch)
        )
        self.guests[name.lower()] = guest, stack
        return guest


@pytest.mark.servers
class TestRealLiveKit(RoomConformance):
    @pytest.fixture
    async def harness(self, tmp_path: Path) -> AsyncIterator[RoomHarness]:
        async with livekit(tmp_path) as server, AsyncExitStack() as stack:
            harness = RealHarness(server, stack)
            stack.push_async_callback(harness.end)
            await harness.start()
            yield harness
