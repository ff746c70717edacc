"""From frames to samples."""

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactions.frame_sampler import FrameSampler, fitted

SIDES = st.integers(1, 8192)


@given(SIDES, SIDES, st.integers(16, 1920))
def test_a_fitted_size_exceeds_neither_the_limit_nor_the_source(
    width: int, height: int, longest: int
) -> None:
    new_width, new_height = fitted(width, height, longest)
    assert 1 <= new_width <= max(1, min(width, longest))
    assert 1 <= new_height <= max(1, min(height, longest))


def test_a_small_frame_keeps_its_size_and_colours() -> None:
    pixels = np.zeros((90, 160, 3), np.uint8)
    pixels[:, :80] = (220, 30, 40)
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")

    sample = FrameSampler().sample(frame, 12.5)

    assert (sample.width, sample.height, sample.time) == (160, 90, 12.5)
    assert np.abs(sample.pixels[45, 40].astype(int) - (220, 30, 40)).max() < 6
    assert sample.pixels[45, 120].max() < 6


def test_a_large_frame_is_scaled_to_the_longest_side() -> None:
    frame = av.VideoFrame(1280, 720, "yuv420p")
    sample = FrameSampler(longest=640).sample(frame, 0.0)
    assert (sample.width, sample.height) == (640, 360)


@pytest.mark.parametrize("size", [(640, 360), (358, 640), (640, 480)])
def test_one_sampler_takes_frames_of_changing_size(size: tuple[int, int]) -> None:
    sampler = FrameSampler()
    sampler.sample(av.VideoFrame(320, 180, "yuv420p"), 0.0)
    sample = sampler.sample(av.VideoFrame(*size, "yuv420p"), 0.2)
    assert (sample.width, sample.height) == size
