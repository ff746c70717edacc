"""Premultiplied RGBA to planes, against the textbook in double precision."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gifs.yuva import straight_to_yuva, to_yuva

Floats = npt.NDArray[np.float64]


def _reference(straight: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Convert straight RGBA in 0–1 pixel by pixel, then premultiply, then average 2x2."""
    red, green, blue, alpha = np.moveaxis(straight, -1, 0)
    luma = 16 + 65.481 * red + 128.553 * green + 24.966 * blue
    cb = 128 - 37.797 * red - 74.203 * green + 112.0 * blue
    cr = 128 + 112.0 * red - 93.786 * green - 18.214 * blue

    def quarter(plane: Floats) -> Floats:
        height, width = plane.shape
        return np.asarray(plane.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)))

    return luma * alpha, quarter(cb * alpha), quarter(cr * alpha), alpha * 255, quarter(alpha) * 255


@settings(deadline=None)
@given(
    width=st.integers(1, 12),
    height=st.integers(1, 12),
    seed=st.integers(0, 2**32 - 1),
)
def test_planes_are_within_a_level_of_the_reference(width: int, height: int, seed: int) -> None:
    straight = np.random.default_rng(seed).random((2 * height, 2 * width, 4))
    straight[..., 3] = np.rint(straight[..., 3] * 255) / 255
    premultiplied = np.rint(straight[..., :3] * straight[..., 3:] * 255)
    pixels = np.dstack([premultiplied, straight[..., 3] * 255]).round().astype(np.uint8)

    frame = to_yuva(pixels)

    planes = (frame.luma, frame.blue, frame.red, frame.alpha, frame.chroma_alpha)
    for plane, expected in zip(planes, _reference(straight), strict=True):
        assert np.abs(plane - expected).max() <= 1.5


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        ((255, 255, 255, 255), (235, 128, 128)),
        ((0, 0, 0, 255), (16, 128, 128)),
        ((255, 0, 0, 255), (81, 90, 240)),
        ((0, 0, 0, 0), (0, 0, 0)),
    ],
)
def test_known_colours_have_their_known_codes(
    colour: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    frame = to_yuva(np.full((2, 2, 4), colour, dtype=np.uint8))
    assert (frame.luma[0, 0], frame.blue[0, 0], frame.red[0, 0]) == expected


def test_straight_colours_are_premultiplied_on_the_way() -> None:
    straight = np.full((2, 2, 4), (200, 100, 50, 51), dtype=np.uint8)
    premultiplied = np.full((2, 2, 4), (40, 20, 10, 51), dtype=np.uint8)
    ours, theirs = straight_to_yuva(straight), to_yuva(premultiplied)
    assert np.array_equal(ours.luma, theirs.luma)
    assert np.array_equal(ours.blue, theirs.blue)
    assert np.array_equal(ours.red, theirs.red)
    assert np.array_equal(ours.alpha, straight[..., 3])


def test_a_colour_above_its_alpha_is_cut_to_it() -> None:
    overshoot = np.full((2, 2, 4), (90, 90, 90, 60), dtype=np.uint8)
    honest = np.full((2, 2, 4), (60, 60, 60, 60), dtype=np.uint8)
    assert np.array_equal(to_yuva(overshoot).luma, to_yuva(honest).luma)
