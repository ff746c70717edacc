"""What every room must do, for streams of a WHEP server in this process."""

from collections.abc import AsyncIterator

import pytest

from config.errors import RefusedError
from sidecar.rooms.base import Consent, JoinOptions, Room
from sidecar.rooms.whep.adapter import ADAPTER
from tests.conformance.room import RoomConformance, RoomHarness, lacks, watched
from tests.sidecar.clients import eventually
from tests.sidecar.rooms.attendance import entered
from tests.sidecar.rooms.whep.fake_server import FakeWhepServer

pytestmark = pytest.mark.peers


class WhepHarness:
    """Implements ``RoomHarness``: a participant is a stream, named before the room is entered."""

    def __init__(self, server: FakeWhepServer) -> None:
        self.server = server
        self.names: list[str] = []
        self.named = False
        """A room has been made, and with it its streams are known."""

    def room(self) -> Room:
        self.named = True
        addresses = " ".join(self.server.url(name) for name in self.names or ["absent"])
        return ADAPTER.room(addresses, JoinOptions("Reactions"))

    async def join(self, name: str) -> str:
        self._name(name)
        self.server.publish(name)
        return name

    async def join_unwatchable(self, name: str) -> str:
        self._name(name)
        self.server.publish(name, codec_shared=False)
        return name

    async def leave(self, participant: str) -> None:
        lacks("a stream that ends is waited for")

    async def choose(self, participant: str, consent: Consent) -> None:
        lacks("streams say nothing about reactions")

    async def composite_arrives(self) -> None:
        lacks("streams take no composite")

    async def refuse(self) -> None:
        self.server.token = "sesame"

    async def put_out(self) -> None:
        lacks("streams take no composite")

    async def end(self) -> None:
        lacks("a stream that ends is waited for")

    async def lose(self) -> None:
        await self.server.lose()

    async def recover(self) -> None:
        await self.server.start()

    async def hang(self) -> None:
        self.server.hang()

    def _name(self, name: str) -> None:
        if name not in self.names:
            if self.named:
                lacks("streams are named before a room is entered")
            self.names.append(name)


class TestWhepRoom(RoomConformance):
    @pytest.fixture
    async def harness(self) -> AsyncIterator[RoomHarness]:
        async with FakeWhepServer() as server:
            yield WhepHarness(server)

    async def test_a_lost_server_ends_the_changes_with_an_error_that_is_not_final(
        self, harness: RoomHarness
    ) -> None:
        """A server that is back, and lets us in no more, ends them with one that is final."""
        ada = await harness.join("Ada")
        async with entered(harness.room()) as attendance:
            await watched(attendance, ada)
            await harness.lose()
            await harness.refuse()
            await harness.recover()
            await eventually(lambda: attendance.ended)
        assert isinstance(attendance.failure, RefusedError)

    async def test_a_lost_server_is_joined_again(self, harness: RoomHarness) -> None:
        """By each stream on its own: its participant stays meanwhile, with the same feed."""
        ada = await harness.join("Ada")
        async with entered(harness.room()) as attendance:
            await watched(attendance, ada)
            await harness.lose()
            await harness.recover()
            await harness.join("Ada")
            seen = attendance.frames(ada)
            await eventually(lambda: attendance.frames(ada) > seen + 2)
            assert len(attendance.changes) == 1
