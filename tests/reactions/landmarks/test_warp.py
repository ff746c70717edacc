import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reactions.landmark_types import RgbImage
from reactions.landmarks.roi import Positions, Roi, letterbox
from reactions.landmarks.warp import crop_on_black, crop_on_edge

ROWS, COLUMNS = 60, 90


def slope() -> RgbImage:
    """Red grows by 2 a column, green by 3 a row."""
    picture = np.full((ROWS, COLUMNS, 3), 50, np.uint8)
    picture[:, :, 0] = 2 * np.arange(COLUMNS)
    picture[:, :, 1] = (3 * np.arange(ROWS))[:, None]
    return picture


def sampled(roi: Roi, side: int) -> tuple[Positions, Positions]:
    """Where each pixel of a crop lies in the picture."""
    u, v = np.meshgrid(np.arange(side) / side, np.arange(side) / side)
    placed = roi.to_picture(np.stack([u.ravel(), v.ravel()], axis=1).astype(np.float32))
    return placed[:, 0].reshape(side, side), placed[:, 1].reshape(side, side)


regions = st.builds(
    lambda x, y, side, angle: Roi(x, y, side, side, angle),
    st.floats(-40, 130),
    st.floats(-40, 100),
    st.floats(8, 200),
    st.floats(-math.pi, math.pi),
)


@settings(max_examples=60)
@given(regions)
def test_a_crop_goes_on_with_the_edge(roi: Roi) -> None:
    left, top, right, bottom = roi.bounds()
    assume(left < COLUMNS - 1 and top < ROWS - 1 and right > 0 and bottom > 0)
    crop = crop_on_edge(slope(), roi, 32, 32)
    x, y = sampled(roi, 32)
    assert np.abs(crop[:, :, 0] - 2 * np.clip(x, 0, COLUMNS - 1)).max() < 2
    assert np.abs(crop[:, :, 1] - 3 * np.clip(y, 0, ROWS - 1)).max() < 2


@given(st.integers(-40, 110), st.integers(-40, 80))
def test_an_upright_crop_at_full_size_repeats_the_edge_pixel_by_pixel(left: int, top: int) -> None:
    assume(-32 < left < COLUMNS and -32 < top < ROWS)
    crop = crop_on_edge(slope(), Roi(left + 16, top + 16, 32, 32), 32, 32)
    rows = np.clip(np.arange(top, top + 32), 0, ROWS - 1)
    columns = np.clip(np.arange(left, left + 32), 0, COLUMNS - 1)
    assert np.array_equal(crop, slope()[rows[:, None], columns])


@settings(max_examples=60)
@given(regions)
def test_a_detector_s_crop_is_black_outside(roi: Roi) -> None:
    crop = crop_on_black(slope(), roi, 32, 32)
    x, y = sampled(roi, 32)
    outside = (x < -1.01) | (y < -1.01) | (x > COLUMNS + 0.01) | (y > ROWS + 0.01)
    inside = (x > 0) & (y > 0) & (x < COLUMNS - 1) & (y < ROWS - 1)
    assert not crop[outside].any()
    assert np.abs(crop[:, :, 0] - 2 * x)[inside].max(initial=0) < 2


def test_the_border_fades_to_black_over_one_pixel() -> None:
    white = np.full((ROWS, COLUMNS, 3), 200, np.uint8)
    crop = crop_on_black(white, Roi(0.5, 30, 2, 2), 4, 4)  # sampled at x = -0.5, 0, 0.5, 1
    assert crop[1, :, 0].tolist() == [100, 200, 200, 200]


def test_a_letterbox_keeps_the_aspect() -> None:
    crop = crop_on_black(np.full((360, 640, 3), 255, np.uint8), letterbox(640, 360), 128, 128)
    lit = np.flatnonzero(crop[:, 64, 0] > 127)
    assert (lit[0], lit[-1]) == (28, 99)
    assert crop[64].all()


@pytest.mark.parametrize("crop", [crop_on_edge, crop_on_black])
def test_a_region_far_away_from_the_picture_is_no_error(crop: object) -> None:
    assert callable(crop)
    assert crop(slope(), Roi(1e5, -1e5, 50, 50, 1.0), 16, 16).shape == (16, 16, 3)


def test_a_huge_region_is_cut_in_memory() -> None:
    assert crop_on_edge(slope(), Roi(0, 0, 1e7, 1e7), 16, 16).shape == (16, 16, 3)
