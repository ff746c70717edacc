"""Video files of every format that is read: the container, the codec, and what they announce."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory, gettempdir
from typing import Final

from config.errors import PictureError
from sidecar.media.container.parameter_sets import announced, configured
from sidecar.media.container.reader import TimedFrame, VideoReader
from tests.bitstreams import h264_parameter_set, h264_stream
from tests.fuzz.mutations import mutated
from tests.fuzz.target import FuzzTarget, refused
from tests.media_cases import marked, matrix, picture, turned, write_h264, write_video

SIZE: Final = (32, 32)


@dataclass(frozen=True)
class Sample:
    """What the corpus of one target is made of, in FFmpeg's names."""

    container: str
    video: str
    sound: str | None = None
    pixels: str = "yuv420p"
    size: tuple[int, int] = SIZE


SAMPLES: Final = {
    "mp4": Sample("mp4", "libx264", "aac"),
    "mov": Sample("mov", "mpeg4", "pcm_s16le"),
    "mov-prores": Sample("mov", "prores_ks", "alac", "yuv422p10le"),
    "mkv": Sample("matroska", "libx264", "aac"),
    "mkv-ffv1": Sample("matroska", "ffv1", "flac", "yuv444p"),
    "webm": Sample("webm", "libvpx", "libopus"),
    "webm-vp9": Sample("webm", "libvpx-vp9", "libopus"),
    "ts": Sample("mpegts", "libx264", "mp2"),
    "mpg": Sample("mpeg", "mpeg1video", "mp2"),
    "avi": Sample("avi", "mpeg4", "mp2"),
    "avi-mjpeg": Sample("avi", "mjpeg", "pcm_s16le", "yuvj420p"),
    "flv": Sample("flv", "libx264", "aac"),
    "wmv": Sample("asf", "wmv2", "wmav2"),
    "ogg": Sample("ogg", "libvpx", "libopus"),
    "3gp": Sample("3gp", "h263", "aac", size=(128, 96)),
    "nut": Sample("nut", "mpeg4", "mp2"),
    "mxf": Sample("mxf", "mpeg2video"),
    "rm": Sample("rm", "rv10", size=(176, 144)),
    "ivf": Sample("ivf", "libvpx-vp9"),
    "y4m": Sample("yuv4mpegpipe", "rawvideo"),
    "h264": Sample("h264", "libx264"),
    "hevc": Sample("hevc", "libx265"),
}


def corpus(name: str) -> list[bytes]:
    """Files of three small pictures, with sound where the format has it."""
    sample = SAMPLES[name]
    frames = [picture(marked(number, sample.size), sample.pixels) for number in range(3)]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"

        def write(sound: str | None) -> bytes:
            return write_video(
                path,
                frames,
                codec=sample.video,
                sound=sound,
                container_format=sample.container,
                pixel_format=sample.pixels,
            ).read_bytes()

        files = [write(None)]
        if sample.sound is not None:
            files.append(write(sample.sound))
        if name == "mp4":
            path.write_bytes(files[0])
            files.append(turned(path, matrix(0, 1, 1, 0)).read_bytes())
        if sample.video == "libx264":
            bomb = h264_stream(16000, 16000, 16, shown=SIZE, count=4)
            files.append(write_h264(path, bomb, container_format=sample.container).read_bytes())
    return files


def inputs(name: str, random: Random) -> Iterator[bytes]:
    return mutated(corpus(name), random)


def read(data: bytes) -> bool:
    """Whether ``data`` is a video that can be read to its end; its times go forward from 0."""
    path = Path(gettempdir()) / "fuzz-video"
    path.write_bytes(data)
    last = -1.0
    try:
        with VideoReader(path) as reader:
            assert reader.rate > 0
            for item in reader:
                if isinstance(item, TimedFrame):
                    assert item.time > last
                    assert item.frame.format.name == "yuv420p"
                    last = item.time
                assert 0 <= reader.share <= 1
    except PictureError as error:
        return refused(error)
    return True


def parameter_sets(random: Random) -> Iterator[bytes]:
    sets = [h264_parameter_set(64, 48), h264_parameter_set(16000, 16000, 16, shown=(64, 48))]
    return mutated([*sets, b"\x01\x42\0\x1e\xff\xe1\0\x0b" + sets[0][4:], b"".join(sets)], random)


def read_sets(data: bytes) -> bool:
    found = False
    for codec in ("h264", "hevc"):
        length_size, sets = configured(codec, data)
        assert 0 <= length_size <= 4
        for pictures in [*sets, *announced(codec, data), *announced(codec, data, 4)]:
            assert pictures.nbytes >= 0
            found = True
    return found


TARGETS: Final = (
    *(
        FuzzTarget(f"container-{name}", partial(inputs, name), read, megabytes=256, seconds=10)
        for name in SAMPLES
    ),
    FuzzTarget("parameter-sets", parameter_sets, read_sets, megabytes=16),
)
