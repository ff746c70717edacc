import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactions.landmark_types import Body, Face, Hand, Observation, Side
from reactions.landmarks.downscale import LONGEST, enlarged, factor, shrunk


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_a_picture_is_divided_no_more_than_needed(width: int, height: int) -> None:
    by = factor(width, height)
    assert max(width, height) / by <= LONGEST
    assert by == 1 or max(width, height) / (by - 1) > LONGEST


def test_shrinking_averages() -> None:
    picture = np.zeros((2, 4, 3), np.uint8)
    picture[:, ::2] = 200
    assert (shrunk(picture, 2) == 100).all()


def test_a_small_picture_is_left_alone() -> None:
    picture = np.zeros((360, 640, 3), np.uint8)
    assert shrunk(picture, factor(640, 360)) is picture


def test_a_mirrored_view_becomes_a_picture_that_the_warp_can_read() -> None:
    mirrored = np.zeros((36, 64, 3), np.uint8)[:, ::-1]
    assert shrunk(mirrored, 1).flags.c_contiguous


def test_landmarks_are_in_pixels_of_the_original() -> None:
    points = np.ones((5, 3), np.float32)
    seen = Observation(
        640,
        360,
        1.0,
        (Hand(points, Side.LEFT, 1.0, 1.0),),
        Face(points, 1.0),
        Body(points, np.ones(5, np.float32), 1.0),
    )
    large = enlarged(seen, 3, 1921, 1080)
    assert (large.width, large.height, large.time) == (1921, 1080, 1.0)
    assert large.face is not None
    assert large.body is not None
    for moved in (large.hands[0].points, large.face.points, large.body.points):
        assert moved == pytest.approx(np.full((5, 3), 3.0))
        assert moved.dtype == np.float32
