import numpy as np
import pytest

from reactions.landmark_types import RgbImage
from reactions.landmarks.dark_rooms import DARK, lit_up
from reactions.landmarks.frame_quality import judge_quality


def room(brightest: int, grain: float = 0.0) -> RgbImage:
    ramp = np.tile(np.linspace(4, brightest, 640), (360, 1))
    noise = np.random.default_rng(0).normal(0, grain, (360, 640)) if grain else 0.0
    grey = np.clip(ramp + noise, 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def lit(picture: RgbImage) -> RgbImage:
    return lit_up(picture, judge_quality(picture, 0.0, None)[1])


def test_a_room_with_light_is_left_as_it_is() -> None:
    picture = room(int(DARK) + 10)
    assert lit(picture) is picture


def test_a_dark_room_is_made_as_light_as_others() -> None:
    seen = lit(room(50))
    assert np.percentile(seen, 95) == pytest.approx(150, abs=6)
    assert seen.dtype == np.uint8
    assert seen.shape == (360, 640, 3)


def test_almost_nothing_is_not_made_of_nothing() -> None:
    assert lit(room(12)).max() <= 48


def test_grain_is_averaged_away() -> None:
    grainy, plain = lit(room(50, grain=6.0)), lit(room(50))
    left = np.abs(grainy.astype(int) - plain.astype(int)).mean()
    # Three times as light, and yet less than the grain was.
    assert left < 5
