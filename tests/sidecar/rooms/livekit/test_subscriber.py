"""Cameras as the subscriber reports them, and the server's offers that bring them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import aiohttp
import pytest
from aiortc import RTCPeerConnection, RTCRtpTransceiver, RTCSessionDescription
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import models, rtc

from config.errors import ProtocolError
from sidecar.aio import cancel_and_wait
from sidecar.media.feed import Feed
from sidecar.media.peer_connection import closing, peer_connection
from sidecar.media.sdp import VideoSection, deactivate_unknown_codecs, video_sections
from sidecar.rooms.base import Consent, ConsentChanged, Joined, Left, RoomChange
from sidecar.rooms.changes import RoomChanges
from sidecar.rooms.events import Offered
from sidecar.rooms.livekit.protocol import LiveKitProtocol
from sidecar.rooms.livekit.subscriber import (
    MAX_PENDING,
    LiveKitSubscriber,
    MediaSection,
    ShownCameras,
)
from sidecar.rooms.livekit.transport import LiveKitTimeouts, LiveKitTransport
from tests.sidecar.media.pictures import Frames, flat
from tests.sidecar.rooms.livekit.record import transcript
from tests.sidecar.rooms.livekit.test_protocol import gone, heard, info, said

pytestmark = pytest.mark.peers


def recorded() -> list[str]:
    """The offers of a meeting, in which sections are added, emptied and used again."""
    protocol = LiveKitProtocol()
    events = [event for data in transcript("watcher") for event in protocol.receive(data)]
    return [event.sdp for event in events if isinstance(event, Offered)]


OFFERS = recorded()


async def answer(peer: RTCPeerConnection, sdp: str) -> str:
    """What aiortc answers to an offer."""
    await peer.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
    return (await peer.createAnswer()).sdp


def in_codec(sdp: str, codec: str) -> str:
    """The offer with its last section in nothing but ``codec``."""
    head, mark, section = sdp.rpartition("m=video")
    lines = [
        line
        for line in section.splitlines()
        if not line.startswith(("a=rtpmap", "a=fmtp", "a=rtcp-fb"))
    ]
    return head + mark + "\r\n".join([*lines, f"a=rtpmap:96 {codec}/90000", ""])


def test_a_first_offer_carries_no_camera() -> None:
    assert video_sections(OFFERS[0]) == ()


def test_sections_are_read_with_their_tracks_and_streams() -> None:
    lines = video_sections(OFFERS[1])
    assert len(lines) == 2
    assert len({line.mid for line in lines}) == 2
    for line in lines:
        assert line.track.startswith("TR_")
        assert 1 <= len(line.ssrcs) <= 2


def test_a_section_that_is_used_again_has_another_track_and_stream() -> None:
    latest: dict[str, VideoSection] = {}
    reused = 0
    for sdp in OFFERS[1:]:
        for line in video_sections(sdp):
            before = latest.get(line.mid)
            if before and before.track and line.track and before.track != line.track:
                reused += 1
                assert not set(before.ssrcs) & set(line.ssrcs)
            if line.track:
                latest[line.mid] = line
    assert reused == 1


def test_a_section_whose_participant_left_carries_no_camera() -> None:
    assert any(line.track == "" for sdp in OFFERS for line in video_sections(sdp))


@pytest.mark.parametrize("codec", ["VP9", "AV1", "H265"])
async def test_a_section_that_aiortc_cannot_take_costs_no_other_its_place(
    codec: str,
) -> None:
    broken = in_codec(OFFERS[1], codec)
    async with closing(peer_connection()) as peer:
        with pytest.raises(Exception, match="Failed to set remote video"):
            await answer(peer, broken)
    good, bad = video_sections(broken)
    assert good == video_sections(OFFERS[1])[0]
    assert bad == VideoSection(bad.mid, "", ())
    async with closing(peer_connection()) as peer:
        sections = (await answer(peer, deactivate_unknown_codecs(broken))).split("m=video")
        assert "a=recvonly" in sections[1]
        assert "a=inactive" in sections[2]


@pytest.mark.parametrize("sdp", OFFERS)
def test_a_recorded_offer_stays_as_it_is(sdp: str) -> None:
    assert deactivate_unknown_codecs(sdp) == sdp


@given(st.sampled_from(OFFERS), st.data())
def test_damaged_offers_are_read_or_refused(sdp: str, data: st.DataObject) -> None:
    lines = sdp.splitlines()
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(lines) - 1))
        lines[place] = data.draw(st.text(max_size=40) | st.sampled_from(lines))
    try:
        sections = video_sections(deactivate_unknown_codecs("\r\n".join(lines)))
    except ValueError:
        return
    assert all(section.mid for section in sections)


@dataclass
class Carried:
    """A track that comes, or why it does not."""

    track: str
    problem: str = ""
    feed: Feed | None = field(default_factory=Feed)


class Meeting:
    """A room of the protocol's, the tracks that come, and a reader of its changes."""

    def __init__(self) -> None:
        self.protocol = LiveKitProtocol()
        self.protocol.receive(heard(join=rtc.JoinResponse()))
        self.changes = RoomChanges()
        self.shown = ShownCameras(self.protocol, self.changes)
        self.carried: list[Carried] = []
        self._following = self.changes.follow()
        self._next: asyncio.Future[RoomChange] | None = None

    def update(self, *infos: models.ParticipantInfo) -> None:
        update = rtc.ParticipantUpdate(participants=infos)
        self.protocol.receive(heard(update=update))

    def come(self, *tracks: str) -> None:
        """Frames of ``tracks`` come from now on."""
        self.carried += [Carried(track) for track in tracks]

    async def read(self) -> list[RoomChange]:
        """The changes since the last time."""
        self.shown.update(self.carried)
        new: list[RoomChange] = []
        while True:
            if self._next is None:
                self._next = asyncio.ensure_future(anext(self._following))
            for _ in range(3):
                await asyncio.sleep(0)
            if not self._next.done():
                return new
            new.append(self._next.result())
            self._next = None

    async def aclose(self) -> None:
        if self._next is not None:
            await cancel_and_wait(self._next)


@pytest.fixture
async def meeting() -> AsyncIterator[Meeting]:
    meeting = Meeting()
    yield meeting
    await meeting.aclose()


async def test_a_camera_is_reported_once_its_frames_come(meeting: Meeting) -> None:
    meeting.update(info("ada", "TR_1"), info("bob"))
    assert await meeting.read() == []
    meeting.come("TR_1")
    (joined,) = await meeting.read()
    assert isinstance(joined, Joined)
    assert (joined.participant, joined.name) == ("ada", "ADA")
    assert joined.feed is meeting.carried[0].feed
    assert await meeting.read() == []


async def test_the_next_camera_replaces_the_one_before(meeting: Meeting) -> None:
    meeting.update(info("ada", "TR_1"))
    meeting.come("TR_1", "TR_2")
    await meeting.read()
    meeting.update(info("ada", "TR_2", version=1))
    (joined,) = await meeting.read()
    assert isinstance(joined, Joined)
    assert joined.feed is meeting.carried[1].feed


async def test_who_leaves_is_reported_before_their_section_is_empty(meeting: Meeting) -> None:
    meeting.update(info("ada", "TR_1"))
    meeting.come("TR_1")
    await meeting.read()
    meeting.update(gone("ada"))
    assert await meeting.read() == [Left("ada", "left")]


async def test_a_muted_camera_is_gone_until_it_is_on_again(meeting: Meeting) -> None:
    meeting.update(info("ada", "TR_1"))
    meeting.come("TR_1")
    await meeting.read()
    muted = info("ada", "TR_1", version=1)
    muted.tracks[0].muted = True
    meeting.update(muted)
    assert await meeting.read() == [Left("ada", "turned the camera off")]
    meeting.update(info("ada", "TR_1", version=2))
    assert isinstance((await meeting.read())[0], Joined)


async def test_a_camera_with_a_problem_is_reported_without_a_feed(meeting: Meeting) -> None:
    encrypted = info("ada", "TR_1")
    encrypted.tracks[0].encryption = models.Encryption.GCM
    meeting.update(encrypted)
    (joined,) = await meeting.read()
    assert isinstance(joined, Joined)
    assert joined.feed is None
    assert joined.problem.startswith("ADA encrypts the camera")


async def test_a_problem_that_the_server_reports_comes_and_goes(meeting: Meeting) -> None:
    meeting.update(info("ada", "TR_1"))
    for allowed in (False, True):
        permission = rtc.SubscriptionPermissionUpdate(track_sid="TR_1", allowed=allowed)
        meeting.protocol.receive(heard(subscription_permission_update=permission))
        if not allowed:
            (joined,) = await meeting.read()
            assert isinstance(joined, Joined)
            assert joined.problem == "ADA has a camera that may be watched only by those they chose"
    meeting.come("TR_1")
    (joined,) = await meeting.read()
    assert isinstance(joined, Joined)
    assert joined.feed is not None


async def test_a_section_that_cannot_be_used_again_costs_its_camera_alone(meeting: Meeting) -> None:
    meeting.update(info("ada", "TR_1"), info("bob", "TR_2"))
    meeting.carried = [Carried("TR_1", "comes in vain", None), Carried("TR_2")]
    ada, bob = await meeting.read()
    assert isinstance(ada, Joined)
    assert ada.problem == "ADA has a camera that comes in vain"
    assert isinstance(bob, Joined)
    assert bob.feed is not None


@given(st.data())
def test_any_updates_make_a_consistent_story(data: st.DataObject) -> None:
    people = st.builds(
        info,
        st.sampled_from(["ada", "bob", "cleo"]),
        st.sampled_from(["TR_1", "TR_2", "TR_3"]),
        version=st.integers(0, 3),
        sid=st.sampled_from(["PA_1", "PA_2"]),
        state=st.sampled_from([models.ParticipantInfo.ACTIVE, models.ParticipantInfo.DISCONNECTED]),
    )
    asyncio.run(story(data.draw(st.lists(st.lists(people, max_size=3), max_size=8)), data))


async def story(updates: list[list[models.ParticipantInfo]], data: st.DataObject) -> None:
    meeting, present = Meeting(), set[str]()
    carried = [Carried("TR_1"), Carried("TR_2"), Carried("TR_3", "smokes", None)]
    for infos in updates:
        meeting.update(*infos)
        meeting.carried = data.draw(st.lists(st.sampled_from(carried), unique_by=id))
        for change in await meeting.read():
            match change:
                case Joined():
                    assert (change.feed is None) is bool(change.problem)
                    present.add(change.participant)
                case Left():
                    present.remove(change.participant)
        assert await meeting.read() == []
        assert present <= {one.identity for one in meeting.protocol.participants}
    await meeting.aclose()


class Transceiver:
    """A receiver's transceiver, as far as a section uses it before a second stream comes."""

    def __init__(self) -> None:
        self.receiver = SimpleNamespace(track=Frames())


def feed_of(section: MediaSection) -> Feed:
    assert section.feed is not None
    return section.feed


async def test_frames_of_a_section_without_a_camera_reach_no_later_one() -> None:
    transceiver = Transceiver()
    section = MediaSection(cast("RTCRtpTransceiver", transceiver))
    track = transceiver.receiver.track
    await section.carry("TR_1", (1, 2))
    first = feed_of(section)
    track.push(flat())
    assert await first.wait_newer(0)
    await section.carry("", ())
    assert section.feed is None
    track.push(flat())
    await asyncio.sleep(0)
    await section.carry("TR_2", (1, 2))
    second = feed_of(section)
    track.push(flat())
    assert await second.wait_newer(0)
    assert (first.frames, second.frames) == (1, 1)
    assert first.ended
    await section.aclose()
    assert second.ended


async def test_offers_without_end_are_refused() -> None:
    async with aiohttp.ClientSession() as http:
        transport = LiveKitTransport(http, "ws://sfu.example", "token", watches=True)
        subscriber = LiveKitSubscriber(
            transport, RoomChanges(), [], relay_only=False, timeouts=LiveKitTimeouts()
        )
        for _ in range(MAX_PENDING):
            subscriber.offered(Offered("subscriber", "v=0"))
        with pytest.raises(ProtocolError, match="negotiates without end"):
            subscriber.offered(Offered("subscriber", "v=0"))
        await subscriber.aclose()


async def test_a_choice_by_chat_is_reported() -> None:
    changes = RoomChanges()
    async with aiohttp.ClientSession() as http:
        transport = LiveKitTransport(http, "ws://sfu.example", "token", watches=True)
        transport.protocol.receive(heard(join=rtc.JoinResponse(other_participants=[info("ada")])))
        subscriber = LiveKitSubscriber(
            transport, changes, [], relay_only=False, timeouts=LiveKitTimeouts()
        )
        subscriber.on_message(said("ada", "!reactions off"))
        async for change in changes.follow():
            assert change == ConsentChanged("ada", Consent.OPT_OUT)
            break
        await subscriber.aclose()
