"""What every room must do, for one on another sidecar's server with real peers in it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import aiohttp
import pytest

from sidecar.rooms.base import Consent, ConsentChanged, Joined, JoinOptions, Room
from sidecar.rooms.sidecar_room.adapter import ADAPTER
from tests.conformance.room import RoomConformance, RoomHarness, kinds, lacks, watched
from tests.servers.process import free_ports
from tests.sidecar.clients import Client, ColourTrack, eventually, publishing
from tests.sidecar.rooms.attendance import entered, following
from tests.sidecar.rooms.janus.proxy import Proxy, proxy
from tests.sidecar.server.conftest import RunningServer, running_server

pytestmark = pytest.mark.peers

NAME = "Reactions"


@dataclass(frozen=True, eq=False)
class Visit:
    """A participant's session with the server."""

    client: Client
    life: AsyncExitStack


class SidecarRoomHarness:
    """Implements ``RoomHarness`` for room ``one`` of a server behind a proxy."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._life = AsyncExitStack()
        # One that the server can have again after it was down.
        (self._port,) = free_ports(1)
        self._proxy: Proxy | None = None
        self._house: RunningServer | None = None
        self._visits: dict[str, Visit] = {}

    async def start(self, rooms: tuple[str, ...] = ("one",)) -> None:
        """Serve ``rooms``, on the same ports as before."""
        serving = running_server(fixed=rooms, share_cameras=True, port=self._port)
        self._house = await self._life.enter_async_context(serving)
        if self._proxy is None:
            self._proxy = await self._life.enter_async_context(proxy(self._port))
        else:
            await self._proxy.open()
            self._life.push_async_callback(self._proxy.cut)

    async def aclose(self) -> None:
        """All participants leave, and the server is down."""
        for participant in tuple(self._visits):
            await self._visits.pop(participant).life.aclose()
        await self._life.aclose()

    def room(self) -> Room:
        assert self._proxy is not None
        return ADAPTER.room(f"http://127.0.0.1:{self._proxy.port}/rooms/one", JoinOptions(NAME))

    async def join(self, name: str, consent: Consent = Consent.OPT_IN) -> str:
        assert self._house is not None
        opted_out = int(consent is Consent.OPT_OUT)
        url = self._house.url(f"/rooms/one/whip?name={name}&opted_out={opted_out}")
        life = AsyncExitStack()
        client = await life.enter_async_context(publishing(self._http, url, ColourTrack()))
        participant = client.response.headers["Sidecar-Participant"]
        self._visits[participant] = Visit(client, life)
        return participant

    async def join_unwatchable(self, name: str) -> str:
        return await self.join(name, Consent.OPT_OUT)

    async def leave(self, participant: str) -> None:
        visit = self._visits.pop(participant)
        async with self._http.delete(visit.client.url) as response:
            assert response.status == 200
        await visit.life.aclose()

    async def choose(self, participant: str, consent: Consent) -> None:
        url = f"{self._visits[participant].client.url}/consent"
        body = {"opted_out": consent is Consent.OPT_OUT}
        async with self._http.post(url, json=body) as response:
            assert response.status == 204

    async def composite_arrives(self) -> None:
        def arrived() -> bool:
            assert self._house is not None
            present = self._house.meetings["one"].present.values()
            return any(each.name == NAME and each.feed and each.feed.frames for each in present)

        await eventually(arrived)

    async def refuse(self) -> None:
        await self.lose()
        await self.start(("two",))

    async def put_out(self) -> None:
        lacks("a hosted room puts no one out for good")

    async def end(self) -> None:
        lacks("a hosted room is opened again by who joins it")

    async def lose(self) -> None:
        assert self._proxy is not None
        await self._proxy.cut()
        await self.aclose()

    async def recover(self) -> None:
        await self.start()

    async def hang(self) -> None:
        assert self._proxy is not None
        self._proxy.hold()


class TestSidecarRoom(RoomConformance):
    @pytest.fixture
    async def harness(self) -> AsyncIterator[RoomHarness]:
        async with aiohttp.ClientSession() as http:
            harness = SidecarRoomHarness(http)
            await harness.start()
            try:
                yield harness
            finally:
                await harness.aclose()

    async def test_an_opt_out_precedes_the_camera_of_who_is_present(
        self, harness: RoomHarness
    ) -> None:
        """The camera of a participant who opted out is not shared at all."""
        ada = await harness.join("Ada")
        await harness.choose(ada, Consent.OPT_OUT)
        async with entered(harness.room()) as first, harness.room() as late:
            await eventually(lambda: first.problem(ada))
            async with following(late) as attendance:
                await eventually(lambda: attendance.problem(ada))
                assert kinds(ada, attendance.changes) == [ConsentChanged, Joined]
                assert attendance.feed(ada) is None

    async def test_a_slow_reader_gets_the_newest_state(self, harness: RoomHarness) -> None:
        """Where the newest state of a participant who opted out has no camera."""
        async with entered(harness.room()) as prompt, harness.room() as slow:
            ada = await harness.join("Ada")
            await watched(prompt, ada)
            await harness.leave(ada)
            bob = await harness.join("Bob")
            await watched(prompt, bob)
            await harness.choose(bob, Consent.OPT_OUT)
            await eventually(lambda: prompt.problem(bob))
            await eventually(lambda: ada not in prompt.present)
            async with following(slow) as attendance:
                await eventually(lambda: attendance.problem(bob))
                assert attendance.consents[bob] is Consent.OPT_OUT
                await eventually(lambda: list(attendance.present) == [bob])
