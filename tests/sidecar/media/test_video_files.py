"""Video files in and out."""

import contextlib
import random
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from config.errors import PictureError
from sidecar.media.video_files import VideoReader, VideoWriter


def frames_of(reader: VideoReader) -> list[av.VideoFrame]:
    return [item for item in reader if isinstance(item, av.VideoFrame)]


def write(path: Path, count: int, size: tuple[int, int] = (64, 48)) -> Path:
    with VideoWriter(path, Fraction(25), None) as writer:
        for index in range(count):
            pixels = np.full((size[1], size[0], 3), index * 5 % 256, np.uint8)
            writer.write(av.VideoFrame.from_ndarray(pixels, format="rgb24"), index / 25)
    return path


def with_sound(path: Path) -> Path:
    """A second of grey pictures and of silence."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", 25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream("aac", 48000, layout="mono")
        for index in range(25):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), format="rgb24")
            frame.pts = index
            container.mux(video.encode(frame))
        sound = av.AudioFrame.from_ndarray(
            np.zeros((1, 48000), np.float32), format="fltp", layout="mono"
        )
        sound.sample_rate, sound.pts = 48000, 0
        container.mux(audio.encode(sound))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".webm"])
def test_what_is_written_can_be_read_again(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"a{suffix}", 30)
    with VideoReader(path) as reader:
        frames = frames_of(reader)
        assert len(frames) == 30
        assert (frames[0].width, frames[0].height) == (64, 48)
        assert frames[20].time == pytest.approx(0.8, abs=0.01)
        assert reader.duration == pytest.approx(1.2, abs=0.1)


def test_the_sound_is_kept_as_it_is(tmp_path: Path) -> None:
    source, target = with_sound(tmp_path / "in.mp4"), tmp_path / "out.mp4"
    with VideoReader(source) as reader, VideoWriter(target, reader.rate, reader.audio) as writer:
        for item in reader:
            if isinstance(item, av.VideoFrame):
                writer.write(item, item.time)
            else:
                writer.write_sound(item)
    with av.open(str(target)) as container:
        [audio] = container.streams.audio
        assert audio.codec_context.name == "aac"
        seconds = sum(frame.samples for frame in container.decode(audio)) / 48000
        assert seconds == pytest.approx(1.0, abs=0.1)


TURNS_RIGHT = (0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
UPSIDE_DOWN = (-0x10000, 0, 0, 0, -0x10000, 0, 0, 0, 0x40000000)


@pytest.mark.parametrize(
    ("matrix", "size", "bright"),
    [(TURNS_RIGHT, (48, 64), (8, -8)), (UPSIDE_DOWN, (64, 48), (-8, -8))],
)
def test_a_video_stored_sideways_is_turned(
    tmp_path: Path, matrix: tuple[int, ...], size: tuple[int, int], bright: tuple[int, int]
) -> None:
    path = tmp_path / "phone.mp4"
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:16, :16] = 255
    with VideoWriter(path, Fraction(25), None) as writer:
        writer.write(av.VideoFrame.from_ndarray(pixels, format="rgb24"), 0.0)
    data = bytearray(path.read_bytes())
    # ISO/IEC 14496-12 §8.3.2: the matrix stands 40 bytes into a version 0 track header.
    start = data.index(b"tkhd") + 4 + 40
    data[start : start + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(data)

    with VideoReader(path) as reader:
        [frame] = frames_of(reader)

    assert (frame.width, frame.height) == size
    grey = frame.to_ndarray(format="gray")
    assert grey[bright] > 200
    assert np.median(grey) < 30


def test_a_file_that_is_no_video_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no video at all")
    with pytest.raises(PictureError, match=r"notes\.txt: can't be read as a video"):
        VideoReader(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"gone\.mp4: can't be read as a video: No such file"):
        VideoReader(tmp_path / "gone.mp4")


def test_a_truncated_video_gives_the_frames_that_are_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", 100, (160, 120))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with VideoReader(path) as reader:
        assert 1 <= len(frames_of(reader)) < 100


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_whatever_is_damaged_gives_frames_or_a_named_error(tmp_path: Path, suffix: str) -> None:
    whole = write(tmp_path / f"whole{suffix}", 10).read_bytes()
    path = tmp_path / f"damaged{suffix}"
    for seed in range(60):
        chance = random.Random(seed)
        damaged = bytearray(whole)
        for _ in range(chance.choice([3, 30, 300])):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        with contextlib.suppress(PictureError), VideoReader(path) as reader:
            assert len(frames_of(reader)) <= 20


def test_an_error_that_only_ffmpeg_knows_is_named_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise av.error.PatchWelcomeError(1, "Not yet implemented in FFmpeg")

    path = write(tmp_path / "odd.mp4", 2)
    monkeypatch.setattr(av, "open", refuse)
    with pytest.raises(PictureError, match=r"odd\.mp4: can't be read as a video: Not yet"):
        VideoReader(path)


def test_an_unknown_kind_of_target_is_told_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"out\.doc.*name it \.mp4"):
        VideoWriter(tmp_path / "out.doc", Fraction(25), None)


def test_a_failed_run_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail() -> None:
        with VideoWriter(tmp_path / "out.mp4", Fraction(25), None) as writer:
            writer.write(av.VideoFrame(64, 48, "yuv420p"), 0.0)
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        fail()
    assert list(tmp_path.iterdir()) == []
