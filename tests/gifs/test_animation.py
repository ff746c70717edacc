"""Which frame of an animation shows when."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gifs.animation import Animation
from gifs.yuva import to_yuva

_FRAMES = tuple(to_yuva(np.full((2, 2, 4), level, dtype=np.uint8)) for level in (10, 20, 30))
_ANIMATION = Animation(_FRAMES, (0.1, 0.3, 0.2))


@pytest.mark.parametrize(
    ("elapsed", "index"),
    [(0.0, 0), (0.09, 0), (0.11, 1), (0.39, 1), (0.41, 2), (0.59, 2), (0.61, 0), (-5.0, 0)],
)
def test_each_frame_shows_for_its_own_delay(elapsed: float, index: int) -> None:
    assert _ANIMATION.at(elapsed) is _FRAMES[index]


@given(st.floats(0, 1e6))
def test_any_moment_has_a_frame(elapsed: float) -> None:
    assert _ANIMATION.at(elapsed) in _FRAMES


def test_bytes_are_those_of_all_planes() -> None:
    assert _ANIMATION.nbytes == 3 * (4 + 4 + 3)
