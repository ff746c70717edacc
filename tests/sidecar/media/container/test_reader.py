"""Recordings with the oddities of real ones, read as a player shows them."""

import contextlib
import random
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from config.errors import PictureError
from sidecar.media.container.reader import TimedFrame, TimedSound, VideoReader
from tests.bitstreams import h264_stream
from tests.confined import confined
from tests.media_cases import (
    SIZE,
    UNITY,
    add_sound,
    add_video,
    corner,
    levels,
    marked,
    matrix,
    picture,
    turned,
    write_h264,
    write_tone,
    write_video,
)


def frames_of(path: Path) -> list[TimedFrame]:
    with VideoReader(path) as reader:
        return [item for item in reader if isinstance(item, TimedFrame)]


def times_of(path: Path) -> list[float]:
    return [item.time for item in frames_of(path)]


def luma(frame: av.VideoFrame) -> float:
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return float(rows[:, : plane.width].mean())


def steady(count: int, rate: float = 25, first: float = 0.0) -> list[float]:
    return [first + number / rate for number in range(count)]


# Orientation


@pytest.mark.parametrize(
    ("axes", "size", "place"),
    [
        ((1, 0, 0, 1), (64, 48), ("top", "left")),
        ((-1, 0, 0, 1), (64, 48), ("top", "right")),
        ((-1, 0, 0, -1), (64, 48), ("bottom", "right")),
        ((1, 0, 0, -1), (64, 48), ("bottom", "left")),
        ((0, 1, 1, 0), (48, 64), ("top", "left")),
        ((0, 1, -1, 0), (48, 64), ("top", "right")),
        ((0, -1, -1, 0), (48, 64), ("bottom", "right")),
        ((0, -1, 1, 0), (48, 64), ("bottom", "left")),
    ],
)
def test_every_orientation_is_shown_upright(
    tmp_path: Path, axes: tuple[int, int, int, int], size: tuple[int, int], place: tuple[str, str]
) -> None:
    path = turned(write_video(tmp_path / "phone.mp4"), matrix(*axes))
    first = frames_of(path)[0].frame
    assert ((first.width, first.height), corner(first)) == (size, place)


def test_an_odd_angle_is_refused_by_name(tmp_path: Path) -> None:
    half = round(UNITY * 0.7071)
    values = (half, half, 0, -half, half, 0, 0, 0, 1 << 30)
    path = turned(write_video(tmp_path / "tilted.mp4"), values)
    with pytest.raises(PictureError, match=r"tilted\.mp4: is turned by 45°"):
        frames_of(path)


# Time


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi", ".webm", ".flv"])
def test_every_container_begins_at_0_and_loses_nothing(tmp_path: Path, suffix: str) -> None:
    codec = "libvpx" if suffix == ".webm" else "libx264"
    path = write_video(tmp_path / f"a{suffix}", codec=codec)
    times = times_of(path)
    # AVI says when pictures are decoded, which is up to two of them before they are shown.
    assert times[0] == pytest.approx(0, abs=0.081 if suffix == ".avi" else 0.002)
    assert np.subtract(times, times[0]) == pytest.approx(steady(25), abs=0.002)


@pytest.mark.parametrize("suffix", [".ts", ".mkv"])
def test_stamps_that_begin_at_an_hour_begin_at_0(tmp_path: Path, suffix: str) -> None:
    stamps = [3600 * 25 + number for number in range(25)]
    path = write_video(tmp_path / f"late{suffix}", stamps=stamps, options={"bf": "0"})
    assert times_of(path) == pytest.approx(steady(25), abs=0.002)


def test_files_joined_end_to_end_play_one_after_the_other(tmp_path: Path) -> None:
    part = write_video(tmp_path / "part.ts", sound="aac").read_bytes()
    joined = tmp_path / "joined.ts"
    joined.write_bytes(part * 3)
    with VideoReader(joined) as reader:
        items = list(reader)
    shown = [item.time for item in items if isinstance(item, TimedFrame)]
    heard = [item.time for item in items if isinstance(item, TimedSound)]
    assert len(shown) == 75
    # The sound of a part is a packet or two longer than its pictures.
    assert 2.96 <= shown[-1] - shown[0] <= 3.2
    assert np.diff(shown).max() < 0.15
    assert np.diff(heard).max() < 0.05
    assert abs(heard[-1] - shown[-1]) < 0.15


def test_a_jump_back_loses_and_squeezes_nothing(tmp_path: Path) -> None:
    first = write_video(tmp_path / "a.ts", options={"bf": "0"})
    stamps = [10 + number for number in range(25)]
    second = write_video(tmp_path / "b.ts", stamps=stamps, options={"bf": "0"})
    path = tmp_path / "both.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    assert times_of(path) == pytest.approx(steady(50), abs=0.05)


def test_a_stream_without_stamps_plays_at_its_rate(tmp_path: Path) -> None:
    path = write_video(tmp_path / "raw.h264", container_format="h264")
    times = times_of(path)
    assert len(times) == 25
    assert times == pytest.approx(steady(25), abs=0.01)


def test_a_variable_rate_is_kept(tmp_path: Path) -> None:
    stamps = [*range(0, 600, 120), *range(600, 720)]
    frames = [picture(marked(number)) for number in range(len(stamps))]
    path = write_video(tmp_path / "vfr.mkv", frames, stamps=stamps, rate=120, options={"bf": "0"})
    assert times_of(path) == pytest.approx([stamp / 120 for stamp in stamps], abs=0.002)


def test_doubled_stamps_of_pictures_and_sound_move_by_their_length(tmp_path: Path) -> None:
    stamps = [number - number % 2 for number in range(24)]
    frames = [picture(marked(number)) for number in range(24)]
    path = write_video(tmp_path / "twice.avi", frames, codec="mpeg4", options={"bf": "0"})
    times = times_of(path)
    assert len(times) == len(stamps)
    assert times == pytest.approx(steady(24), abs=0.01)


# Pixels and colours


@pytest.mark.parametrize(
    ("ratio", "size"), [(Fraction(4, 3), (86, 48)), (Fraction(1, 2), (64, 96)), (None, (64, 48))]
)
def test_pixels_that_are_not_square_become_square(
    tmp_path: Path, ratio: Fraction | None, size: tuple[int, int]
) -> None:
    path = write_video(tmp_path / "wide.mp4", ratio=ratio)
    first = frames_of(path)[0].frame
    assert (first.width, first.height) == size


def test_a_wide_picture_stored_sideways_keeps_its_shape(tmp_path: Path) -> None:
    path = turned(write_video(tmp_path / "a.mp4", ratio=Fraction(4, 3)), matrix(0, 1, -1, 0))
    first = frames_of(path)[0].frame
    assert (first.width, first.height) == (48, 86)


@pytest.mark.parametrize(
    ("frame", "codec", "expected"),
    [
        (levels(255, color_range=2), "libx264", 235),
        (levels(0, color_range=2), "libx264", 16),
        (levels(235, color_range=1), "libx264", 235),
        (levels(940, "yuv420p10le"), "libx264", 235),
        # ITU-R BT.2408: reference white is 203 cd/m², 58 % of PQ and 75 % of HLG.
        (levels(573, "yuv420p10le", color_trc=16, colorspace=9, color_primaries=9), "libx265", 233),
        (levels(721, "yuv420p10le", color_trc=18, colorspace=9, color_primaries=9), "libx265", 234),
    ],
    ids=["full white", "full black", "limited white", "10 bits", "PQ white", "HLG white"],
)
def test_contrast_is_that_of_a_player(
    tmp_path: Path, frame: av.VideoFrame, codec: str, expected: int
) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        video = add_video(container, codec, pixel_format=frame.format.name)
        video.color_range = frame.color_range or 1
        video.colorspace, video.color_trc = frame.colorspace, frame.color_trc
        video.color_primaries = frame.color_primaries
        frame.pts = 0
        container.mux(video.encode(frame))
        container.mux(video.encode(None))
    [shown] = frames_of(path)
    assert shown.frame.format.name == "yuv420p"
    assert luma(shown.frame) == pytest.approx(expected, abs=3)


def combed(number: int) -> av.VideoFrame:
    """A bright bar that moves to the right from field to field."""
    pixels = np.full((48, 64, 3), 30, np.uint8)
    pixels[::2, 4 * number : 4 * number + 8] = 220
    pixels[1::2, 4 * number + 4 : 4 * number + 12] = 220
    return picture(pixels)


def combs(frame: av.VideoFrame) -> float:
    grey = np.asarray(frame.to_ndarray(format="gray"))[8:-8].astype(int)
    return float(np.abs(grey[1:-1] * 2 - grey[:-2] - grey[2:]).mean())


def test_interlaced_pictures_lose_their_combs(tmp_path: Path) -> None:
    options = {"x264-params": "tff=1", "qp": "5"}
    path = write_video(
        tmp_path / "tv.mkv", [combed(number) for number in range(10)], options=options
    )
    frames = frames_of(path)
    assert len(frames) == 10
    assert combs(frames[5].frame) < combs(combed(5)) / 4
    assert [item.time for item in frames] == pytest.approx(steady(10), abs=0.002)


def test_an_odd_size_is_read(tmp_path: Path) -> None:
    frames = [levels(100, "yuv444p", (63, 47)) for _ in range(3)]
    path = write_video(tmp_path / "odd.mkv", frames, pixel_format="yuv444p")
    first = frames_of(path)[0].frame
    assert (first.width, first.height, first.format.name) == (63, 47, "yuv420p")


def test_a_change_of_size_is_followed(tmp_path: Path) -> None:
    small = write_video(tmp_path / "small.ts").read_bytes()
    large = [picture(marked(size=(128, 96))) for _ in range(5)]
    path = tmp_path / "both.ts"
    path.write_bytes(small + write_video(tmp_path / "large.ts", large).read_bytes())
    sizes = [item.frame.width for item in frames_of(path)]
    assert sizes == [64] * 25 + [128] * 5


def test_what_alpha_hides_stays_hidden(tmp_path: Path) -> None:
    rgba = np.full((48, 64, 4), 255, np.uint8)
    rgba[..., :3] = np.random.default_rng(1).integers(0, 255, (48, 64, 3))
    rgba[:, 32:, 3] = 0
    path = tmp_path / "cutout.mov"
    with av.open(str(path), "w") as container:
        video = add_video(container, "qtrle", pixel_format="argb")
        frame = av.VideoFrame.from_ndarray(rgba, format="rgba").reformat(format="argb")
        frame.pts = 0
        container.mux(video.encode(frame))
        container.mux(video.encode(None))
    [shown] = frames_of(path)
    grey = np.asarray(shown.frame.to_ndarray(format="gray"))
    assert grey[:, 34:].min() > 245
    assert grey[:, :30].std() > 20


def test_what_the_alpha_of_a_webm_hides_stays_hidden(tmp_path: Path) -> None:
    path = tmp_path / "cutout.webm"
    with av.open(str(path), "w") as container:
        video = add_video(
            container, "libvpx-vp9", pixel_format="yuva420p", options={"auto-alt-ref": "0"}
        )
        video.metadata["alpha_mode"] = "1"
        frame = av.VideoFrame(*SIZE, "yuva420p")
        for plane, value in zip(frame.planes, (16, 128, 128, 0), strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.pts = 0
        container.mux(video.encode(frame))
        container.mux(video.encode(None))
    [shown] = frames_of(path)
    assert luma(shown.frame) > 225


# Tracks


def test_a_still_before_the_video_is_not_taken_for_it(tmp_path: Path) -> None:
    path = tmp_path / "thumb.mkv"
    with av.open(str(path), "w") as container:
        still = add_video(container, "mjpeg", pixel_format="yuvj420p", rate=1)
        video = add_video(container)
        container.mux(still.encode(picture(marked(), "yuvj420p")))
        for number in range(25):
            frame = picture(marked(number))
            frame.pts = number
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        container.mux(still.encode(None))
    assert len(frames_of(path)) == 25


def attached(path: Path, sound: bool) -> Path:
    """A file of sound with a cover, or of a cover alone."""
    with av.open(str(path), "w") as container:
        cover = add_video(container, "mjpeg", pixel_format="yuvj420p")
        cover.disposition = av.stream.Disposition.attached_pic
        audio = add_sound(container) if sound else None
        container.mux(cover.encode(picture(marked(), "yuvj420p")))
        container.mux(cover.encode(None))
        if audio is not None:
            write_tone(container, audio, 1.0)
    return path


@pytest.mark.parametrize("sound", [True, False])
def test_a_cover_is_no_video(tmp_path: Path, sound: bool) -> None:
    path = attached(tmp_path / "song.m4a.mp4", sound)
    with pytest.raises(PictureError, match="holds no video track"):
        VideoReader(path)


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "voice.mkv"
    with av.open(str(path), "w") as container:
        write_tone(container, add_sound(container), 1.0)
    with pytest.raises(PictureError, match=r"voice\.mkv: holds no video track"):
        VideoReader(path)


# What is refused, and what is damaged


def read_all(path: Path) -> int:
    return len(frames_of(path))


def failure_of(path: Path) -> str:
    try:
        frames_of(path)
    except PictureError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("size", "shown"), [((16000, 16000), None), ((16000, 16000), (64, 48)), ((8192, 8192), None)]
)
def test_a_file_that_grows_beyond_the_limit_takes_no_memory(
    tmp_path: Path, size: tuple[int, int], shown: tuple[int, int] | None
) -> None:
    packets = [*h264_stream(*SIZE, count=5), *h264_stream(*size, 16, shown=shown, count=400)]
    path = write_h264(tmp_path / "bomb.mkv", packets)
    assert path.stat().st_size < 20_000
    text = confined(failure_of, path, megabytes=60, seconds=15)
    assert f"bomb.mkv: {size[0]}x{size[1]} exceeds" in text


@pytest.mark.parametrize("suffix", [".mkv", ".ts", ".mp4", ".flv", ".avi", ".h264"])
def test_a_bomb_is_refused_in_every_container(tmp_path: Path, suffix: str) -> None:
    packets = h264_stream(16000, 16000, count=30)
    path = write_h264(tmp_path / f"bomb{suffix}", packets, (16000, 16000))
    text = confined(failure_of, path, megabytes=60, seconds=15)
    assert "16000x16000 exceeds" in text


def test_a_file_that_is_no_video_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no video at all")
    with pytest.raises(PictureError, match=r"notes\.txt: can't be read as a video"):
        VideoReader(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"gone\.mp4: can't be read: No such file"):
        VideoReader(tmp_path / "gone.mp4")


def test_a_truncated_video_gives_the_frames_that_are_whole(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", [picture(marked(number)) for number in range(100)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 1 <= read_all(path) < 100


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".ts"])
def test_damaged_files_give_frames_or_a_named_error(tmp_path: Path, suffix: str) -> None:
    frames = [picture(marked(number)) for number in range(10)]
    codec = "libvpx" if suffix == ".webm" else "libx264"
    whole = write_video(tmp_path / f"whole{suffix}", frames, codec=codec).read_bytes()
    path = tmp_path / f"damaged{suffix}"
    for seed in range(60):
        chance = random.Random(seed)
        damaged = bytearray(whole)
        for _ in range(chance.choice([3, 30, 300])):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        with contextlib.suppress(PictureError):
            assert read_all(path) <= 20
