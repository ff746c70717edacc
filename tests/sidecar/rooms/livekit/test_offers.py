import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from hypothesis import given
from hypothesis import strategies as st

from sidecar.media.peers import closing, peer_connection
from sidecar.rooms.livekit.offers import Line, read_offer
from sidecar.rooms.livekit.protocol import Offered, Protocol
from tests.sidecar.rooms.livekit.record import transcript


def recorded() -> list[str]:
    """The offers of a meeting, in which lines are added, emptied and used again."""
    protocol = Protocol()
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


def test_a_first_offer_carries_nobody() -> None:
    assert read_offer(OFFERS[0]).lines == ()


def test_lines_are_told_with_their_tracks_and_streams() -> None:
    lines = read_offer(OFFERS[1]).lines
    assert len(lines) == 2
    assert len({line.mid for line in lines}) == 2
    for line in lines:
        assert line.track.startswith("TR_")
        assert 1 <= len(line.ssrcs) <= 2


def test_a_line_that_is_used_again_has_another_track_and_stream() -> None:
    latest: dict[str, Line] = {}
    reused = 0
    for sdp in OFFERS[1:]:
        for line in read_offer(sdp).lines:
            before = latest.get(line.mid)
            if before and before.track and line.track and before.track != line.track:
                reused += 1
                assert not set(before.ssrcs) & set(line.ssrcs)
            if line.track:
                latest[line.mid] = line
    assert reused == 1


def test_a_line_whose_participant_left_carries_nobody() -> None:
    assert any(line.track == "" for sdp in OFFERS for line in read_offer(sdp).lines)


@pytest.mark.parametrize("codec", ["VP9", "AV1", "H265"])
async def test_a_section_that_aiortc_cannot_take_does_not_cost_the_others_theirs(
    codec: str,
) -> None:
    broken = in_codec(OFFERS[1], codec)
    async with closing(peer_connection()) as peer:
        with pytest.raises(Exception, match="Failed to set remote video"):
            await answer(peer, broken)
    offer = read_offer(broken)
    good, bad = offer.lines
    assert good == read_offer(OFFERS[1]).lines[0]
    assert bad == Line(bad.mid, "", ())
    async with closing(peer_connection()) as peer:
        sections = (await answer(peer, offer.sdp)).split("m=video")
        assert "a=recvonly" in sections[1]
        assert "a=inactive" in sections[2]


async def test_every_recorded_offer_stays_what_it_is() -> None:
    for sdp in OFFERS:
        assert read_offer(sdp).sdp == sdp


@pytest.mark.parametrize("sdp", ["", "v=0\r\n", "m=video 9 X 96\r\n", "v=0\n" + "m=video\n" * 2000])
def test_what_is_no_offer_is_refused(sdp: str) -> None:
    with pytest.raises(ValueError, match="offer"):
        read_offer(sdp)


def test_an_offer_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="characters"):
        read_offer(OFFERS[0] + "a=x\r\n" * 300_000)


@given(st.sampled_from(OFFERS), st.data())
def test_damaged_offers_are_read_or_refused(sdp: str, data: st.DataObject) -> None:
    lines = sdp.splitlines()
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(lines) - 1))
        lines[place] = data.draw(st.text(max_size=40) | st.sampled_from(lines))
    try:
        offer = read_offer("\r\n".join(lines))
    except ValueError:
        return
    assert all(line.mid for line in offer.lines)
