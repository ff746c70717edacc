"""What every room must do, for a hosted one with real peers as its participants."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Self

import pytest
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription

from config.errors import HttpRefusalError
from sidecar.aio import Broadcast, TaskSet
from sidecar.media.peer_connection import close, peer_connection
from sidecar.rooms.base import Consent, ConsentChanged, Joined, Room
from sidecar.rooms.hosted.offer import Offer, Role, read_offer
from sidecar.rooms.hosted.room import HostedRoom
from sidecar.rooms.hosted.sessions import Place
from tests.conformance.room import RoomConformance, RoomHarness, kinds, lacks, watched
from tests.sidecar.clients import ColourTrack, eventually, offer_sdp
from tests.sidecar.rooms.attendance import entered, following

pytestmark = pytest.mark.peers


class AnnouncedRoom(HostedRoom):
    """A hosted room that says whether it is open, as its HTTP server would."""

    def __init__(self, announce: Callable[[HostedRoom | None], None]) -> None:
        super().__init__("conformance")
        self._announce = announce

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self._announce(self)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._announce(None)
        await super().__aexit__(*exc)


class Visitor:
    """A participant, who joins each room that opens and publishes a camera there."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.consent = Consent.OPT_IN
        self.place: Place | None = None

    async def visit(self, room: HostedRoom, closed: Callable[[], bool], news: Broadcast) -> None:
        """Take part in ``room`` until it is ``closed``."""
        peer, track = peer_connection(), ColourTrack()
        try:
            peer.addTransceiver(track, direction="sendonly")
            answer = await room.join(await sdp_offer(peer, Role.PUBLISH), self.name, self.consent)
            self.place = room.place(Role.PUBLISH, answer.token)
            news.notify()
            await peer.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
            await news.wait_for(closed)
        except HttpRefusalError:
            # The room was closed meanwhile.
            await news.wait_for(closed)
        finally:
            self.place = None
            track.stop()
            await close(peer)


async def sdp_offer(peer: RTCPeerConnection, role: Role) -> Offer:
    return read_offer((await offer_sdp(peer)).encode(), "application/sdp", role)


class HostedHarness:
    """Implements ``RoomHarness``. A participant who joins before a room is open waits for it, and
    is called by name until then: their id is one of their session."""

    def __init__(self) -> None:
        self._current: HostedRoom | None = None
        self._news = Broadcast()
        self._visitors: dict[str, tuple[Visitor, asyncio.Task[None]]] = {}
        self._tasks = TaskSet()

    async def aclose(self) -> None:
        await self._tasks.aclose()

    def room(self) -> Room:
        return AnnouncedRoom(self._announce)

    async def join(self, name: str) -> str:
        visitor = Visitor(name)
        task = self._tasks.create_task(self._come(visitor), name=f"visitor {name}")
        self._visitors[name] = visitor, task
        if self._current is None:
            return name
        await self._news.wait_for(lambda: visitor.place is not None)
        assert visitor.place is not None
        return visitor.place.participant

    async def join_unwatchable(self, name: str) -> str:
        lacks("an offer without a codec that can be decoded is refused")

    async def leave(self, participant: str) -> None:
        visitor, task = self._find(participant)
        if self._current is not None and visitor.place is not None:
            self._current.leave(visitor.place)
        task.cancel()
        await asyncio.wait([task])

    async def choose(self, participant: str, consent: Consent) -> None:
        visitor, _ = self._find(participant)
        visitor.consent = consent
        if self._current is not None and visitor.place is not None:
            self._current.consent(visitor.place, consent)

    async def composite_arrives(self) -> None:
        assert self._current is not None
        peer, tracks = peer_connection(), list[MediaStreamTrack]()
        peer.on("track", tracks.append)
        try:
            peer.addTransceiver("video", direction="recvonly")
            answer = await self._current.watch(await sdp_offer(peer, Role.WATCH))
            await peer.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
            await tracks[0].recv()
            self._current.leave(self._current.place(Role.WATCH, answer.token))
        finally:
            await close(peer)

    async def refuse(self) -> None:
        lacks("a server enters its own rooms")

    async def put_out(self) -> None:
        lacks("a server is not put out of its own rooms")

    async def end(self) -> None:
        lacks("a hosted room ends when its server leaves it")

    async def lose(self) -> None:
        lacks("a hosted room is in the server's own process")

    async def recover(self) -> None:
        """Never lost."""

    async def hang(self) -> None:
        """There is no server but us."""

    def _announce(self, room: HostedRoom | None) -> None:
        self._current = room
        self._news.notify()

    def _find(self, who: str) -> tuple[Visitor, asyncio.Task[None]]:
        for visitor, task in self._visitors.values():
            place = visitor.place
            if who == visitor.name or (place is not None and who == place.participant):
                return visitor, task
        raise LookupError(who)

    async def _come(self, visitor: Visitor) -> None:
        while True:
            await self._news.wait_for(lambda: self._current is not None)
            room = self._current
            assert room is not None
            await visitor.visit(room, lambda: self._current is not room, self._news)  # noqa: B023


class TestHostedRoom(RoomConformance):
    @pytest.fixture
    async def harness(self) -> AsyncIterator[RoomHarness]:
        harness = HostedHarness()
        try:
            yield harness
        finally:
            await harness.aclose()

    async def test_an_opt_out_precedes_the_camera_of_who_is_present(
        self, harness: RoomHarness
    ) -> None:
        """To each reader of one room, since a hosted room is entered by one session."""
        await harness.join("Ada")
        await harness.choose("Ada", Consent.OPT_OUT)
        async with entered(harness.room()) as first:
            await watched(first, "Ada")
            ada = first.changes[0].participant
            async with following(first.room) as late:
                await watched(late, "Ada")
            assert first.changes == late.changes
            assert kinds(ada, late.changes) == [ConsentChanged, Joined]

    async def test_a_slow_reader_gets_the_newest_state(self, harness: RoomHarness) -> None:
        """Of one room, as a reader that begins late."""
        async with entered(harness.room()) as prompt:
            ada = await harness.join("Ada")
            await watched(prompt, ada)
            await harness.leave(ada)
            bob = await harness.join("Bob")
            await harness.choose(bob, Consent.OPT_OUT)
            await watched(prompt, bob)
            await eventually(lambda: prompt.consents.get(bob) is Consent.OPT_OUT)
            async with following(prompt.room) as slow:
                await watched(slow, bob)
                assert slow.consents == {bob: Consent.OPT_OUT}
                assert list(slow.present) == [bob]
