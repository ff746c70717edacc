"""Two peers of ours, and what goes between them."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiortc.sdp import SessionDescription
from structlog.testing import capture_logs

from config.errors import NegotiationError
from sidecar.aio import cancel_and_wait
from sidecar.media.encoder import Encoder
from sidecar.media.ice import parse_candidate
from sidecar.media.peer import PeerOptions, PeerTimeouts
from sidecar.media.peer_connection import closing, peer_connection
from sidecar.media.receive_peer import ReceivePeer
from sidecar.media.send_peer import SendPeer
from tests.sidecar.media.pictures import descriptors, flat, until_true

pytestmark = pytest.mark.peers


TIMEOUTS = PeerTimeouts(negotiation=20.0, connection=20.0)


def receiver(data_channel: str = "", **options: Any) -> ReceivePeer:
    return ReceivePeer(PeerOptions("ada", timeouts=TIMEOUTS, **options), data_channel=data_channel)


def sender(encoder: Encoder, data_channel: str = "", **options: Any) -> SendPeer:
    return SendPeer(
        encoder.subscribe(),
        PeerOptions("composite", timeouts=TIMEOUTS, **options),
        data_channel=data_channel,
    )


async def feed_packets(encoder: Encoder) -> None:
    """Encode grey pictures until cancelled."""
    for tick in itertools.count():
        encoder.publish(encoder.encode(flat(320, 180), tick))
        await asyncio.sleep(1 / 25)


@pytest.fixture
async def encoder() -> AsyncIterator[Encoder]:
    """An encoder whose tracks bring grey pictures."""
    encoder = Encoder(320, 180)
    running = asyncio.create_task(feed_packets(encoder))
    yield encoder
    await cancel_and_wait(running)
    encoder.close()


async def test_what_a_send_peer_offers_a_receive_peer_gets(encoder: Encoder) -> None:
    async with sender(encoder) as ours, receiver() as theirs:
        await ours.accept(await theirs.answer(await ours.offer()))
        await asyncio.gather(ours.wait_connected(), theirs.wait_connected())
        assert await theirs.feed.wait_newer(3)
        assert theirs.feed.size == (320, 180)
        assert theirs.media_count() >= 4
        assert await theirs.bytes_received() > 0
        assert await theirs.responds(5.0)
        assert ours.mid


async def test_what_a_viewer_offers_to_receive_a_send_peer_answers(encoder: Encoder) -> None:
    async with sender(encoder) as ours, receiver() as theirs:
        offer = await theirs.offer()
        answer = await ours.answer(offer)
        await theirs.accept(answer)
        assert await theirs.feed.wait_newer(0)


async def test_sound_in_a_viewers_offer_is_answered_inactive(encoder: Encoder) -> None:
    async with closing(peer_connection()) as viewer, sender(encoder) as ours:
        viewer.addTransceiver("audio", direction="recvonly")
        viewer.addTransceiver("video", direction="recvonly")
        await viewer.setLocalDescription(await viewer.createOffer())
        answer = SessionDescription.parse(await ours.answer(viewer.localDescription.sdp))
    assert [media.direction for media in answer.media] == ["inactive", "sendonly"]


async def test_only_the_section_that_is_named_is_received(encoder: Encoder) -> None:
    async with closing(peer_connection()) as publisher, receiver() as theirs:
        for _ in range(2):
            publisher.addTransceiver(encoder.subscribe(), direction="sendonly")
        publisher.addTransceiver("audio", direction="sendonly")
        await publisher.setLocalDescription(await publisher.createOffer())
        answer = await theirs.answer(publisher.localDescription.sdp, mid="0")
    directions = [media.direction for media in SessionDescription.parse(answer).media]
    assert directions == ["recvonly", "inactive", "inactive"]


async def test_messages_go_both_ways_over_the_data_channel(encoder: Encoder) -> None:
    got: list[str | bytes] = []
    said: list[str | bytes] = []
    async with (
        sender(encoder, data_channel="events", on_message=said.append) as ours,
        receiver(data_channel="events", on_message=got.append) as theirs,
    ):
        assert not ours.send_message("too early")
        await ours.accept(await theirs.answer(await ours.offer()))
        await until_true(lambda: ours.send_message("hello"))
        await until_true(lambda: "hello" in got)
        assert not ours.send_message("one more", max_backlog=-1)


def describe(sdp: str) -> tuple[str, list[str]]:
    """``sdp`` without its candidates, and the candidates."""
    lines = sdp.splitlines(keepends=True)
    kept = [line for line in lines if "candidate" not in line]
    return "".join(kept), [line.strip() for line in lines if line.startswith("a=candidate:")]


async def test_candidates_may_come_before_and_after_the_description(encoder: Encoder) -> None:
    async with sender(encoder) as ours, receiver() as theirs:
        offer, candidates = describe(await ours.offer())
        await theirs.add_candidate(parse_candidate(candidates[0]))
        answer, others = describe(await theirs.answer(offer))
        await ours.accept(answer)
        for line in others:
            await ours.add_candidate(parse_candidate(line))
        await asyncio.gather(ours.wait_connected(), theirs.wait_connected())


async def test_a_candidate_that_aiortc_refuses_is_logged_and_ignored(encoder: Encoder) -> None:
    async with sender(encoder) as ours, receiver() as theirs:
        await theirs.answer(await ours.offer())
        odd = parse_candidate("candidate:1 1 UDP 1 192.0.2.1 1 typ host")
        odd.sdpMLineIndex = None
        with capture_logs() as logs:
            await theirs.add_candidate(odd)
    assert [(log["event"], log["participant"]) for log in logs] == [("candidate ignored", "ada")]


@pytest.mark.parametrize("offer", ["", "v=0\r\n", "m=video 9 X 96\r\n", "\0" * 100])
async def test_an_offer_that_cannot_be_answered_is_one_kind_of_error(offer: str) -> None:
    async with receiver() as peer:
        with capture_logs() as logs, pytest.raises(NegotiationError):
            await peer.answer(offer)
    assert [(log["event"], log["participant"]) for log in logs] == [("negotiation failed", "ada")]
    assert logs[0]["reason"]


async def test_an_answer_that_cannot_be_used_is_the_same_kind_of_error(encoder: Encoder) -> None:
    async with sender(encoder) as peer:
        await peer.offer()
        with pytest.raises(NegotiationError, match="the answer can't be used"):
            await peer.accept("v=0\r\n")


async def test_an_offer_without_a_fingerprint_is_refused_in_one_line(encoder: Encoder) -> None:
    async with sender(encoder) as ours, receiver() as theirs:
        offer = (await ours.offer()).replace("a=fingerprint:", "a=x:")
        with pytest.raises(NegotiationError) as refusal:
            await theirs.answer(offer)
    assert "section 1 (video) lacks a whole a=fingerprint" in refusal.value.what
    assert "\n" not in str(refusal.value)


async def test_an_answer_without_a_fingerprint_is_refused_too(encoder: Encoder) -> None:
    async with sender(encoder) as ours, receiver() as theirs:
        answer = (await theirs.answer(await ours.offer())).replace("a=fingerprint:", "a=x:")
        with pytest.raises(NegotiationError, match="answer can't be used: section 1"):
            await ours.accept(answer)


async def test_an_offer_without_video_is_refused() -> None:
    async with closing(peer_connection()) as publisher, receiver() as peer:
        publisher.addTransceiver("audio", direction="sendonly")
        await publisher.setLocalDescription(await publisher.createOffer())
        with pytest.raises(NegotiationError, match="no video"):
            await peer.answer(publisher.localDescription.sdp)


async def test_an_offer_that_restarts_ice_is_refused(encoder: Encoder) -> None:
    async with sender(encoder) as ours, receiver() as theirs:
        offer = await ours.offer()
        await theirs.answer(offer)
        with pytest.raises(NegotiationError, match="restarts ICE"):
            await theirs.answer(offer.replace("a=ice-ufrag:", "a=ice-ufrag:x"))


async def test_an_offer_of_very_many_sections_is_refused(encoder: Encoder) -> None:
    async with sender(encoder) as ours, receiver() as theirs:
        offer = await ours.offer()
        section = offer[offer.index("m=") :]
        with pytest.raises(NegotiationError, match="too many sections"):
            await theirs.answer(offer + section * 20)


async def test_a_closed_peer_negotiates_no_more(encoder: Encoder) -> None:
    async with sender(encoder) as ours, receiver() as theirs:
        offer = await ours.offer()
        await theirs.aclose()
        with pytest.raises(NegotiationError, match="closed"):
            await theirs.answer(offer)
        assert theirs.over


async def test_a_negotiation_that_takes_too_long_is_timed_out(encoder: Encoder) -> None:
    hurried = PeerTimeouts(negotiation=0.0)
    peer = SendPeer(encoder.subscribe(), PeerOptions("composite", timeouts=hurried))
    async with peer:
        with pytest.raises(NegotiationError) as failure:
            await peer.offer()
    assert failure.value.timed_out


async def test_a_connection_without_a_media_path_is_timed_out(encoder: Encoder) -> None:
    hurried = PeerTimeouts(connection=0.05)
    peer = ReceivePeer(PeerOptions("ada", timeouts=hurried))
    async with sender(encoder) as ours, peer:
        offer, _ = describe(await ours.offer())
        await peer.answer(offer)
        with capture_logs() as logs, pytest.raises(NegotiationError, match="no media path"):
            await peer.wait_connected()
    assert logs[0]["participant"] == "ada"
    assert "no media path" in logs[0]["reason"]


async def test_the_end_of_the_other_side_ends_the_feed_and_says_why(encoder: Encoder) -> None:
    changes: list[int] = []
    with capture_logs() as logs:
        async with receiver(on_change=lambda: changes.append(1)) as theirs:
            async with sender(encoder) as ours:
                await ours.accept(await theirs.answer(await ours.offer()))
                assert await theirs.feed.wait_newer(0)
            async with asyncio.timeout(30):
                assert await theirs.wait_over() == "the other side closed the connection"
            assert theirs.feed.ended
    assert [(log["event"], log["participant"]) for log in logs] == [
        ("peer connection closed", "ada")
    ]
    assert len(changes) == len(["connecting", "connected", "closed"])


async def test_peers_that_are_closed_leave_nothing_behind(encoder: Encoder) -> None:
    async def meet() -> None:
        async with sender(encoder) as ours, receiver() as theirs:
            await ours.accept(await theirs.answer(await ours.offer()))
            assert await theirs.feed.wait_newer(0)

    await meet()
    await settle()
    before = descriptors(), len(asyncio.all_tasks())
    await meet()
    await until_true(lambda: (descriptors(), len(asyncio.all_tasks())) == before)
    assert encoder.viewers == 0


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)
