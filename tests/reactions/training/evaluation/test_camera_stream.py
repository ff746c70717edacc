import numpy as np
import pytest

from reactions.geometry import Box
from reactions.landmark_types import RgbImage
from reactions.training.evaluation.camera_stream import (
    at_webcam,
    framed,
    shaken,
    through_vp8,
    without,
)


def scene(width: int = 320, height: int = 180) -> RgbImage:
    ramp = np.linspace(40, 200, width, dtype=np.uint8)
    return np.repeat(np.repeat(ramp[None, :, None], height, axis=0), 3, axis=2)


@pytest.mark.parametrize("size", [(1920, 1080), (433, 977), (200, 100)])
def test_a_webcams_picture_is_small_and_even(size: tuple[int, int]) -> None:
    picture = at_webcam(scene(*size))
    height, width = picture.shape[:2]
    assert width * height <= 640 * 360 * 1.02
    assert (width % 2, height % 2) == (0, 0)
    assert width / height == pytest.approx(size[0] / size[1], rel=0.02)


def test_a_small_picture_gets_its_edge_around_it() -> None:
    wide = framed(np.full((50, 50, 3), 77, np.uint8), 200, 100)
    assert wide.shape == (100, 200, 3)
    assert np.all(wide == 77)


def test_what_is_painted_over_takes_the_colours_beside_it() -> None:
    picture = scene()
    marked = picture.copy()
    marked[60:120, 100:200] = 255
    painted = without(marked, [Box(100 / 320, 60 / 180, 100 / 320, 60 / 180)])
    assert np.abs(painted.astype(int) - picture.astype(int)).max() <= 4
    assert np.all(without(picture, []) == picture)


def test_a_box_over_all_of_the_picture_is_painted_too() -> None:
    assert without(scene(), [Box(-1, -1, 3, 3)]).shape == scene().shape


def test_a_shaken_camera_takes_other_frames_of_the_same_picture() -> None:
    first, second = shaken([scene()] * 2, noise=2.0, seed=1)
    assert np.any(first != second)
    assert np.abs(first.astype(int) - scene().astype(int)).mean() < 8


def test_the_same_seed_gives_the_same_frames() -> None:
    one, two = (np.stack(list(shaken([scene()] * 3, 2.0, 5))) for _ in range(2))
    assert np.all(one == two)


def test_all_frames_come_through_the_codec_and_lose_little() -> None:
    frames = list(through_vp8([scene()] * 4, bits_a_pixel=0.25))
    assert len(frames) == 4
    seen = frames[-1].to_ndarray(format="rgb24")
    assert np.abs(seen.astype(int) - scene().astype(int)).mean() < 6
