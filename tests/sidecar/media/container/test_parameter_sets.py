"""What parameter sets announce, against encoders and garbage."""

from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from hypothesis import given
from hypothesis import strategies as st

from sidecar.media.container.parameter_sets import DecodedPictures, announced, configured
from tests.bitstreams import h264_parameter_set
from tests.media_cases import X265


def encoder(
    codec: str, size: tuple[int, int], *, options: dict[str, str], pixels: str = "yuv420p"
) -> VideoCodecContext:
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height = size
    context.pix_fmt, context.time_base = pixels, Fraction(1, 25)
    context.options = options
    return context


def first_packet(context: VideoCodecContext) -> bytes:
    frame = av.VideoFrame(context.width, context.height, "yuv420p")
    frame.pts = 0
    [packet, *_] = [*context.encode(frame), *context.encode(None)]
    return bytes(packet)


@pytest.mark.parametrize("profile", ["baseline", "main", "high"])
@pytest.mark.parametrize("references", [1, 5])
def test_what_x264_writes_is_read(profile: str, references: int) -> None:
    options = {"profile": profile, "x264-params": f"ref={references}:bframes=0:keyint=30"}
    data = first_packet(encoder("libx264", (200, 100), options=options))
    assert list(announced("h264", data)) == [DecodedPictures(208, 112, references + 1)]


def test_what_x265_writes_is_read() -> None:
    options = {"x265-params": "ref=3:bframes=0:log-level=none"}
    data = first_packet(encoder("libx265", (200, 104), options=options, pixels="yuv420p10le"))
    [pictures] = announced("hevc", data)
    assert (pictures.width, pictures.height, pictures.depth) == (200, 104, 10)
    assert 3 <= pictures.count <= 6


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_the_header_of_an_mp4_is_read(codec: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("header") / "a.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream({"h264": "libx264", "hevc": "libx265"}[codec], 25)
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = 320, 240, "yuv420p"
        if codec == "hevc":
            video.codec_context.options = {"x265-params": X265}
        frame = av.VideoFrame.from_ndarray(np.zeros((360, 320), np.uint8), format="yuv420p")
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        container.mux(video.encode(frame))
        container.mux(video.encode(None))
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        length_size, [pictures] = configured(codec, video.codec_context.extradata or b"")
        assert (length_size, pictures.width, pictures.height) == (4, 320, 240)
        packet = bytes(next(container.demux(video)))
        assert list(announced(codec, packet, length_size)) == []


def test_sets_between_units_with_their_lengths_are_found() -> None:
    unit = h264_parameter_set(16000, 16000, shown=(64, 64))[4:]
    data = (2).to_bytes(4, "big") + b"\x09\xf0" + len(unit).to_bytes(4, "big") + unit
    [pictures] = announced("h264", data, 4)
    assert (pictures.width, pictures.height) == (16000, 16000)


def test_memory_counts_deep_samples_twice() -> None:
    assert DecodedPictures(64, 64, 2).nbytes * 2 == DecodedPictures(64, 64, 2, 10).nbytes


@given(
    st.sampled_from(["h264", "hevc"]),
    st.binary(max_size=200),
    st.sampled_from([b"", b"\x01", b"\x00\x00\x01\x67", b"\x00\x00\x01\x42\x01"]),
    st.integers(0, 4),
)
def test_garbage_ends_in_sets_or_none(
    codec: str, data: bytes, prefix: bytes, length_size: int
) -> None:
    for pictures in [
        *announced(codec, prefix + data, length_size),
        *configured(codec, prefix + data)[1],
    ]:
        assert pictures.nbytes >= 0
