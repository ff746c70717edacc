import av
import numpy as np
import numpy.typing as npt
import pytest
from av.video.reformatter import ColorRange
from hypothesis import given
from hypothesis import strategies as st

from sidecar.media.compositor.i420 import Plane, Planes
from sidecar.media.compositor.layout import Fit, Placement, Rect, place
from sidecar.media.compositor.scaler import Scaler, halve
from tests.sidecar.media.pictures import GREY, RED, flat, mean_colour

halves = st.integers(1, 24).map(lambda n: 2 * n)


def noise(width: int, height: int, seed: int = 0) -> av.VideoFrame:
    """A frame of chance, so that a pixel out of place shows."""
    frame = flat(width, height)
    random = np.random.default_rng(seed)
    for plane in (planes := Planes.of(frame)).luma, planes.blue, planes.red:
        plane[:] = random.integers(16, 236, plane.shape, np.uint8)
    return frame


def painted(frame: av.VideoFrame, placement: Placement, scaler: Scaler | None = None) -> Planes:
    """A grey canvas of 640x360 with ``frame`` on it."""
    canvas = Planes.filled(640, 360, GREY)
    (scaler or Scaler()).paint(canvas, frame, placement)
    return canvas


def means(plane: Plane) -> npt.NDArray[np.float64]:
    """The mean of each 2x2 samples, rounded: halves go up."""
    height, width = plane.shape
    exact = plane.astype(np.float64).reshape(height // 2, 2, width // 2, 2).mean((1, 3))
    return np.asarray(np.floor(exact + 0.5))


@given(halves, halves, st.integers(0, 9))
def test_half_the_size_is_the_rounded_mean_of_every_four_samples(
    width: int, height: int, seed: int
) -> None:
    source, target = (
        Planes.of(noise(2 * width, 2 * height, seed)),
        Planes.filled(width, height, RED),
    )
    halve(source, target)
    for large, small in (
        (source.luma, target.luma),
        (source.blue, target.blue),
        (source.red, target.red),
    ):
        np.testing.assert_array_equal(small, means(large))


def test_a_picture_of_twice_the_size_is_halved_and_its_edges_are_cut() -> None:
    frame, tile = noise(640, 360), Rect(20, 40, 310, 174)
    canvas = painted(frame, place(640, 360, tile))
    luma = means(Planes.of(frame).luma)
    np.testing.assert_array_equal(canvas.cut(tile).luma, luma[4:178, 6:316])


def test_a_picture_of_the_right_size_is_shown_as_it_is() -> None:
    frame, tile = noise(320, 180), Rect(20, 40, 310, 174)
    canvas = painted(frame, place(320, 180, tile))
    np.testing.assert_array_equal(canvas.cut(tile).luma, Planes.of(frame).luma[4:178, 6:316])


def test_any_other_size_is_scaled_into_its_place() -> None:
    tile = Rect(20, 40, 200, 112)
    canvas = painted(flat(640, 360, RED), place(640, 360, tile))
    assert canvas.luma[40:152, 20:220].std() < 1
    assert canvas.luma[100, 100] != canvas.luma[10, 10]
    assert (canvas.luma[:40] == canvas.luma[0, 0]).all()
    assert (canvas.luma[152:] == canvas.luma[0, 0]).all()


def test_nothing_is_painted_outside_the_bars() -> None:
    canvas = painted(flat(360, 640, RED), place(360, 640, Rect(0, 0, 640, 360), Fit.LETTERBOX))
    assert canvas.luma[100, 10] == canvas.luma[100, 630] != canvas.luma[100, 320]


@pytest.mark.parametrize("size", [(640, 360), (320, 180), (500, 280)])
def test_a_picture_of_full_range_is_brought_into_ours(size: tuple[int, int]) -> None:
    frame = flat(*size)
    Planes.of(frame).luma[:] = 255
    frame.color_range = ColorRange.JPEG
    canvas = painted(frame, place(*size, Rect(0, 0, 320, 180)))
    assert int(canvas.luma[90, 160]) == pytest.approx(235, abs=1)


def test_the_same_frame_is_scaled_again_where_its_place_changes() -> None:
    scaler, frame = Scaler(), flat(500, 280, RED)
    small = painted(frame, place(500, 280, Rect(0, 0, 200, 112)), scaler)
    large = painted(frame, place(500, 280, Rect(0, 0, 400, 224)), scaler)
    assert small.luma[150, 300] != large.luma[150, 300]


def test_a_picture_in_another_format_keeps_its_colours() -> None:
    frame = flat(640, 360, RED).reformat(format="rgb24")
    canvas = painted(frame, place(640, 360, Rect(0, 0, 320, 180)))
    wanted = mean_colour(flat(320, 180, RED), Rect(0, 0, 320, 180))
    got = (canvas.luma[90, 160], canvas.blue[45, 80], canvas.red[45, 80])
    assert [int(value) for value in got] == pytest.approx(wanted, abs=3)
