"""A media section that a server gives to the next camera, between two real aiortc connections."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiortc
import pytest
from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCRtpSender

from sidecar.media.aiortc_patches import take_over
from sidecar.media.feed import Feed
from sidecar.media.peer_connection import closing, peer_connection
from tests.sidecar.clients import ColourTrack, eventually

pytestmark = pytest.mark.peers

OTHER = 0x1234567


@asynccontextmanager
async def two_cameras() -> AsyncIterator[tuple[RTCRtpSender, RTCPeerConnection]]:
    """The first camera's sender, and the connection that receives both.

    Two, since aiortc by itself guesses right where there is only one.
    """
    async with closing(peer_connection()) as sender, closing(peer_connection()) as receiver:
        tracks = [ColourTrack(220), ColourTrack(40)]
        senders = [sender.addTransceiver(track, "sendonly").sender for track in tracks]
        await sender.setLocalDescription(await sender.createOffer())
        await receiver.setRemoteDescription(sender.localDescription)
        await receiver.setLocalDescription(await receiver.createAnswer())
        await sender.setRemoteDescription(receiver.localDescription)
        yield senders[0], receiver
        for track in tracks:
            track.stop()


async def test_the_next_stream_of_a_section_is_received() -> None:
    async with two_cameras() as (sender, receiver):
        first = receiver.getTransceivers()[0]
        async with Feed(first.receiver.track) as feed:
            await eventually(lambda: feed.frames > 3)
            # As if another participant sent the packets from now on.
            sender._ssrc = OTHER
            assert take_over(first, [OTHER])
            seen = feed.frames
            await eventually(lambda: feed.frames > seen + 10)


async def test_without_the_cure_nothing_of_it_would_arrive() -> None:
    async with two_cameras() as (sender, receiver):
        first = receiver.getTransceivers()[0]
        async with Feed(first.receiver.track) as feed:
            await eventually(lambda: feed.frames > 3)
            sender._ssrc = OTHER
            await eventually(lambda: feed.stale(feed._clock()))


async def test_the_stream_before_is_forgotten() -> None:
    async with two_cameras() as (_, receiver):
        first, second = receiver.getTransceivers()
        async with Feed(first.receiver.track) as feed, Feed(second.receiver.track) as other:
            await eventually(lambda: feed.frames > 3 and other.frames > 3)
            assert take_over(first, [OTHER, OTHER + 1])
            owned = [
                ssrc for ssrc, owner in table(first.receiver).items() if owner is first.receiver
            ]
            assert owned == [OTHER, OTHER + 1]
            seen = other.frames
            await eventually(lambda: other.frames > seen + 5)


async def test_in_an_unknown_aiortc_nothing_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    async with two_cameras() as (_, receiver):
        first = receiver.getTransceivers()[0]
        async with Feed(first.receiver.track) as feed:
            await eventually(lambda: feed.frames > 3)
            before = dict(table(first.receiver))
            monkeypatch.setattr(aiortc, "__version__", "1.17.0")
            assert not take_over(first, [OTHER])
            assert table(first.receiver) == before


async def test_a_stream_without_a_number_cannot_be_taken() -> None:
    async with two_cameras() as (_, receiver):
        assert not take_over(receiver.getTransceivers()[0], [])


def table(receiver: RTCRtpReceiver) -> dict[int, object]:
    """Which receiver gets the packets of which stream."""
    streams: dict[int, object] = receiver.transport._rtp_router.ssrc_table  # type: ignore[assignment]
    return streams
