import importlib.metadata

import aiortc.rtcrtpreceiver as module
import pytest
from aiortc import RTCRtpSender
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtcrtpreceiver import RTCRtpReceiver
from aiortc.rtp import RTCP_PSFB_FIR, RTCP_PSFB_PLI, RtcpPsfbPacket, RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from sidecar.media import compat
from sidecar.media.compat import MarkerJitterBuffer


def packet(sequence: int, timestamp: int, data: bytes, *, marker: bool = False) -> RtpPacket:
    made = RtpPacket(sequence_number=sequence & 0xFFFF, timestamp=timestamp, marker=int(marker))
    made._data = data  # type: ignore[attr-defined]
    return made


def buffer() -> MarkerJitterBuffer:
    return MarkerJitterBuffer(capacity=64, is_video=True)


def stream(sizes: list[int], first: int = 0) -> list[RtpPacket]:
    """Frames of so many packets each, as a sender marks them."""
    packets: list[RtpPacket] = []
    for number, size in enumerate(sizes):
        for part in range(size):
            data = bytes([number, part])
            last = part == size - 1
            packets.append(packet(first + len(packets), number * 3000, data, marker=last))
    return packets


def frames(buffer: JitterBuffer, packets: list[RtpPacket]) -> list[bytes]:
    found = (buffer.add(each)[1] for each in packets)
    return [frame.data for frame in found if frame is not None]


def test_the_installed_aiortc_is_the_one_that_this_was_written_for() -> None:
    assert compat.known_version()


def test_a_frame_is_handed_over_with_its_last_packet() -> None:
    made = buffer()
    assert made.add(packet(0, 0, b"a"))[1] is None
    _, frame = made.add(packet(1, 0, b"b", marker=True))
    assert frame is not None
    assert (frame.data, frame.timestamp) == (b"ab", 0)


def test_the_stock_buffer_waits_for_the_next_frame() -> None:
    stock = JitterBuffer(capacity=64, is_video=True)
    assert stock.add(packet(0, 0, b"a", marker=True))[1] is None


@given(st.lists(st.integers(1, 5), min_size=1, max_size=40), st.integers(0, 65535))
def test_every_frame_arrives_once_whole_and_in_order(sizes: list[int], first: int) -> None:
    wanted = [
        b"".join(bytes([number, part]) for part in range(size)) for number, size in enumerate(sizes)
    ]
    assert frames(buffer(), stream(sizes, first)) == wanted


@given(st.lists(st.integers(2, 5), min_size=4, max_size=12), st.data())
def test_packets_in_the_wrong_order_give_the_same_frames(
    sizes: list[int], data: st.DataObject
) -> None:
    packets = stream(sizes)
    index = data.draw(st.integers(1, len(packets) - 2))
    packets[index], packets[index + 1] = packets[index + 1], packets[index]
    got = frames(buffer(), packets)
    assert got == frames(buffer(), stream(sizes))[: len(got)]
    assert len(got) >= len(sizes) - 1


def test_a_sender_without_markers_is_understood_all_the_same() -> None:
    packets = [packet(n, 3000 * (n // 2), bytes([n])) for n in range(6)]
    assert frames(buffer(), packets) == [b"\0\1", b"\2\3"]


def test_padding_after_a_frame_makes_no_empty_frame() -> None:
    packets = [
        packet(0, 0, b"a", marker=True),
        packet(1, 0, b""),
        packet(2, 0, b""),
        packet(3, 3000, b"b", marker=True),
    ]
    assert frames(buffer(), packets) == [b"a", b"b"]


def test_a_lost_packet_holds_its_frame_back_until_it_comes_again() -> None:
    packets = stream([2, 3, 2])
    lost = packets.pop(3)
    made = buffer()
    assert frames(made, packets) == [b"\0\0\0\1"]
    assert frames(made, [lost]) == [b"\1\0\1\1\1\2"]


def test_sound_is_buffered_as_before() -> None:
    stock, ours = JitterBuffer(16, prefetch=4), MarkerJitterBuffer(16, prefetch=4)
    packets = [packet(n, 960 * n, bytes([n]), marker=n == 0) for n in range(12)]
    assert frames(stock, packets) == frames(ours, packets)


def test_receivers_made_from_now_on_use_the_marker() -> None:
    assert compat.end_frames_at_marker()
    assert vars(module)["JitterBuffer"] is MarkerJitterBuffer
    assert "JitterBuffer" in RTCRtpReceiver.__init__.__code__.co_names


def test_an_unknown_aiortc_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.17.0")
    monkeypatch.setitem(vars(module), "JitterBuffer", JitterBuffer)
    assert not compat.end_frames_at_marker()
    assert vars(module)["JitterBuffer"] is JitterBuffer


class _Transport:
    """As much of a DTLS transport as making a sender needs."""

    state = "connected"


@pytest.mark.parametrize("kind", [RTCP_PSFB_PLI, RTCP_PSFB_FIR])
async def test_a_viewer_s_request_reaches_the_encoder(kind: int) -> None:
    asked = []
    sender = RTCRtpSender("video", _Transport())  # type: ignore[arg-type]
    assert compat.on_picture_loss(sender, lambda: asked.append(True))
    await sender._handle_rtcp_packet(RtcpPsfbPacket(fmt=kind, ssrc=1, media_ssrc=2))
    assert asked == [True]


async def test_requests_of_an_unknown_aiortc_are_left_to_the_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "2.0")
    sender = RTCRtpSender("video", _Transport())  # type: ignore[arg-type]
    assert not compat.on_picture_loss(sender, lambda: None)
