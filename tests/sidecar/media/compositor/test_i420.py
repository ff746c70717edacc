import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gifs.animation import YuvaFrame
from gifs.yuva import straight_to_yuva, yuv
from sidecar.media.compositor.i420 import Corners, Planes, blend, dim
from sidecar.media.compositor.layout import Rect
from tests.sidecar.media.pictures import BLUE, GREEN, GREY, RED, flat

evens = st.integers(-20, 20).map(lambda n: 2 * n)


def drawing(width: int, height: int, *, seed: int = 0) -> YuvaFrame:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)
    return straight_to_yuva(pixels)


def test_planes_are_views_that_draw_into_the_frame() -> None:
    frame = flat(426, 240, GREY)
    Planes.of(frame).cut(Rect(10, 20, 30, 40)).fill(RED)
    luma = frame.to_ndarray()[:240]
    assert luma[20, 10] == yuv(RED)[0]
    assert luma[59, 39] == yuv(RED)[0]
    assert luma[19, 10] == luma[60, 39] == luma[20, 9] == luma[59, 40] == yuv(GREY)[0]


def test_colours_survive_the_way_to_rgb_and_back() -> None:
    for colour in (RED, GREEN, BLUE, GREY):
        pixel = flat(64, 64, colour).to_ndarray(format="rgb24")[32, 32]
        assert pixel.tolist() == pytest.approx(colour, abs=4)


@given(arrays(np.uint8, (6, 8)), evens, evens)
def test_blending_is_exact_and_touches_nothing_outside(
    alpha: np.ndarray[tuple[int, int], np.dtype[np.uint8]], x: int, y: int
) -> None:
    colour = np.full((6, 8, 4), 200, np.uint8)
    colour[..., 3] = alpha
    picture = straight_to_yuva(colour)
    planes = Planes.of(flat(24, 16, BLUE))
    before = planes.luma.astype(int).copy()
    blend(planes, picture, x, y)
    wanted = before.copy()
    for row in range(6):
        for column in range(8):
            if 0 <= y + row < 16 and 0 <= x + column < 24:
                rest = before[y + row, x + column] * (255 - int(picture.alpha[row, column]))
                wanted[y + row, x + column] = int(picture.luma[row, column]) + round(rest / 255)
    assert np.array_equal(planes.luma, wanted)


def test_a_transparent_picture_changes_nothing() -> None:
    planes = Planes.of(flat(32, 32, RED))
    before = planes.luma.copy(), planes.blue.copy(), planes.red.copy()
    blend(planes, straight_to_yuva(np.zeros((32, 32, 4), np.uint8)), 0, 0)
    for plane, old in zip((planes.luma, planes.blue, planes.red), before, strict=True):
        assert np.array_equal(plane, old)


def test_an_opaque_picture_replaces_what_was_there() -> None:
    planes = Planes.of(flat(32, 32, RED))
    pixels = np.empty((32, 32, 4), np.uint8)
    pixels[:] = (*GREEN, 255)
    blend(planes, straight_to_yuva(pixels), 0, 0)
    assert (planes.luma[5, 5], planes.blue[5, 5], planes.red[5, 5]) == yuv(GREEN)


def test_blending_never_wraps_around() -> None:
    planes = Planes.filled(64, 64, (255, 255, 255))
    for seed in range(3):
        blend(planes, drawing(64, 64, seed=seed), 0, 0)
        assert planes.luma.max() <= 236
        assert planes.luma.min() >= 15


def test_soft_edges_get_no_dark_halo() -> None:
    pixels = np.empty((2, 2, 4), np.uint8)
    pixels[:] = (255, 255, 255, 128)
    planes = Planes.filled(2, 2, (255, 255, 255))
    blend(planes, straight_to_yuva(pixels), 0, 0)
    assert np.all(abs(planes.luma.astype(int) - 235) <= 1)
    assert np.all(abs(planes.blue.astype(int) - 128) <= 1)


def test_dimming_takes_light_and_colour() -> None:
    planes = Planes.filled(8, 8, RED)
    luma, _, red = yuv(RED)
    dim(planes)
    assert planes.luma[0, 0] < luma
    assert 128 < planes.red[0, 0] < red


def test_corners_become_the_outside_colour_and_the_rest_stays() -> None:
    tile = Rect(8, 8, 48, 32)
    planes = Planes.filled(64, 48, RED)
    Corners([tile], 64, 48, 8, BLUE).round(planes)
    for x, y in [(8, 8), (55, 8), (8, 39), (55, 39)]:
        assert planes.luma[y, x] == yuv(BLUE)[0]
    assert planes.luma[24, 32] == planes.luma[8, 32] == planes.luma[24, 8] == yuv(RED)[0]
    assert planes.luma[0, 0] == yuv(RED)[0]


def test_a_radius_of_nothing_rounds_nothing() -> None:
    planes = Planes.filled(64, 48, RED)
    Corners([Rect(8, 8, 48, 32)], 64, 48, 0, BLUE).round(planes)
    assert np.all(planes.luma == yuv(RED)[0])
