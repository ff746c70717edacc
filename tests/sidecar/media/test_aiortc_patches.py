import inspect
from fractions import Fraction
from itertools import pairwise

import aiortc
import aiortc.rtcrtpreceiver as module
import av
import pytest
from aiortc import RTCRtpSender
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtcrtpreceiver import RTCRtpReceiver
from aiortc.rtp import RTCP_PSFB_FIR, RTCP_PSFB_PLI, RtcpPsfbPacket, RtpPacket
from av.video.codeccontext import VideoCodecContext
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from sidecar.media import aiortc_patches
from sidecar.media.aiortc_patches import VideoJitterBuffer, is_key_frame
from sidecar.media.decoder import decode_stream
from tests.sidecar.media.pictures import flat

STOCK_WORKER = vars(module)["decoder_worker"]
"""aiortc's own: this file is read before any test puts ours in its place."""


def packet(sequence: int, timestamp: int, data: bytes, *, marker: bool = False) -> RtpPacket:
    made = RtpPacket(sequence_number=sequence & 0xFFFF, timestamp=timestamp, marker=int(marker))
    made._data = data  # type: ignore[attr-defined]
    return made


def buffer() -> VideoJitterBuffer:
    return VideoJitterBuffer(capacity=64, is_video=True)


def wide() -> VideoJitterBuffer:
    """A buffer of the size that receivers use."""
    return VideoJitterBuffer(capacity=512, is_video=True)


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
    assert aiortc_patches.known_version()


def test_another_aiortc_is_logged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiortc, "__version__", "1.99.1")
    with capture_logs() as logs:
        assert not aiortc_patches.known_version()
        assert not aiortc_patches.use_video_buffer()
    assert [(entry["event"], entry["version"]) for entry in logs] == [
        ("aiortc version unknown", "1.99.1")
    ]


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


def video(count: int, *, key_at: int = -1, first: int = 0) -> list[RtpPacket]:
    """Frames of VP8 in two packets each, 30 a second; number ``key_at`` is a key frame."""
    packets = []
    for number in range(first, first + count):
        head = b"\x10\x00\x00\x9d\x01\x2a" if number == key_at else b"\x11\x00\x00delta"
        packets.append(packet(2 * number, number * 3000, head))
        packets.append(packet(2 * number + 1, number * 3000, b"%d" % number, marker=True))
    return packets


def numbers(found: list[bytes]) -> list[int]:
    return [int(data.lstrip(b"\x10\x11\x00\x9d\x01*delta")) for data in found]


def test_a_packet_that_never_comes_is_waited_for_a_second() -> None:
    made = wide()
    requests = []
    for each in video(10) + video(20, first=20) + video(60, first=40):
        request, frame = made.add(each)
        if request:
            requests.append(each.timestamp)
        assert frame is None or each.timestamp < 10 * 3000
    assert requests[0] == (20 + 31) * 3000


def test_nothing_is_shown_after_a_loss_until_a_key_frame() -> None:
    made = wide()
    assert numbers(frames(made, video(10))) == list(range(10))
    assert frames(made, video(60, first=20)) == []
    assert numbers(frames(made, video(20, key_at=85, first=80))) == list(range(85, 100))


def test_key_frames_are_asked_for_until_one_comes_and_then_no_more() -> None:
    made = wide()
    frames(made, video(10))
    asked = [each.timestamp for each in video(120, first=20) if made.add(each)[0]]
    assert len(asked) >= 2
    assert all(later - earlier > 90000 for earlier, later in pairwise(asked))
    assert not any(made.add(each)[0] for each in video(60, key_at=140, first=140))


def test_a_sender_that_never_makes_a_key_frame_is_shown_damaged_in_the_end() -> None:
    made = wide()
    frames(made, video(10))
    shown = numbers(frames(made, video(300, first=20)))
    assert shown[0] > 20 + 4 * 30
    assert shown == list(range(shown[0], 320))


def test_a_camera_that_pauses_has_lost_nothing() -> None:
    made = wide()
    frames(made, stream([2, 2]))
    resumed = [packet(4, 900_000, b"a"), packet(5, 900_000, b"b", marker=True)]
    assert [made.add(each)[0] for each in resumed] == [False, False]


def test_timestamps_may_wrap_around_while_a_packet_is_waited_for() -> None:
    made = wide()
    start = (1 << 32) - 20 * 3000
    packets = [
        packet(n, (start + n * 3000) & 0xFFFFFFFF, b"\x11\x00\x00delta", marker=True)
        for n in range(80)
    ]
    requests = [
        each.sequence_number for each in packets if each.sequence_number != 5 and made.add(each)[0]
    ]
    assert requests[0] == 6 + 31


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"\x10\x02\x00\x9d\x01\x2a\x80\x02", True),
        (b"\x11\x02\x00\x9d\x01\x2a\x80\x02", False),
        (b"\x11\x02\x00abcdef", False),
        (b"\0\0\0\x01\x09\x10\0\0\0\x01\x67\x42", True),
        (b"\0\0\0\x01\x65\x88", True),
        (b"\0\0\0\x01\x41\x9a", False),
        (b"", False),
    ],
)
def test_key_frames_of_both_codecs_are_known(data: bytes, key: bool) -> None:
    assert is_key_frame(data) is key


@pytest.mark.parametrize("codec", ["libvpx", "libx264"])
def test_key_frames_of_real_encoders_are_known(codec: str) -> None:
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = 64, 64, "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.options = {"lag-in-frames": "0"} if codec == "libvpx" else {"tune": "zerolatency"}
    known = []
    for number in range(5):
        frame = flat(64, 64)
        frame.pts, frame.time_base = number, Fraction(1, 25)
        known += [is_key_frame(bytes(made)) for made in encoder.encode(frame)]
    assert known == [True, False, False, False, False]


def test_sound_is_buffered_as_before() -> None:
    stock, ours = JitterBuffer(16, prefetch=4), VideoJitterBuffer(16, prefetch=4)
    packets = [packet(n, 960 * n, bytes([n]), marker=n == 0) for n in range(12)]
    assert frames(stock, packets) == frames(ours, packets)


def test_receivers_made_from_now_on_use_the_marker() -> None:
    assert aiortc_patches.use_video_buffer()
    assert vars(module)["JitterBuffer"] is VideoJitterBuffer
    assert "JitterBuffer" in RTCRtpReceiver.__init__.__code__.co_names


def test_receivers_that_begin_from_now_on_decode_by_our_worker() -> None:
    assert aiortc_patches.use_own_decoding()
    assert vars(module)["decoder_worker"].func is decode_stream
    assert "decoder_worker" in RTCRtpReceiver.receive.__code__.co_names


def test_our_worker_takes_what_the_stock_one_does() -> None:
    stock = [*inspect.signature(STOCK_WORKER).parameters]
    assert len(stock) == 4
    aiortc_patches.use_own_decoding()
    inspect.signature(vars(module)["decoder_worker"]).bind(*stock)


def test_an_unknown_aiortc_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiortc, "__version__", "1.17.0")
    monkeypatch.setitem(vars(module), "JitterBuffer", JitterBuffer)
    monkeypatch.setitem(vars(module), "decoder_worker", STOCK_WORKER)
    assert not aiortc_patches.use_video_buffer()
    assert not aiortc_patches.use_own_decoding()
    assert vars(module)["JitterBuffer"] is JitterBuffer
    assert vars(module)["decoder_worker"] is STOCK_WORKER


class _Transport:
    """As much of a DTLS transport as making a sender needs."""

    state = "connected"


@pytest.mark.parametrize("kind", [RTCP_PSFB_PLI, RTCP_PSFB_FIR])
async def test_a_viewer_s_request_reaches_the_encoder(kind: int) -> None:
    asked = []
    sender = RTCRtpSender("video", _Transport())  # type: ignore[arg-type]
    assert aiortc_patches.on_picture_loss(sender, lambda: asked.append(True))
    await sender._handle_rtcp_packet(RtcpPsfbPacket(fmt=kind, ssrc=1, media_ssrc=2))
    assert asked == [True]


async def test_requests_of_an_unknown_aiortc_are_left_to_the_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(aiortc, "__version__", "2.0")
    sender = RTCRtpSender("video", _Transport())  # type: ignore[arg-type]
    assert not aiortc_patches.on_picture_loss(sender, lambda: None)
