import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

import av
import pytest
import structlog
from aiortc import RTCRtpCodecParameters
from av.frame import Frame
from av.video.codeccontext import VideoCodecContext

from sidecar.media.container.codecs import declared_size, kept_bytes
from sidecar.media.container.picture_budget import ALL_CAMERAS, PictureBudget
from sidecar.media.decoder import (
    REFUSED_INTERVAL,
    Decoder,
    Encoded,
    VideoDecoder,
    decode_stream,
    name_frames,
)
from tests.bitstreams import h264_stream, vp8_key_frame
from tests.confined import confined
from tests.sidecar.media.pictures import flat

VP8 = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90000, payloadType=97)
H264 = RTCRtpCodecParameters(mimeType="video/H264", clockRate=90000, payloadType=99)
OPUS = RTCRtpCodecParameters(mimeType="audio/opus", clockRate=48000, channels=2, payloadType=96)


@dataclass(frozen=True)
class Piece:
    data: bytes
    timestamp: int


def encoded(codec: str, count: int, size: tuple[int, int] = (64, 48)) -> list[Piece]:
    """``count`` grey pictures, each a little lighter than the one before."""
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height = size
    encoder.pix_fmt, encoder.time_base = "yuv420p", Fraction(1, 25)
    encoder.options = (
        {"tune": "zerolatency"} if codec == "libx264" else {"deadline": "realtime", "cpu-used": "8"}
    )
    pieces = []
    for number in range(count):
        frame = flat(*size, (50 + 10 * number,) * 3)
        frame.pts, frame.time_base = number, Fraction(1, 25)
        pieces += [bytes(packet) for packet in encoder.encode(frame)]
    return [Piece(data, 3600 * number) for number, data in enumerate(pieces)]


class Inbox:
    """What a decoding thread hands over."""

    def __init__(self) -> None:
        self.frames: list[Frame | None] = []
        self.ended = asyncio.Event()
        self.threads: set[int] = set()

    def put_nowait(self, frame: Frame | None, /) -> None:
        self.threads.add(threading.get_ident())
        self.frames.append(frame)
        if frame is None:
            self.ended.set()

    def lumas(self) -> list[int]:
        return [
            int(frame.to_rgb().to_ndarray()[10, 10, 0])
            for frame in self.frames
            if isinstance(frame, av.VideoFrame)
        ]


class Sound:
    """A decoder of sound that gives an empty frame for any packet."""

    def __init__(self, codec: RTCRtpCodecParameters) -> None:
        assert codec is OPUS

    def decode(self, encoded_frame: Encoded, /) -> list[Frame]:
        return [av.AudioFrame()]


def nothing_else(codec: RTCRtpCodecParameters) -> Decoder:
    raise AssertionError(codec)


async def decoded(
    work: list[tuple[RTCRtpCodecParameters, Piece]],
    failed: threading.Event | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Inbox:
    """What becomes of ``work`` in a thread of its own."""
    inbox, tasks = Inbox(), queue.Queue[tuple[RTCRtpCodecParameters, Encoded] | None]()
    for task in work:
        tasks.put(task)
    tasks.put(None)
    await asyncio.to_thread(
        decode_stream,
        asyncio.get_running_loop(),
        tasks,
        inbox,
        failed or threading.Event(),
        other=Sound,
        clock=clock,
    )
    async with asyncio.timeout(30):
        await inbox.ended.wait()
    return inbox


@pytest.mark.parametrize(("codec", "encoder"), [(VP8, "libvpx"), (H264, "libx264")])
async def test_each_picture_comes_out_in_order_and_on_the_loop(
    codec: RTCRtpCodecParameters, encoder: str
) -> None:
    inbox = await decoded([(codec, piece) for piece in encoded(encoder, 5)])
    assert inbox.lumas() == pytest.approx([50, 60, 70, 80, 90], abs=4)
    assert inbox.frames[-1] is None
    assert [frame.pts for frame in inbox.frames if frame] == [0, 3600, 7200, 10800, 14400]
    assert inbox.threads == {threading.get_ident()}


@pytest.mark.parametrize(("name", "encoder"), [("vp8", "libvpx"), ("h264", "libx264")])
def test_a_picture_is_there_as_soon_as_its_frame_is(name: str, encoder: str) -> None:
    decoder = VideoDecoder(name)
    assert [len(decoder.decode(piece)) for piece in encoded(encoder, 4)] == [1, 1, 1, 1]


async def test_a_change_of_codec_and_of_size_is_followed() -> None:
    small, large = encoded("libvpx", 2), encoded("libvpx", 2, (128, 96))
    other = encoded("libx264", 2)
    work = [(VP8, piece) for piece in small + large] + [(H264, piece) for piece in other]
    inbox = await decoded(work)
    sizes = [frame.width for frame in inbox.frames if isinstance(frame, av.VideoFrame)]
    assert sizes == [64, 64, 128, 128, 64, 64]


async def test_frames_without_references_are_marked_until_the_next_key_frame() -> None:
    failed = threading.Event()
    lost = encoded("libvpx", 3)[1:]
    inbox = await decoded([(VP8, piece) for piece in lost], failed)
    assert failed.is_set()
    assert inbox.frames == [None]
    inbox = await decoded([(VP8, piece) for piece in lost + encoded("libvpx", 2)])
    assert len(inbox.lumas()) == 2


@pytest.mark.parametrize("data", [b"", b"\x00", b"nonsense" * 50])
async def test_garbage_ends_nothing(data: bytes) -> None:
    good = [(VP8, piece) for piece in encoded("libvpx", 2)]
    inbox = await decoded([*good[:1], (VP8, Piece(data, 1)), *good[1:]])
    assert inbox.lumas()[-1] == pytest.approx(60, abs=4)


async def test_sound_is_decoded_as_before() -> None:
    inbox = await decoded([(OPUS, Piece(b"sound", 0))])
    assert isinstance(inbox.frames[0], av.AudioFrame)


def test_a_closed_loop_ends_a_decoder_without_a_word() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    tasks = queue.Queue[tuple[RTCRtpCodecParameters, Encoded] | None]()
    for piece in encoded("libvpx", 2):
        tasks.put((VP8, piece))
    tasks.put(None)
    inbox: list[Frame | None] = []

    class Nowhere:
        def put_nowait(self, frame: Frame | None, /) -> None:
            inbox.append(frame)

    decode_stream(loop, tasks, Nowhere(), threading.Event(), other=nothing_else)
    assert inbox == []


def pieces(frames: Iterable[bytes]) -> list[Piece]:
    return [Piece(data, 3600 * number) for number, data in enumerate(frames)]


def decode_all(name: str, stream: list[Piece]) -> tuple[int, str | None]:
    """How many pictures come out of ``stream``, and why the last one was refused."""
    decoder = VideoDecoder(name)
    count = 0
    for piece in stream:
        with contextlib.suppress(av.FFmpegError):
            count += len(decoder.decode(piece))
    return count, decoder.refused


@pytest.mark.parametrize(
    ("size", "references", "shown"),
    [
        ((16000, 16000), 1, None),
        ((16000, 16000), 1, (64, 64)),
        ((8192, 8192), 16, (640, 360)),
        ((4096, 2304), 16, None),
        ((16, 655_360), 1, None),
    ],
)
def test_an_h264_stream_that_announces_too_much_takes_no_memory(
    size: tuple[int, int], references: int, shown: tuple[int, int] | None
) -> None:
    stream = pieces(h264_stream(*size, references, shown=shown))
    assert max(len(piece.data) for piece in stream) < 64
    count, refused = confined(decode_all, "h264", stream, megabytes=40, seconds=10)
    assert count == 0
    assert refused is not None
    assert f"{size[0]}x{size[1]}" in refused


def test_a_vp8_stream_that_announces_too_much_takes_no_memory() -> None:
    stream = pieces([vp8_key_frame(8192, 8192)] * 20)
    count, refused = confined(decode_all, "vp8", stream, megabytes=40, seconds=10)
    assert (count, refused) == (0, "8192x8192 exceeds 9437184 pixels")


@pytest.mark.parametrize(
    ("size", "references"), [((1920, 1088), 16), ((3840, 2160), 4), ((2160, 3840), 2)]
)
def test_what_cameras_and_screens_send_is_decoded(size: tuple[int, int], references: int) -> None:
    stream = pieces(h264_stream(*size, references, count=4))
    assert decode_all("h264", stream) == (4, None)


@pytest.mark.parametrize(
    ("codec", "encoder", "large"),
    [
        (VP8, "libvpx", [vp8_key_frame(8192, 8192)]),
        (H264, "libx264", list(h264_stream(16000, 16000, shown=(64, 48), count=3))),
    ],
)
async def test_a_refused_stream_may_come_back_smaller(
    codec: RTCRtpCodecParameters, encoder: str, large: list[bytes]
) -> None:
    good = encoded(encoder, 3)
    work = [*good[:2], *pieces(large), good[2], *encoded(encoder, 2)]
    inbox = await decoded([(codec, piece) for piece in work])
    assert inbox.lumas() == pytest.approx([50, 60, 50, 60], abs=4)


async def test_a_refused_stream_is_logged_once_and_seldom_asked_for_key_frames() -> None:
    asked, now = 0, 0.0

    class Requests(threading.Event):
        def set(self) -> None:
            nonlocal asked
            asked += 1

    def clock() -> float:
        nonlocal now
        now += REFUSED_INTERVAL / 10
        return now

    stream = pieces(h264_stream(16000, 16000, count=30))
    with structlog.testing.capture_logs() as logs:
        await decoded([(H264, piece) for piece in stream], Requests(), clock=clock)
    assert [entry["event"] for entry in logs] == ["camera refused"]
    assert 1 <= asked <= 60 // 10 + 1


def test_a_refused_camera_is_logged_with_its_participant() -> None:
    tasks = queue.Queue[tuple[RTCRtpCodecParameters, Encoded] | None]()
    for piece in pieces(h264_stream(16000, 16000, 1, count=3)):
        tasks.put((H264, piece))
    tasks.put(None)
    loop = asyncio.new_event_loop()
    decoded: asyncio.Queue[Frame | None] = asyncio.Queue()
    name_frames(decoded, "p-ada")
    with structlog.testing.capture_logs() as entries:
        decode_stream(loop, tasks, decoded, threading.Event(), other=nothing_else)
    loop.close()
    refused = [entry for entry in entries if entry["event"] == "camera refused"]
    assert [entry["participant"] for entry in refused] == ["p-ada"]


@pytest.mark.parametrize(("name", "encoder"), [("vp8", "libvpx"), ("h264", "libx264")])
def test_all_cameras_together_have_a_budget(name: str, encoder: str) -> None:
    stream = encoded(encoder, 2, (640, 352))
    budget = PictureBudget(most=kept_bytes(name, stream[0].data) or 0)
    first, second = VideoDecoder(name, budget), VideoDecoder(name, budget)
    assert len(first.decode(stream[0])) == 1
    assert second.decode(stream[0]) == []
    assert "all cameras together" in str(second.refused)
    assert len(first.decode(stream[1])) == 1
    del first
    assert len(second.decode(stream[0])) == 1
    assert second.refused is None


def decode_at_the_limits(count: int) -> int:
    """The pictures of ``count`` cameras, each within its own limits, all kept."""
    decoders = [VideoDecoder("h264") for _ in range(count)]
    newest: dict[int, object] = {}
    for piece in pieces(h264_stream(3840, 2160, 14, count=16)):
        for number, decoder in enumerate(decoders):
            for frame in decoder.decode(piece):
                newest[number] = frame
    assert ALL_CAMERAS.taken <= ALL_CAMERAS.most
    return len(newest)


def test_the_memory_of_many_cameras_at_their_limits_is_bounded() -> None:
    assert 0 < confined(decode_at_the_limits, 20, megabytes=1400, seconds=120) < 20


def test_sound_that_a_file_calls_video_declares_no_size() -> None:
    assert declared_size("aac", b"\xff\xf1\x50\x80\x01\x7f\xfc" * 9) is None
