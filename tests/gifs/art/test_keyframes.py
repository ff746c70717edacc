"""Keyed values loop, ease and swing as they say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gifs.art.keyframes import EASINGS, Keyframes, keys, swing

_MOMENTS = st.floats(0, 1)


@pytest.mark.parametrize("name", sorted(set(EASINGS) - {"hold"}))
def test_an_easing_leads_from_nought_to_one(name: str) -> None:
    assert EASINGS[name](0.0) == pytest.approx(0, abs=1e-9)
    assert EASINGS[name](1.0) == pytest.approx(1)


@given(_MOMENTS)
def test_a_value_is_that_of_its_keys_at_their_moments(moment: float) -> None:
    track = keys((0.2, 3.0), (0.7, -1.0))
    assert track.at(0.2) == 3
    assert track.at(0.7) == -1
    assert -1 <= track.at(moment) <= 3


@given(
    st.lists(
        st.tuples(_MOMENTS, st.floats(-50, 50)), min_size=1, max_size=6, unique_by=lambda k: k[0]
    )
)
def test_a_loop_ends_where_it_began(items: list[tuple[float, float]]) -> None:
    track = keys(*((moment % 1, value) for moment, value in items))
    assert track.at(0.0) == track.at(1.0)


def test_a_held_key_jumps_at_the_next() -> None:
    track = keys((0, 1, "hold"), (0.5, 2, "hold"))
    assert (track.at(0.49), track.at(0.5)) == (1, 2)


@given(_MOMENTS, st.integers(1, 4), st.floats(0, 1))
def test_a_swing_is_a_sine(moment: float, times: int, phase: float) -> None:
    from math import pi, sin

    track = swing(2.0, 3.0, times=times, phase=phase)
    assert track.at(moment) == pytest.approx(
        2 + 3 * sin(2 * pi * (times * moment + phase)), abs=0.01
    )


def test_a_motion_turns_and_scales_around_its_pivot() -> None:
    motion = Keyframes(x=1, y=2, rotate=90, scale=2, pivot=(10, 20))
    assert motion.transform(0.3) == (
        "translate(11.00 22.00) rotate(90.00) scale(2.0000 2.0000) translate(-10.00 -20.00)"
    )


def test_opacity_stays_within_its_range() -> None:
    assert Keyframes(opacity=1.7).visibility(0) == 1
    assert Keyframes(opacity=-0.2).visibility(0) == 0
