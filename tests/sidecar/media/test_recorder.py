"""The composite in a file."""

import os
import threading
from pathlib import Path

import av
import pytest

from config.errors import PictureError
from sidecar.media import recorder as module
from sidecar.media.compositor.compositor import Compositor
from sidecar.media.compositor.render_loop import RenderLoop
from sidecar.media.compositor.tiles import TileView
from sidecar.media.container.reader import TimedFrame, VideoReader
from sidecar.media.container.writer import VideoWriter
from sidecar.media.encoder import Encoder
from sidecar.media.recorder import CAPACITY, Recorder
from tests.sidecar.clients import eventually
from tests.sidecar.media.pictures import Blocks, descriptors, flat, threads


def times(path: Path) -> list[float]:
    with VideoReader(path) as reader:
        return [item.time for item in reader if isinstance(item, TimedFrame)]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
async def test_pictures_are_in_the_file_at_their_times(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    before = threads(), descriptors()
    async with Recorder(path, 25) as recorder:
        for number, time in enumerate((500.0, 500.04, 500.24, 503.0)):
            recorder.take(flat(64, 48), time)
            await eventually(lambda count=number + 1: recorder.written == count)  # type: ignore[misc]
        assert not path.exists()
    assert times(path) == pytest.approx([0, 0.04, 0.24, 3.0], abs=0.002)
    assert (threads(), descriptors()) <= before


async def test_the_one_who_draws_never_waits_for_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()

    class Slow(VideoWriter):
        def write(self, frame: av.VideoFrame, time: float) -> None:
            go.wait(30)
            super().write(frame, time)

    monkeypatch.setattr(module, "VideoWriter", Slow)
    async with Recorder(tmp_path / "out.mp4", 25) as recorder:
        for number in range(50):
            recorder.take(flat(64, 48), number / 25)
        # One may be with the writer already.
        assert recorder.dropped >= 50 - CAPACITY - 1
        go.set()
    assert recorder.written == 50 - recorder.dropped
    assert len(times(tmp_path / "out.mp4")) == recorder.written


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no such folder/out.mp4", "can't be written"),
        ("out.gibberish", "can't hold a video"),
        ("n" * 300 + ".mp4", "can't be written: File name too long"),
        (".", "can't hold a video"),
    ],
)
async def test_a_file_that_cannot_be_is_refused_at_once(
    tmp_path: Path, name: str, reason: str
) -> None:
    with pytest.raises(PictureError, match=reason):
        async with Recorder(tmp_path / name, 25):
            pytest.fail("entered")


async def test_a_failed_recording_is_reported_at_the_end_and_delays_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(VideoWriter):
        def write(self, frame: av.VideoFrame, time: float) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "VideoWriter", Full)
    recorder = await Recorder(tmp_path / "out.mp4", 25).__aenter__()
    for number in range(50):
        recorder.take(flat(64, 48), number / 25)
    with pytest.raises(PictureError, match="No space left"):
        await recorder.__aexit__()
    assert not os.listdir(tmp_path)  # noqa: PTH208


async def test_what_comes_after_the_end_is_ignored(tmp_path: Path) -> None:
    async with Recorder(tmp_path / "out.mp4", 25) as recorder:
        recorder.take(flat(64, 48), 0.0)
    recorder.take(flat(64, 48), 1.0)
    assert recorder.written == 1


async def test_a_composite_can_be_kept(tmp_path: Path) -> None:
    canvas = Compositor(320, 180, Blocks())
    path = tmp_path / "out.mp4"
    recorder = Recorder(path, 25)
    composite = RenderLoop(
        canvas,
        lambda now: [TileView("a", "", flat())],
        Encoder(320, 180),
        listeners=[recorder.take],
    )
    async with recorder, composite:
        await eventually(lambda: recorder.written >= 10)
    shown = times(path)
    assert len(shown) == recorder.written
    assert shown == sorted(set(shown))


async def test_without_a_picture_there_is_no_file_and_no_complaint(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        async with Recorder(tmp_path / "out.mp4", 25):
            raise ZeroDivisionError
    assert not os.listdir(tmp_path)  # noqa: PTH208
