from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sidecar.media.compositor.progress_ring import STEPS, ring, step_of


def lit(step: int) -> int:
    """How many pixels of a ring are as light as its arc."""
    picture = ring(96, step)
    return int(np.count_nonzero(picture.luma > 120))


@given(st.floats(allow_nan=False))
def test_every_progress_is_one_of_the_steps(progress: float) -> None:
    assert 0 <= step_of(progress) <= STEPS


def test_the_arc_grows_with_every_step() -> None:
    lengths = [lit(step) for step in range(STEPS + 1)]
    assert lengths[0] == 0
    assert all(later > earlier for earlier, later in pairwise(lengths))


def test_a_quarter_lies_between_noon_and_three() -> None:
    luma = ring(96, STEPS // 4).luma
    assert np.any(luma[:44, 52:] > 120)
    assert not np.any(luma[52:] > 120)
    assert not np.any(luma[:, :44] > 120)


def test_the_middle_stays_clear() -> None:
    assert not ring(96, STEPS).alpha[30:66, 30:66].any()


def test_a_ring_is_drawn_once() -> None:
    assert ring(64, 7) is ring(64, 7)
