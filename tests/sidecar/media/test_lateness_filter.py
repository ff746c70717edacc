from hypothesis import given
from hypothesis import strategies as st

from sidecar.media.lateness_filter import LIMIT, RISE, ROUND_TRIP, LagGate

FPS = 30


def play(gate: LagGate, start: float, lags: list[float], fps: float = FPS) -> list[bool]:
    """Feed frames stamped ``fps`` times a second from ``start`` on, each with its lag."""
    return [
        gate.admits(start + index / fps, 1000 + start + index / fps + lag)
        for index, lag in enumerate(lags)
    ]


def prompt() -> LagGate:
    """A gate that has seen two seconds of frames on time."""
    gate = LagGate()
    play(gate, 0.0, [0.02] * 2 * FPS)
    return gate


@given(st.lists(st.floats(0, LIMIT - 0.01), min_size=1, max_size=200))
def test_jitter_below_the_limit_loses_no_frame(lags: list[float]) -> None:
    assert all(play(LagGate(), 0.0, lags))


@given(st.floats(0.6, 9.0), st.floats(0.1, 0.9))
def test_nothing_captured_before_the_end_of_an_outage_is_shown(outage: float, pace: float) -> None:
    gate = prompt()
    # From the outage's end on, the backlog comes 1 / (1 - pace) times as fast as it was captured.
    for index in range(round(outage * FPS)):
        stamp = 2.0 + index / FPS
        arrival = 1002 + outage + index / FPS * (1 - pace)
        risen = RISE * (arrival - 1002 - outage)
        late = arrival - 1000 - stamp > 0.02 + LIMIT + risen + 0.01
        assert not (late and gate.admits(stamp, arrival))
    later = 2.0 + outage + ROUND_TRIP + 0.1
    assert gate.admits(later, 1000 + later + 0.02)


@given(st.floats(LIMIT + 0.05, 5.0))
def test_a_road_that_has_become_longer_costs_about_as_long_as_it_is(delay: float) -> None:
    gate = prompt()
    admitted = play(gate, 2.0, [0.02 + delay] * 20 * FPS)
    lost = round((delay + ROUND_TRIP) * FPS)
    assert not any(admitted[: lost - 1])
    assert all(admitted[lost + 1 :])


def test_a_backlog_that_comes_in_several_bursts_is_suspect_each_time() -> None:
    gate = prompt()
    assert not any(play(gate, 2.0, [5.0] * 10))
    assert not any(play(gate, 3.0, [9.0] * 10))
    assert not gate.admits(7.5, 1000 + 7.5 + 8.0)
    assert gate.admits(12.5, 1000 + 12.5 + 7.0)


def test_a_slow_camera_that_has_become_late_is_shown_again() -> None:
    gate = LagGate()
    play(gate, 0.0, [0.0] * 6, fps=2)
    assert all(play(gate, 3.0, [1.0] * 20, fps=2)[3:])


def test_a_camera_that_pauses_is_not_late() -> None:
    gate = prompt()
    assert gate.admits(60.0, 1060.05)


def test_stamps_that_start_again_are_a_new_stream() -> None:
    gate = LagGate()
    play(gate, 50.0, [0.0] * FPS)
    assert gate.admits(0.0, 1100.0)
    assert gate.admits(0.1, 1100.1)


def test_clocks_that_drift_apart_lose_no_frame_in_an_hour() -> None:
    gate = LagGate()
    assert all(play(gate, 0.0, [2e-4 * second for second in range(3600)], fps=1.0))
