from hypothesis import given
from hypothesis import strategies as st

from sidecar.media.lag import LIMIT, PATIENCE, LagGate


def play(gate: LagGate, start: float, lags: list[float], fps: float = 30.0) -> list[bool]:
    """Feed frames stamped ``fps`` times a second from ``start`` on, each with its lag."""
    return [
        gate.admits(start + index / fps, 1000 + start + index / fps + lag)
        for index, lag in enumerate(lags)
    ]


@given(st.lists(st.floats(0, LIMIT - 0.01), min_size=1, max_size=200))
def test_jitter_below_the_limit_loses_no_frame(lags: list[float]) -> None:
    assert all(play(LagGate(), 0.0, lags))


@given(st.floats(0.6, 5.0))
def test_a_backlog_is_dropped_until_it_has_caught_up(outage: float) -> None:
    gate = LagGate()
    play(gate, 0.0, [0.02] * 60)
    # Everything of the outage comes at its end, within half a second.
    count = round(outage * 30)
    lags = [outage * (1 - index / count) + 0.5 * index / count for index in range(count)]
    admitted = play(gate, 2.0, lags)
    for lag, admits in zip(lags, admitted, strict=True):
        assert admits == (lag <= 0.02 + LIMIT + 0.01) or lag < 0.02 + LIMIT + 0.01
    assert all(play(gate, 2.0 + outage, [0.02] * 30))


@given(st.floats(0.5, 30.0))
def test_a_longer_road_is_accepted_after_a_second(delay: float) -> None:
    gate = LagGate()
    play(gate, 0.0, [0.02] * 60)
    admitted = play(gate, 2.0, [delay] * 60)
    assert not any(admitted[:29])
    assert all(admitted[32:])


def test_a_lag_that_never_settles_is_accepted_in_the_end() -> None:
    gate = LagGate()
    play(gate, 0.0, [0.02] * 60)
    lags = [0.5 + 0.4 * (index % 2) for index in range(round(30 * (PATIENCE + 1)))]
    assert True in play(gate, 2.0, lags)


def test_stamps_that_start_again_are_a_new_stream() -> None:
    gate = LagGate()
    play(gate, 50.0, [0.0] * 30)
    assert gate.admits(0.0, 1100.0)
    assert gate.admits(0.1, 1100.1)


def test_clocks_that_drift_apart_lose_no_frame_in_an_hour() -> None:
    gate = LagGate()
    assert all(play(gate, 0.0, [2e-4 * second for second in range(3600)], fps=1.0))
