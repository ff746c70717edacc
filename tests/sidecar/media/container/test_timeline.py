"""Time stamps as files have them, and the seconds that come of them."""

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.media.container.timeline import BROADCAST_LEAP, Timeline

INTERVAL = 0.04


def times(
    stamps: Iterable[float | None], start: float | None = None, *, leap: float = 3600.0
) -> list[float]:
    track = Timeline(start, leap=leap).track(INTERVAL)
    return [track.at(stamp) for stamp in stamps]


def steady(count: int, first: float = 0.0, interval: float = INTERVAL) -> list[float]:
    return [first + index * interval for index in range(count)]


def test_stamps_that_begin_at_an_hour_begin_at_0() -> None:
    assert times(steady(100, 3600), 3600) == pytest.approx(steady(100))
    assert times(steady(100, 3600)) == pytest.approx(steady(100))


def test_a_track_that_begins_later_than_the_file_stays_later() -> None:
    assert times(steady(3, 3600.5), 3600) == pytest.approx(steady(3, 0.5))


def test_sound_may_begin_a_little_before_the_video() -> None:
    assert times([-0.021, 0.0, 0.021], 0) == pytest.approx([-0.021, 0.0, 0.021])


def test_stamps_that_start_again_go_on() -> None:
    assert times(steady(50) + steady(50)) == pytest.approx(steady(100))


def test_tracks_that_start_again_stay_side_by_side() -> None:
    timeline = Timeline(0)
    video, sound = timeline.track(INTERVAL), timeline.track(0.02)
    first = [video.at(stamp) for stamp in steady(50)]
    first_sound = [sound.at(stamp) for stamp in steady(150, interval=0.02)]
    second = [video.at(stamp) for stamp in steady(50)]
    second_sound = [sound.at(stamp) for stamp in steady(150, interval=0.02)]
    assert [first[-1], first_sound[-1]] == pytest.approx([1.96, 2.98])
    assert second == pytest.approx(steady(50, 3.0))
    assert second_sound == pytest.approx(steady(150, 3.0, 0.02))


def test_a_jump_back_loses_nothing() -> None:
    stamps = steady(100) + steady(100, 2.0)
    assert times(stamps) == pytest.approx(steady(200))


def test_a_broadcast_that_leaps_goes_on_at_once() -> None:
    stamps = steady(10) + steady(10, 1000)
    assert times(stamps, leap=BROADCAST_LEAP) == pytest.approx(steady(20))


def test_a_long_pause_is_kept_where_stamps_are_trusted() -> None:
    assert times([0, 0.04, 1200, 1200.04]) == pytest.approx([0, 0.04, 1200, 1200.04])


def test_missing_stamps_are_one_interval_apart() -> None:
    assert times([None] * 100) == pytest.approx(steady(100))


def test_stamps_that_stand_still_play_at_the_right_speed() -> None:
    assert times([5.0] * 100) == pytest.approx(steady(100))


def test_a_stamp_that_is_doubled_moves_by_an_interval() -> None:
    assert times([0.0, 0.0, 0.08, 0.08, 0.16, 0.16]) == pytest.approx(steady(6))


@pytest.mark.parametrize("rate", [1, 18, 60, 120])
def test_every_rate_keeps_its_stamps(rate: int) -> None:
    stamps = steady(rate, interval=1 / rate)
    assert times(stamps) == pytest.approx(stamps)


def test_a_rate_that_changes_is_kept() -> None:
    stamps = [*steady(5, interval=1.0), *steady(240, 5.0, 1 / 120)]
    assert times(stamps) == pytest.approx(stamps)


def test_one_wild_stamp_costs_one_interval_a_side() -> None:
    stamps = [*steady(10), 40_000.0, *steady(10, 0.44)]
    assert times(stamps) == pytest.approx(steady(21))


finite = st.floats(-1e6, 1e6, allow_nan=False)


@given(st.lists(st.one_of(st.none(), finite), max_size=60), st.one_of(st.none(), finite))
def test_time_never_stands_still_or_runs_back(
    stamps: list[float | None], start: float | None
) -> None:
    result = times(stamps, start)
    assert all(earlier < later for earlier, later in itertools.pairwise(result))
    assert not result or result[0] >= -1.0
