"""Videos and animations written: whole, at the right times, with their sound."""

import os
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import structlog
from PIL import Image

from config.errors import PictureError
from sidecar.media.container.reader import TimedFrame, TimedSound, VideoReader
from sidecar.media.container.writer import KINDS, VideoWriter, video_kind
from tests.media_cases import SIZE, levels, marked, picture, write_video

RATE = Fraction(25)
VIDEOS = [".mp4", ".m4v", ".mov", ".mkv", ".webm"]
ANIMATIONS = [".gif", ".webp", ".apng", ".png"]


def write(path: Path, count: int = 30) -> Path:
    with VideoWriter(path, RATE) as writer:
        for number in range(count):
            writer.write(picture(marked(number)), number / 25)
    return path


def copy(source: Path, target: Path) -> None:
    with VideoReader(source) as reader, VideoWriter(target, reader.rate, reader.audio) as writer:
        for item in reader:
            if isinstance(item, TimedFrame):
                writer.write(item.frame, item.time)
            else:
                writer.write_sound(item.packet, item.time)


def sound_of(path: Path) -> tuple[str, float, float]:
    """Codec, seconds and loudness of the sound."""
    with av.open(str(path)) as container:
        [audio] = container.streams.audio
        frames = list(container.decode(audio))
        rate = audio.codec_context.sample_rate
        samples = np.concatenate([frame.to_ndarray().ravel() for frame in frames])
        scale = 1.0 if samples.dtype.kind == "f" else float(np.iinfo(samples.dtype).max)
        seconds = sum(frame.samples for frame in frames) / rate
        return audio.codec_context.name, seconds, float(np.abs(samples / scale).max())


@pytest.mark.parametrize("suffix", VIDEOS)
def test_what_is_written_can_be_read_again(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"a{suffix}")
    with VideoReader(path) as reader:
        frames = [item for item in reader if isinstance(item, TimedFrame)]
    assert [item.time for item in frames] == pytest.approx([n / 25 for n in range(30)], abs=0.002)
    assert (frames[0].frame.width, frames[0].frame.height) == SIZE


@pytest.mark.parametrize("suffix", ANIMATIONS)
def test_animations_play_for_ever_at_their_pace(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"a{suffix}", 10)
    with Image.open(path) as image:
        frames = int(getattr(image, "n_frames", 1))
        delays = []
        for index in range(frames):
            image.seek(index)
            image.load()
            delays.append(image.info["duration"])
            assert image.convert("L").getpixel((3, 3)) in range(240, 256)
        assert frames == 10
        assert delays == pytest.approx([40] * 10, abs=1)
        assert image.info["loop"] == 0


def test_a_gif_leaves_out_what_browsers_would_show_too_slowly(tmp_path: Path) -> None:
    path = tmp_path / "fast.gif"
    with VideoWriter(path, Fraction(120)) as writer:
        for number in range(120):
            writer.write(picture(marked(number)), number / 120)
    with Image.open(path) as image:
        delays = []
        for index in range(int(getattr(image, "n_frames", 1))):
            image.seek(index)
            delays.append(image.info["duration"])
    assert min(delays) >= 20
    assert sum(delays) == pytest.approx(1000, abs=30)


@pytest.mark.parametrize(
    ("encoder", "source", "suffix", "expected"),
    [
        ("aac", ".mp4", ".mkv", "aac"),
        ("aac", ".ts", ".mp4", "aac"),
        ("aac", ".mp4", ".webm", "opus"),
        ("libopus", ".mkv", ".webm", "opus"),
        ("libopus", ".webm", ".mov", "aac"),
        ("pcm_s16le", ".mov", ".mp4", "aac"),
        ("pcm_s16le", ".mov", ".mkv", "pcm_s16le"),
        ("wmav2", ".wmv", ".mkv", "aac"),
        ("mp2", ".ts", ".mp4", "aac"),
    ],
)
def test_sound_is_kept_or_encoded_again(
    tmp_path: Path, encoder: str, source: str, suffix: str, expected: str
) -> None:
    codec = {".webm": "libvpx", ".wmv": "wmv2"}.get(source, "libx264")
    recording = write_video(
        tmp_path / f"in{source}",
        [picture(marked(number)) for number in range(50)],
        sound=encoder,
        codec=codec,
    )
    target = tmp_path / f"out{suffix}"
    copy(recording, target)
    name, seconds, loudness = sound_of(target)
    assert name.removeprefix("lib") == expected
    assert seconds == pytest.approx(2.0, abs=0.12)
    assert 0.2 < loudness < 0.6


def test_sound_that_starts_before_the_pictures_is_kept_whole(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.ts", sound="aac")
    with VideoReader(source) as reader:
        heard = sum(isinstance(item, TimedSound) for item in reader)
    copy(source, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert sum(bool(packet.size) for packet in container.demux(audio=0)) == heard


def test_sound_with_a_doubled_stamp_is_written(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mkv", sound="aac")
    target = tmp_path / "out.mp4"
    with VideoReader(source) as reader, VideoWriter(target, RATE, reader.audio) as writer:
        for item in reader:
            if isinstance(item, TimedFrame):
                writer.write(item.frame, item.time)
            else:
                writer.write_sound(item.packet, round(item.time, 1))
    assert sound_of(target)[1] == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("suffix", [".gif", ".apng"])
def test_sound_that_can_t_be_held_is_one_line_in_the_log(tmp_path: Path, suffix: str) -> None:
    source = write_video(tmp_path / "in.mp4", sound="aac")
    with structlog.testing.capture_logs() as logs:
        copy(source, tmp_path / f"out{suffix}")
    [entry] = logs
    assert (entry["event"], entry["log_level"]) == ("sound left out", "warning")


@pytest.mark.parametrize("tag", [1, 5])
def test_colour_tags_go_along(tmp_path: Path, tag: int) -> None:
    path = tmp_path / "out.mp4"
    with VideoWriter(path, RATE) as writer:
        for number in range(3):
            frame = levels(100, colorspace=tag, color_trc=1, color_primaries=1, color_range=1)
            writer.write(frame, number / 25)
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    assert (frame.colorspace, frame.color_trc, frame.color_range) == (tag, 1, 1)


# What can't be written


@pytest.mark.parametrize("name", ["out.doc", "out", "out.avi", "out.jpg"])
def test_a_suffix_that_can_t_hold_a_video_is_refused_with_a_list(tmp_path: Path, name: str) -> None:
    with pytest.raises(PictureError, match=r"can't hold a video \(name it \.mp4 .*\.gif"):
        video_kind(tmp_path / name)
    with pytest.raises(PictureError, match="can't hold a video"):
        VideoWriter(tmp_path / name, RATE)
    assert not list(tmp_path.iterdir())


def never(writer: VideoWriter) -> None:
    raise RuntimeError("in the middle")


def full(writer: VideoWriter) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("fail", [never, full])
@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_an_older_file_is_untouched_until_the_new_one_is_whole(
    tmp_path: Path, fail: Callable[[VideoWriter], None], suffix: str
) -> None:
    path = tmp_path / f"out{suffix}"
    path.write_text("older")

    def run() -> None:
        with VideoWriter(path, RATE) as writer:
            writer.write(picture(marked()), 0.0)
            assert path.read_text() == "older"
            fail(writer)

    with pytest.raises((RuntimeError, OSError)):
        run()
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_without_a_picture_there_is_no_file(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4", RATE):
        pass
    assert not list(tmp_path.iterdir())


def test_two_writers_of_one_file_don_t_disturb_each_other(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    start = threading.Barrier(2)

    def run(count: int) -> None:
        with VideoWriter(path, RATE) as writer:
            start.wait(20)
            for number in range(count):
                writer.write(picture(marked(number)), number / 25)

    threads = [threading.Thread(target=run, args=(count,)) for count in (10, 60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with VideoReader(path) as reader:
        assert sum(isinstance(item, TimedFrame) for item in reader) in (10, 60)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "name",
    [
        "2026-11-29T14:30:00Z.mp4",
        "50%25.mp4",
        "a#b?c&d.mp4",
        "-i.mp4",
        "two\nlines.mp4",
        "cafe\u0301.mp4",
        "caf\u00e9.mp4",
        "\U0001f469\u200d\U0001f4bb.mp4",
        "Screenshot 3.04\u202fPM.mp4",
        os.fsdecode(b"latin-\xe9.mp4"),
        "n" * 251 + ".mp4",
        "pipe:0.mp4",
        "concat:a|b.mp4",
        "tcp:127.0.0.1:9.mp4",
        "file:x.mp4",
    ],
)
def test_any_name_can_be_written_and_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write(Path(name), 3)
    with VideoReader(path) as reader:
        assert sum(isinstance(item, TimedFrame) for item in reader) == 3
    assert [os.fsencode(entry.name) for entry in tmp_path.iterdir()] == [os.fsencode(name)]


def test_every_kind_of_file_has_an_encoder() -> None:
    for kind in KINDS.values():
        assert av.Codec(kind.encoder, "w").is_encoder
