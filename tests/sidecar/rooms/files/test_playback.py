"""Recordings at their own pace."""

import threading
from pathlib import Path

import pytest

from sidecar.media.container.reader import VideoReader
from sidecar.rooms.files.playback import REPEAT, play
from tests.media_cases import write_video
from tests.sidecar.media.test_clip_track import make_clip


class Clock(threading.Event):
    """Time that passes by waiting alone."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.waited = 0.0

    def __call__(self) -> float:
        return self.now

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0.0
        self.waited += timeout or 0.0
        return False


def test_each_frame_waits_until_it_is_due(tmp_path: Path) -> None:
    clock = Clock()
    clip = VideoReader(make_clip(tmp_path / "a.webm", count=25))
    frames = list(play(clip, clock, clock=clock))
    assert len(frames) == 25
    assert clock.waited == pytest.approx(24 / 50, abs=0.002)


def test_a_frame_that_stays_is_handed_out_again(tmp_path: Path) -> None:
    clock = Clock()
    stamps = [number * 100 for number in range(25)]
    clip = write_video(tmp_path / "a.mkv", stamps=stamps, options={"bf": "0"})
    frames = list(play(VideoReader(clip), clock, clock=clock))
    assert clock.waited == pytest.approx(24 * 4)
    assert len(frames) == 25 + 24 * 3
    assert REPEAT == 1.0


def test_a_stopped_clip_ends_at_once(tmp_path: Path) -> None:
    stop = threading.Event()
    frames = play(VideoReader(make_clip(tmp_path / "a.webm", count=25)), stop, clock=lambda: 0.0)
    next(frames)
    stop.set()
    assert list(frames) == []
