"""Clips at their own pace."""

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.media.video_files import VideoReader
from sidecar.rooms.files.playback import LEAP, Timeline, play
from tests.sidecar.media.test_clip_track import make_clip

STAMPS = st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)))


def test_frames_are_due_when_their_stamps_say() -> None:
    timeline = Timeline(0.04)
    assert [timeline.due(stamp) for stamp in (7.0, 7.5, 7.6)] == pytest.approx([0, 0.5, 0.6])


def test_a_clip_without_stamps_has_its_rate() -> None:
    timeline = Timeline(0.04)
    assert [timeline.due(None) for _ in range(3)] == pytest.approx([0, 0.04, 0.08])


@pytest.mark.parametrize("leap", [-3.0, 500.0])
def test_stamps_that_leap_go_on_a_frame_later(leap: float) -> None:
    timeline = Timeline(0.04)
    stamps = (10.0, 10.04, 10.04 + leap, 10.08 + leap)
    assert [timeline.due(stamp) for stamp in stamps] == pytest.approx([0, 0.04, 0.08, 0.12])


@given(STAMPS)
def test_no_stamps_make_a_clip_go_back_or_hang(stamps: list[float | None]) -> None:
    timeline = Timeline(0.04)
    before = 0.0
    for stamp in stamps:
        due = timeline.due(stamp)
        assert before <= due <= before + LEAP
        before = due


def test_each_frame_waits_until_it_is_due(tmp_path: Path) -> None:
    now = 100.0
    waits: list[float] = []

    class Clock(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            nonlocal now
            waits.append(timeout or 0.0)
            now += timeout or 0.0
            return False

    clip = VideoReader(make_clip(tmp_path / "a.webm", count=25))
    frames = list(play(clip, Clock(), clock=lambda: now))
    assert len(frames) == 25
    assert sum(waits) == pytest.approx(24 / 50, abs=0.002)


def test_a_stopped_clip_ends_at_once(tmp_path: Path) -> None:
    stop = threading.Event()
    frames = play(VideoReader(make_clip(tmp_path / "a.webm", count=25)), stop, clock=lambda: 0.0)
    next(frames)
    stop.set()
    assert list(frames) == []
