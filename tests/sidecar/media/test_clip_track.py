"""Clips that play as cameras."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError

from config.errors import PictureError
from sidecar.media.clip_track import ClipTrack


def make_clip(path: Path, codec: str = "libvpx", count: int = 5) -> Path:
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, 50)
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.options = {"lag-in-frames": "0"} if codec == "libvpx" else {}
        for index in range(count):
            pixels = np.full((48, 64, 3), 40 * index % 256, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 50)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


async def test_a_clip_repeats_with_increasing_time_stamps(tmp_path: Path) -> None:
    track = ClipTrack(make_clip(tmp_path / "a.webm"))
    packets = [await track.recv() for _ in range(12)]
    seconds = [float((packet.pts or 0) * packet.time_base) for packet in packets]
    assert np.allclose(np.diff(seconds), 0.02, atol=0.002)
    assert bytes(packets[0]) == bytes(packets[5]) == bytes(packets[10])
    assert packets[0].is_keyframe
    assert packets[5].is_keyframe
    assert not packets[1].is_keyframe


async def test_the_packets_decode_to_the_pictures_of_the_clip(tmp_path: Path) -> None:
    track = ClipTrack(make_clip(tmp_path / "a.webm"))
    decoder = av.CodecContext.create("libvpx", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    greys = [
        float(frame.to_ndarray(format="gray").mean())
        for _ in range(5)
        for frame in decoder.decode(await track.recv())
    ]
    assert np.allclose(greys, [0, 40, 80, 120, 160], atol=12)


async def test_a_stopped_clip_ends(tmp_path: Path) -> None:
    track = ClipTrack(make_clip(tmp_path / "a.webm"))
    track.stop()
    with pytest.raises(MediaStreamError):
        await track.recv()


def test_a_clip_in_another_codec_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"a\.mp4: holds h264, not VP8"):
        ClipTrack(make_clip(tmp_path / "a.mp4", "libx264"))


def test_a_file_that_is_no_clip_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.webm"
    path.write_bytes(b"nothing")
    with pytest.raises(PictureError, match=r"a\.webm: can't be read as a video"):
        ClipTrack(path)
