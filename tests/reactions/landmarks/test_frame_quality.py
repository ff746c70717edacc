import numpy as np
import pytest

from reactions.landmark_types import Quality, RgbImage
from reactions.landmarks.frame_quality import (
    Fingerprint,
    PictureChange,
    blockiness,
    change_between,
    judge_quality,
    quantile,
)


def scene(seed: int = 0) -> RgbImage:
    """A smooth picture with some noise, as a camera gives it."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.linspace(0, 6, 640), np.linspace(0, 4, 360))
    luma = 120 + 60 * np.sin(x + y) + rng.normal(0, 2, size=(360, 640))
    return np.repeat(luma[:, :, None], 3, axis=2).clip(0, 255).astype(np.uint8)


def blocks() -> RgbImage:
    """Blocks of 16 pixels without anything to do with each other."""
    greys = np.random.default_rng(0).integers(60, 200, size=(23, 40), dtype=np.uint8)
    picture = np.kron(greys, np.ones((16, 16), np.uint8))[:360]
    return np.repeat(picture[:, :, None], 3, axis=2)


def qualities(*samples: tuple[float, RgbImage]) -> list[Quality]:
    last: Fingerprint | None = None
    seen = []
    for time, picture in samples:
        quality, last = judge_quality(picture, time, last)
        seen.append(quality)
    return seen


def test_a_camera_s_picture_passes() -> None:
    assert qualities((0.0, scene(0)), (0.2, scene(1))) == [Quality.OK, Quality.OK]


def test_a_covered_camera_is_black() -> None:
    dark = np.random.default_rng(0).integers(0, 8, size=(360, 640, 3), dtype=np.uint8)
    assert qualities((0.0, dark)) == [Quality.BLACK]
    assert qualities((0.0, np.full((360, 640, 3), 128, np.uint8))) == [Quality.BLACK]


def test_a_picture_is_frozen_once_it_has_stood_for_two_seconds() -> None:
    still = scene()
    times = (0.0, 0.2, 1.9, 2.0, 9.0)
    assert qualities(*((time, still) for time in times)) == [Quality.OK] * 3 + [Quality.FROZEN] * 2


def test_a_frozen_picture_that_moves_again_passes_at_once() -> None:
    still = scene()
    assert qualities((0.0, still), (3.0, still), (3.2, scene(5)))[1:] == [
        Quality.FROZEN,
        Quality.OK,
    ]


def test_a_decoder_s_garbage_is_stopped_and_what_follows_passes() -> None:
    assert qualities((0.0, scene(0)), (0.2, blocks()), (0.4, scene(1))) == [
        Quality.OK,
        Quality.GARBAGE,
        Quality.OK,
    ]


def test_a_blocky_still_picture_passes() -> None:
    assert qualities((0.0, blocks())) == [Quality.OK]


def test_blocks_are_blockier_than_a_camera_s_picture() -> None:
    assert blockiness(scene()) == pytest.approx(1, abs=0.3)
    assert blockiness(blocks()) > 10


def test_blockiness_is_the_step_at_the_edges_by_the_mean_step() -> None:
    stripes = np.zeros((24, 32, 3), np.uint8)
    stripes[:, 16:] = 31  # one step of 31 among 31 steps: the mean is 1, and half a level is added
    assert blockiness(stripes) == pytest.approx(31 / 1.5)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 700, 3), (900, 1, 3)])
def test_any_size_of_picture_is_looked_at(shape: tuple[int, int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 255, size=shape, dtype=np.uint8)
    assert set(qualities((0.0, picture), (0.2, picture))) <= set(Quality)


def change(before: RgbImage, after: RgbImage) -> PictureChange:
    first, second = (judge_quality(each, 0.0, None)[1] for each in (before, after))
    return change_between(first, second)


def test_only_what_clearly_differs_has_changed() -> None:
    near = scene(1)
    near[:, 320:] -= 40
    assert change(scene(0), scene(1)).share == 0
    changed = change(scene(0), near)
    assert changed.share == pytest.approx(0.5, abs=0.02)
    assert changed.box is not None
    assert changed.box.center[0] == pytest.approx(0.75, abs=0.02)


def test_in_the_dark_less_is_clear() -> None:
    dark, near = scene(0) // 6, scene(0) // 6
    near[:, :320] += 12
    assert change(dark, near).share == pytest.approx(0.5, abs=0.02)


def test_pictures_of_another_size_have_no_change_between_them() -> None:
    assert change(scene(0), scene(0)[:20, :20]) == PictureChange()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95, 1.0])
@pytest.mark.parametrize("count", [1, 2, 17, 500])
def test_quantiles_are_those_of_numpy(count: int, share: float) -> None:
    values = np.random.default_rng(count).integers(0, 255, count).astype(np.uint8)
    assert quantile(values, share) == pytest.approx(float(np.quantile(values, share)))
