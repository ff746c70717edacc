"""What every room must do, by a fake Janus in this process and by a real one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from sidecar.media.peer import PeerTimeouts
from sidecar.rooms.base import Consent, Room
from sidecar.rooms.janus.adapter import JanusAdapter
from sidecar.rooms.janus.transport import JanusTimeouts
from tests.conformance.room import RoomConformance, RoomHarness
from tests.servers.janus import JanusServer, Setup
from tests.sidecar.clients import ColourTrack
from tests.sidecar.rooms.janus.attending import NAME, options
from tests.sidecar.rooms.janus.client import Camera, JanusClient, camera, client, watching
from tests.sidecar.rooms.janus.fake_server import FakeJanusServer

pytestmark = pytest.mark.peers

SECRET = "room-secret"
IMPATIENT = JanusAdapter(
    JanusTimeouts(tick=0.1, silence=3.0, reclaim=0.5, peer=PeerTimeouts(close=2.0))
)
WORDS = {Consent.OPT_OUT: "!reactions off", Consent.OPT_IN: "!reactions on"}


class FakeHarness:
    """Implements ``RoomHarness``."""

    def __init__(self, server: FakeJanusServer) -> None:
        self.server = server

    def room(self) -> Room:
        return IMPATIENT.room(self.server.url, options())

    async def join(self, name: str) -> str:
        return str(self.server.join(name))

    async def join_unwatchable(self, name: str) -> str:
        return str(self.server.join(name, codec="vp9"))

    async def leave(self, participant: str) -> None:
        del self.server.participants[int(participant)]

    async def choose(self, participant: str, consent: Consent) -> None:
        publisher = self.server.participants[int(participant)]
        publisher.display = f"{publisher.display.split(' ')[0]} {WORDS[consent]}"

    async def composite_arrives(self) -> None:
        await self.server.composite_arrived.wait()

    async def refuse(self) -> None:
        self.server.pin = "sesame"

    async def put_out(self) -> None:
        await self.server.kick()

    async def end(self) -> None:
        await self.server.destroy()

    async def lose(self) -> None:
        await self.server.lose()

    async def recover(self) -> None:
        await self.server.start()

    async def hang(self) -> None:
        self.server.hanging = True


class TestFakeJanus(RoomConformance):
    @pytest.fixture
    async def harness(self) -> AsyncIterator[RoomHarness]:
        async with FakeJanusServer() as server:
            yield FakeHarness(server)


@dataclass(eq=False)
class RealHarness:
    """Implements ``RoomHarness`` for a room that needs ``SECRET`` for its administration."""

    server: JanusServer
    stack: AsyncExitStack
    environ: dict[str, str] = field(default_factory=lambda: {"JANUS_PIN": "sesame"})
    cameras: dict[str, tuple[Camera, AsyncExitStack]] = field(default_factory=dict)
    someone: JanusClient | None = None

    def room(self) -> Room:
        return IMPATIENT.room(self.server.url("1234"), options(self.environ))

    async def join(self, name: str, **how: Any) -> str:
        session = await self._client()
        stack = AsyncExitStack()
        publishing = camera(session, 1234, name, ColourTrack(), pin="sesame", **how)
        published = await stack.enter_async_context(publishing)
        self.cameras[str(published.id)] = published, stack
        self.stack.push_async_callback(stack.aclose)
        return str(published.id)

    async def join_unwatchable(self, name: str) -> str:
        return await self.join(name, codec="VP8", alias="VP9")

    async def leave(self, participant: str) -> None:
        _, stack = self.cameras.pop(participant)
        await stack.aclose()

    async def choose(self, participant: str, consent: Consent) -> None:
        published, _ = self.cameras[participant]
        display = f"Ada {WORDS[consent]}"
        await (await self._client()).say(published.handle, "configure", display=display)

    async def composite_arrives(self) -> None:
        session = await self._client()
        while not (ids := await self._composites(session)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        async with watching(session, 1234, ids[0], pin="sesame") as track:
            await track.recv()

    async def refuse(self) -> None:
        self.environ["JANUS_PIN"] = "guess"

    async def put_out(self) -> None:
        session = await self._client()
        handle = await session.attach()
        for person in await session.people(1234):
            await session.say(handle, "kick", room=1234, secret=SECRET, id=person["id"])

    async def end(self) -> None:
        session = await self._client()
        await session.say(await session.attach(), "destroy", room=1234, secret=SECRET)

    async def lose(self) -> None:
        self.someone = None
        await self.server.process.stop()

    async def recover(self) -> None:
        await self.server.process.start()

    async def hang(self) -> None:
        process = psutil.Process(self.server.process.pid)
        process.suspend()
        self.stack.callback(process.resume)

    async def _composites(self, session: JanusClient) -> list[int]:
        people = await session.people(1234)
        return [each["id"] for each in people if each["display"] == NAME and each["publisher"]]

    async def _client(self) -> JanusClient:
        if self.someone is None:
            entering = client(self.server.ports["ws"])
            self.someone = await self.stack.enter_async_context(entering)
        return self.someone


@pytest.mark.servers
class TestRealJanus(RoomConformance):
    @pytest.fixture
    async def harness(self, tmp_path: Path) -> AsyncIterator[RoomHarness]:
        room: dict[str, Any] = {
            "publishers": 6,
            "videocodec": "vp8,vp9",
            "pin": "sesame",
            "secret": SECRET,
        }
        setup = Setup(rooms={"1234": room})
        async with JanusServer(tmp_path / "janus", setup) as server, AsyncExitStack() as stack:
            harness = RealHarness(server, stack)
            await harness._client()
            yield harness
