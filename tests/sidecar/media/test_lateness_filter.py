import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.media.lateness_filter import HOLDS, LIMIT, RISE, ROUND_TRIP, Lateness, LatenessFilter

FPS = 30


def shows(filter_: LatenessFilter, stamp: float, arrival: float) -> bool:
    return filter_.judge(stamp, arrival) is Lateness.SHOW


def play(filter_: LatenessFilter, start: float, lags: list[float], fps: float = FPS) -> list[bool]:
    """Feed frames stamped ``fps`` times a second from ``start`` on, each with its lag."""
    return [
        shows(filter_, start + index / fps, 1000 + start + index / fps + lag)
        for index, lag in enumerate(lags)
    ]


def prompt() -> LatenessFilter:
    """A filter that has seen two seconds of frames on time."""
    filter_ = LatenessFilter()
    play(filter_, 0.0, [0.02] * 2 * FPS)
    return filter_


@given(st.lists(st.floats(0, LIMIT - 0.01), min_size=1, max_size=200))
def test_jitter_below_the_limit_loses_no_frame(lags: list[float]) -> None:
    assert all(play(LatenessFilter(), 0.0, lags))


@given(st.floats(0.6, 9.0), st.floats(0.1, 0.9))
def test_nothing_captured_before_the_end_of_an_outage_is_shown(outage: float, pace: float) -> None:
    filter_ = prompt()
    # From the outage's end on, the backlog comes 1 / (1 - pace) times as fast as it was captured.
    for index in range(round(outage * FPS)):
        stamp = 2.0 + index / FPS
        arrival = 1002 + outage + index / FPS * (1 - pace)
        risen = RISE * (arrival - 1002 - outage)
        late = arrival - 1000 - stamp > 0.02 + LIMIT + risen + 0.01
        assert not (late and shows(filter_, stamp, arrival))
    later = 2.0 + outage + ROUND_TRIP + 0.1
    assert shows(filter_, later, 1000 + later + 0.02)


@given(st.floats(LIMIT + 0.05, 5.0))
def test_a_longer_network_path_costs_its_length_or_a_second(delay: float) -> None:
    filter_ = prompt()
    admitted = play(filter_, 2.0, [0.02 + delay] * 20 * FPS)
    lost = round(min(delay + ROUND_TRIP, HOLDS[0]) * FPS)
    assert not any(admitted[: lost - 1])
    assert all(admitted[lost + 1 :])


def burst(lag: float) -> list[float]:
    """Ten frames that arrive 3 ms apart."""
    return [lag - 0.03 * index for index in range(10)]


def test_a_backlog_that_comes_in_several_bursts_is_suspect_each_time() -> None:
    filter_ = prompt()
    assert not any(play(filter_, 2.0, burst(5.0)))
    assert not any(play(filter_, 3.0, burst(9.0)))
    assert not shows(filter_, 7.5, 1000 + 7.5 + 8.0)
    assert shows(filter_, 12.5, 1000 + 12.5 + 7.0)


def test_a_slow_camera_that_has_become_late_is_shown_again() -> None:
    filter_ = LatenessFilter()
    play(filter_, 0.0, [0.0] * 6, fps=2)
    assert all(play(filter_, 3.0, [1.0] * 20, fps=2)[3:])


def test_a_camera_that_pauses_is_not_late() -> None:
    filter_ = prompt()
    assert shows(filter_, 60.0, 1060.05)


def test_stamps_that_start_again_are_a_new_stream() -> None:
    filter_ = LatenessFilter()
    play(filter_, 50.0, [0.0] * FPS)
    assert shows(filter_, 0.0, 1100.0)
    assert shows(filter_, 0.1, 1100.1)


def test_clocks_that_drift_apart_lose_no_frame_in_an_hour() -> None:
    filter_ = LatenessFilter()
    assert all(play(filter_, 0.0, [2e-4 * second for second in range(3600)], fps=1.0))


def longest_wait(frames: list[tuple[float, float]]) -> float:
    """Seconds for which a frame that had arrived was not shown; the newest frame counts.

    ``frames`` are stamps and arrivals; a frame that is held is released when it may be.
    """
    filter_ = LatenessFilter()
    pending: float | None = None
    longest = 0.0
    for stamp, arrival in frames:
        if filter_.release_at is not None and filter_.release_at < arrival and pending is not None:
            released = filter_.release_at
            assert filter_.release(released)
            longest = max(longest, released - pending)
            pending = None
        pending = arrival if pending is None else pending
        if shows(filter_, stamp, arrival):
            longest = max(longest, arrival - pending)
            pending = None
    if filter_.release_at is not None and pending is not None:
        longest = max(longest, filter_.release_at - pending)
    return longest


def steady(
    count: int, stamps: float, arrivals: float, origin: float = 0.0
) -> list[tuple[float, float]]:
    return [(origin + n * stamps, 1000 + n * arrivals) for n in range(count)]


IDLE = [*steady(60, 1 / 30, 1 / 30), *[(s + 2.0, a + 10.0) for s, a in steady(90, 1 / 30, 1 / 30)]]
SLOW_SENDERS = {
    "0.4 s a frame, stamped 33 ms apart": steady(60, 1 / 30, 0.4),
    "a frame in 5 s, stamped 33 ms apart": steady(20, 1 / 30, 5.0),
    "a frame in 5 s, stamped as it is": steady(20, 5.0, 5.0),
    "idle for 8 s, going on where it stopped": IDLE,
    "stamps that stand still": steady(300, 0.0, 1 / 30),
    "90 kHz labelled as 48 kHz": steady(300, 90 / 48 / 30, 1 / 30),
    "48 kHz labelled as 90 kHz": steady(600, 48 / 90 / 30, 1 / 30),
    "milliseconds labelled as 90 kHz": steady(600, 1 / 90 / 30, 1 / 30),
    "a jump of an hour": [
        *steady(60, 1 / 30, 1 / 30),
        *[(s + 3600, a + 2.0) for s, a in steady(90, 1 / 30, 1 / 30)],
    ],
    "a wrap": [
        *steady(60, 1 / 30, 1 / 30, 47721.0),
        *[(s, a + 2.0) for s, a in steady(90, 1 / 30, 1 / 30)],
    ],
    "a jump back of a second, again and again": [
        (n / 30 - n // 30, 1000 + n / 30) for n in range(300)
    ],
}


@pytest.mark.parametrize("frames", SLOW_SENDERS.values(), ids=SLOW_SENDERS)
def test_a_sender_whose_stamps_do_not_follow_the_clock_is_shown_within_two_seconds(
    frames: list[tuple[float, float]],
) -> None:
    assert longest_wait(frames) <= 2.0


def test_a_slow_sender_is_held_up_less_and_less() -> None:
    filter_ = LatenessFilter()
    shown = [shows(filter_, n / 30, 1000 + n * 0.4) for n in range(60)]
    assert all(shown[20:])


def test_a_frame_that_is_held_is_not_released_when_the_next_has_caught_up() -> None:
    filter_ = prompt()
    assert filter_.judge(2.0, 1007.0) is Lateness.HOLD
    assert filter_.judge(3.0, 1007.05) is Lateness.DROP
    assert filter_.release_at is None
    assert not filter_.release(1100.0)
