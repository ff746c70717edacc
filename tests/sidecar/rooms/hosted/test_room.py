"""A room with real peers, spoken to without HTTP; see tests/sidecar/server for that."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription

from config.errors import HttpRefusalError
from sidecar.media.encoder import Encoder
from sidecar.media.peer_connection import close, peer_connection
from sidecar.media.receive_peer import ReceivePeer
from sidecar.rooms.base import Consent, ConsentChanged, Joined, Left, RoomChange
from sidecar.rooms.hosted.offer import Offer, Role, read_offer
from sidecar.rooms.hosted.room import HostedRoom
from sidecar.rooms.hosted.sessions import Limits, Place
from tests.servers.soak import JOINS
from tests.sidecar.clients import ColourTrack, eventually, offer_sdp
from tests.sidecar.leaks import back_to, settled

pytestmark = pytest.mark.peers


class Clock:
    """The loop's time, put forward by tests that can't wait."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return asyncio.get_running_loop().time() + self.ahead


async def camera_offer(peer: RTCPeerConnection, track: ColourTrack) -> Offer:
    peer.addTransceiver(track, direction="sendonly")
    return read_offer((await offer_sdp(peer)).encode(), "application/sdp", Role.PUBLISH)


async def viewer_offer(peer: RTCPeerConnection) -> Offer:
    peer.addTransceiver("video", direction="recvonly")
    return read_offer((await offer_sdp(peer)).encode(), "application/sdp", Role.WATCH)


@asynccontextmanager
async def joined(
    room: HostedRoom,
    name: str = "Ada",
    *,
    consent: Consent = Consent.OPT_IN,
    track: ColourTrack | None = None,
) -> AsyncIterator[Place]:
    """A real peer that publishes."""
    peer = peer_connection()
    track = track or ColourTrack()
    try:
        answer = await room.join(await camera_offer(peer, track), name, consent)
        await peer.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
        yield room.place(Role.PUBLISH, answer.token)
    finally:
        track.stop()
        await close(peer)


class Reader:
    """All changes of a room, read in the background."""

    def __init__(self, room: HostedRoom) -> None:
        self.changes: list[RoomChange] = []
        self.task = asyncio.create_task(self._read(room))

    async def _read(self, room: HostedRoom) -> None:
        async for change in room.changes():
            self.changes.append(change)

    def has(self, what: Callable[[RoomChange], bool]) -> Callable[[], bool]:
        return lambda: any(what(change) for change in self.changes)


async def test_a_camera_is_reported_when_it_can_be_watched_and_when_it_is_gone() -> None:
    async with HostedRoom("one") as room:
        reader = Reader(room)
        async with joined(room, "Ada") as place:
            await eventually(lambda: reader.changes)
            (change,) = reader.changes
            assert isinstance(change, Joined)
            assert (change.participant, change.name) == (place.participant, "Ada")
            feed = change.feed
            assert feed is not None
            await eventually(lambda: feed.frame)
            room.leave(place)
            await eventually(lambda: len(reader.changes) == 2)
            assert reader.changes[1] == Left(place.participant, "left")
            await eventually(lambda: feed.ended)
    await reader.task


async def test_a_late_reader_gets_who_is_present_and_who_opted_out() -> None:
    async with HostedRoom("one") as room, joined(room, consent=Consent.OPT_OUT) as place:
        early = Reader(room)
        await eventually(lambda: len(early.changes) == 2)
        late = Reader(room)
        await eventually(lambda: len(late.changes) == 2)
        joined_early, joined_late = early.changes[1], late.changes[1]
        assert isinstance(joined_early, Joined)
        assert isinstance(joined_late, Joined)
        assert joined_late.feed is joined_early.feed
        assert late.changes[0] == ConsentChanged(place.participant, Consent.OPT_OUT)


async def test_each_change_of_consent_is_reported_once() -> None:
    async with HostedRoom("one") as room, joined(room) as place:
        reader = Reader(room)
        await eventually(lambda: reader.changes)
        room.consent(place, Consent.OPT_OUT)
        room.consent(place, Consent.OPT_OUT)
        await eventually(lambda: len(reader.changes) == 2)
        room.consent(place, Consent.OPT_IN)
        await eventually(lambda: len(reader.changes) == 3)
        assert reader.changes[1:] == [
            ConsentChanged(place.participant, Consent.OPT_OUT),
            ConsentChanged(place.participant, Consent.OPT_IN),
        ]


async def test_leaving_the_room_ends_its_changes_with_all_participants_gone() -> None:
    async with HostedRoom("one") as room:
        reader = Reader(room)
        async with joined(room) as place:
            await eventually(lambda: reader.changes)
            await room.__aexit__()
            await asyncio.wait_for(reader.task, 30)
            assert reader.changes[-1] == Left(place.participant, "the room closed")
        with pytest.raises(HttpRefusalError, match="closed"):
            await room.join(Offer("", Role.PUBLISH, 0), "Bo")


async def test_a_camera_that_falls_silent_is_gone_though_its_connection_lasts() -> None:
    clock = Clock()
    async with HostedRoom("one", limits=Limits(silence=10.0), clock=clock) as room:
        reader = Reader(room)
        track = ColourTrack()
        async with joined(room, track=track) as place:
            await eventually(lambda: place.media_at is not None)
            track.frozen = True
            clock.ahead = 6.0
            await asyncio.sleep(1.0)
            assert room.count(Role.PUBLISH) == 1
            clock.ahead = 10.0
            await eventually(lambda: len(reader.changes) == 2)
            assert reader.changes[1] == Left(place.participant, "no heartbeat")


async def test_heartbeats_keep_the_place_of_a_camera_that_falls_silent() -> None:
    clock = Clock()
    async with HostedRoom("one", limits=Limits(silence=10.0), clock=clock) as room:
        track = ColourTrack()
        async with joined(room, track=track) as place:
            await eventually(lambda: place.media_at is not None)
            track.frozen = True
            clock.ahead = 15.0
            room.beat(place)
            await asyncio.sleep(1.0)
            assert room.count(Role.PUBLISH) == 1


async def test_a_connection_that_fails_its_check_ends_no_other_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    count_media = ReceivePeer.media_count
    clock = Clock()
    async with (
        HostedRoom("one", limits=Limits(silence=10.0), clock=clock) as room,
        joined(room) as broken,
        joined(room) as sound,
    ):
        first: list[ReceivePeer] = []

        def fail_for_the_first(self: ReceivePeer) -> int:
            first[:] = first or [self]
            if self is first[0]:
                raise RuntimeError("no statistics")
            return count_media(self)

        monkeypatch.setattr(ReceivePeer, "media_count", fail_for_the_first)
        await eventually(lambda: sound.media_at is not None)
        clock.ahead = 10.0
        await eventually(lambda: room.count(Role.PUBLISH) == 1)
        with pytest.raises(HttpRefusalError, match="no such session"):
            room.place(Role.PUBLISH, broken.token)
        assert room.place(Role.PUBLISH, sound.token) is sound


async def test_a_peer_that_never_connects_never_shows_and_loses_its_place() -> None:
    clock = Clock()
    async with HostedRoom("one", limits=Limits(participants=1), clock=clock) as room:
        reader = Reader(room)
        peer = peer_connection()
        try:
            offer = await camera_offer(peer, ColourTrack())
            await room.join(offer, "Ada")
            with pytest.raises(HttpRefusalError, match="full"):
                await room.join(offer, "Bo")
            clock.ahead = 10.0
            await eventually(lambda: room.count(Role.PUBLISH) == 0)
            assert reader.changes == []
        finally:
            await close(peer)


async def test_without_a_composite_there_is_nothing_to_watch() -> None:
    async with HostedRoom("one") as room:
        with pytest.raises(HttpRefusalError) as caught:
            await room.watch(Offer("", Role.WATCH, 0))
        assert caught.value.status == 409


async def test_a_refused_offer_leaves_no_place_behind() -> None:
    async with HostedRoom("one") as room:
        with pytest.raises(HttpRefusalError) as caught:
            await room.join(Offer("v=0\r\nm=video", Role.PUBLISH, 12), "Ada")
        assert caught.value.status == 400
        assert room.count(Role.PUBLISH) == 0


async def test_a_viewer_takes_a_track_of_the_composite_and_gives_it_back() -> None:
    encoder = Encoder(160, 90)
    async with HostedRoom("one") as room:
        await room.publish(encoder)
        peer = peer_connection()
        try:
            answer = await room.watch(await viewer_offer(peer))
            assert encoder.viewers == 1
            room.leave(room.place(Role.WATCH, answer.token))
            await eventually(lambda: encoder.viewers == 0)
        finally:
            await close(peer)


@pytest.mark.soak
async def test_joins_and_leaves_leave_nothing_behind() -> None:
    async with HostedRoom("one") as room:
        async with joined(room) as place:
            room.leave(place)
        before = await settled()
        for _ in range(JOINS):
            async with joined(room) as place:
                room.leave(place)
        await back_to(before)
