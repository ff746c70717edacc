"""What every Room must do, for Galène: on the fake and on a real server."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from sidecar.rooms.base import Consent
from sidecar.rooms.galene.room import GaleneRoom
from tests.conformance.room import RoomConformance, RoomHarness, lacks
from tests.sidecar.clients import ColourTrack, eventually
from tests.sidecar.rooms.galene.conftest import NAME, GroupServer, group_room
from tests.sidecar.rooms.galene.people import Person, person, sees

pytestmark = pytest.mark.peers

COMMANDS = {Consent.OPT_OUT: "!reactions off", Consent.OPT_IN: "!reactions on"}


class GaleneHarness:
    """One group of a server, and the participants in it."""

    def __init__(self, server: GroupServer) -> None:
        self._server = server
        self._url = server.url("room")
        self._stays: dict[str, AsyncExitStack] = {}
        self._people: dict[str, Person] = {}

    async def aclose(self) -> None:
        """All participants leave."""
        self._server.thaw()
        for participant in tuple(self._stays):
            await self.leave(participant)

    def room(self) -> GaleneRoom:
        return group_room(self._url)

    async def join(self, name: str) -> str:
        await (await self._enter(name)).show(ColourTrack())
        return name

    async def join_unwatchable(self, name: str) -> str:
        await (await self._enter(name)).show(ColourTrack(), codec="VP9")
        return name

    async def leave(self, participant: str) -> None:
        del self._people[participant]
        await self._stays.pop(participant).aclose()

    async def choose(self, participant: str, consent: Consent) -> None:
        await self._people[participant].say(COMMANDS[consent])

    async def composite_arrives(self) -> None:
        viewer = await self._enter("Viewer")
        await viewer.watch()
        await eventually(lambda: sees(viewer, NAME))

    async def refuse(self) -> None:
        operator = await self._enter("op", password="op-password")
        who = {"source": operator.id, "username": operator.name}
        await operator.send("groupaction", kind="lock", value="closed for today", **who)
        await operator.send("ping")
        await eventually(lambda: any(each["type"] == "pong" for each in operator.received))

    async def put_out(self) -> None:
        operator = await self._enter("op", password="op-password")
        await eventually(lambda: NAME in operator.users.values())
        (us,) = (client for client, name in operator.users.items() if name == NAME)
        await operator.act("kick", us, "not today")

    async def end(self) -> None:
        lacks("a Galène group is left, not ended")

    async def lose(self) -> None:
        await self._server.kill()
        for participant in tuple(self._stays):
            await self.leave(participant)

    async def recover(self) -> None:
        await self._server.start()

    async def hang(self) -> None:
        self._server.freeze()

    async def _enter(self, name: str, password: str = "") -> Person:
        stay = self._stays[name] = AsyncExitStack()
        self._people[name] = await stay.enter_async_context(
            person(self._url, name, password=password)
        )
        return self._people[name]


class TestGaleneRoom(RoomConformance):
    """The conformance suite."""

    @pytest.fixture
    async def harness(self, server: GroupServer) -> AsyncIterator[RoomHarness]:
        harness = GaleneHarness(server)
        try:
            yield harness
        finally:
            await harness.aclose()
