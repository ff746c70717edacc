import asyncio

import av
import numpy as np
import pytest

from sidecar.media.compositor.i420 import Planes
from sidecar.media.encoder import KEY_FRAME_APART, KEY_FRAME_EVERY, Encoder
from sidecar.media.packet_track import VideoPacket
from tests.sidecar.media.pictures import BLUE, GREEN, RED, flat


def encode(encoder: Encoder, ticks: range) -> list[tuple[int, VideoPacket]]:
    """A moving picture at each of ``ticks``; every packet with its tick."""
    packets = []
    for tick in ticks:
        frame = flat(encoder.width, encoder.height, RED)
        Planes.of(frame).luma[:, tick % 100 : tick % 100 + 40] = 200
        packets += [(tick, packet) for packet in encoder.encode(frame, tick)]
    return packets


def keys(packets: list[tuple[int, VideoPacket]]) -> list[int]:
    return [tick for tick, packet in packets if packet.is_keyframe]


def test_every_picture_is_one_packet_with_its_own_time() -> None:
    packets = encode(Encoder(320, 180), range(0, 50, 3))
    assert [tick for tick, _ in packets] == list(range(0, 50, 3))
    for tick, packet in packets:
        assert packet.pts is not None
        assert packet.time_base is not None
        assert float(packet.pts * packet.time_base) == pytest.approx(tick / 25)


def test_a_decoder_sees_what_was_encoded() -> None:
    decoder = av.CodecContext.create("libvpx", "r")
    encoder = Encoder(320, 180)
    for tick, colour in enumerate([RED, GREEN, BLUE]):
        (packet,) = encoder.encode(flat(320, 180, colour), tick)
        (frame,) = decoder.decode(packet)
        assert isinstance(frame, av.VideoFrame)
        pixel = frame.to_ndarray(format="rgb24")[90, 160]
        assert pixel.tolist() == pytest.approx(colour, abs=12)


def test_a_key_frame_comes_first_and_every_four_seconds() -> None:
    ticks = keys(encode(Encoder(320, 180), range(230)))
    assert ticks == [0, round(KEY_FRAME_EVERY * 25), round(2 * KEY_FRAME_EVERY * 25)]


def test_a_key_frame_that_is_asked_for_comes_next() -> None:
    encoder = Encoder(320, 180)
    encode(encoder, range(20))
    encoder.request_key_frame()
    assert keys(encode(encoder, range(20, 40))) == [20]


def test_a_viewer_who_asks_all_the_time_gets_few_key_frames() -> None:
    encoder = Encoder(320, 180)
    packets = []
    for tick in range(50):
        encoder.request_key_frame()
        packets += encode(encoder, range(tick, tick + 1))
    assert len(keys(packets)) <= 2 / KEY_FRAME_APART + 1


def test_key_frames_are_found_by_time_when_ticks_are_skipped() -> None:
    assert keys(encode(Encoder(320, 180), range(0, 150, 30))) == [0, 120]


def test_the_rate_is_about_what_was_asked_for() -> None:
    encoder = Encoder(640, 360, bitrate=400_000)
    down, across = np.mgrid[0:360, 0:640]
    noise = np.random.default_rng(1)
    total = 0
    for tick in range(100):
        frame = flat(640, 360, RED)
        waves = 120 + 60 * np.sin(across / 15 + tick / 4) * np.cos(down / 11)
        Planes.of(frame).luma[:] = waves + noise.normal(0, 3, (360, 640))
        total += sum(packet.size for packet in encoder.encode(frame, tick))
    assert total * 8 / 4 == pytest.approx(400_000, rel=0.25)


async def test_one_encoding_goes_to_every_viewer() -> None:
    encoder = Encoder(320, 180)
    tracks = [encoder.subscribe() for _ in range(3)]
    watching = [asyncio.create_task(track.recv()) for track in tracks]
    await asyncio.sleep(0)
    (packet,) = encoder.encode(flat(320, 180), 0)
    encoder.publish([packet])
    for received in await asyncio.gather(*watching):
        assert received is packet


def test_closing_ends_every_track() -> None:
    encoder = Encoder(320, 180)
    tracks = [encoder.subscribe() for _ in range(3)]
    assert encoder.viewers == 3
    encoder.close()
    assert encoder.viewers == 0
    assert {track.readyState for track in tracks} == {"ended"}


def test_a_stopped_track_is_forgotten() -> None:
    encoder = Encoder(320, 180)
    track = encoder.subscribe()
    track.stop()
    assert encoder.viewers == 0


def test_a_failed_picture_does_not_end_the_stream() -> None:
    encoder = Encoder(320, 180)
    encode(encoder, range(10))

    class Broken:
        def encode(self, frame: av.VideoFrame) -> None:
            raise av.FFmpegError(1, "broken")

    vars(encoder)["_codec"] = Broken()
    with pytest.raises(av.FFmpegError):
        encode(encoder, range(10, 11))
    assert keys(encode(encoder, range(11, 13))) == [11]


def test_a_frame_of_another_size_or_format_is_refused() -> None:
    encoder = Encoder(320, 180)
    for frame in (flat(64, 64), flat(320, 180).reformat(format="yuv444p")):
        with pytest.raises(ValueError, match="320x180"):
            encoder.encode(frame, 0)


def test_a_new_size_begins_with_a_key_frame_and_the_old_one_goes_on() -> None:
    decoder = av.CodecContext.create("libvpx", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    encoder = Encoder(320, 180)
    packets = encode(encoder, range(3))
    encoder.resize(320, 180)
    packets += encode(encoder, range(3, 5))
    encoder.resize(160, 120)
    packets += encode(encoder, range(5, 8))
    assert keys(packets) == [0, 5]
    sizes = [frame.width for _, packet in packets for frame in decoder.decode(packet)]
    assert sizes == [320] * 5 + [160] * 3
