"""The eight orientations, and those that there are not."""

import struct

import numpy as np
import pytest

from sidecar.media.container.orientation import UPRIGHT, Orientation, parse_display_matrix

PICTURE = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
ONE = 0x10000


def matrix(a: int, b: int, c: int, d: int) -> bytes:
    return struct.pack("=9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)


@pytest.mark.parametrize(
    ("axes", "shown"),
    [
        ((ONE, 0, 0, ONE), [[1, 2, 3], [4, 5, 6]]),
        ((-ONE, 0, 0, ONE), [[3, 2, 1], [6, 5, 4]]),
        ((-ONE, 0, 0, -ONE), [[6, 5, 4], [3, 2, 1]]),
        ((ONE, 0, 0, -ONE), [[4, 5, 6], [1, 2, 3]]),
        ((0, ONE, ONE, 0), [[1, 4], [2, 5], [3, 6]]),
        ((0, ONE, -ONE, 0), [[4, 1], [5, 2], [6, 3]]),
        ((0, -ONE, -ONE, 0), [[6, 3], [5, 2], [4, 1]]),
        ((0, -ONE, ONE, 0), [[3, 6], [2, 5], [1, 4]]),
    ],
)
def test_all_eight_orientations(axes: tuple[int, int, int, int], shown: list[list[int]]) -> None:
    assert parse_display_matrix(matrix(*axes)).apply(PICTURE).tolist() == shown


def test_scale_and_rounding_don_t_matter() -> None:
    assert parse_display_matrix(matrix(-2 * ONE, 300, -300, ONE)) == Orientation(mirrored=True)


@pytest.mark.parametrize("axes", [(0, 0, 0, 0), (ONE, ONE, ONE, ONE)])
def test_a_matrix_that_means_nothing_is_ignored(axes: tuple[int, int, int, int]) -> None:
    assert parse_display_matrix(matrix(*axes)) == UPRIGHT


@pytest.mark.parametrize(("angle", "named"), [(45, "45°"), (-30, "-30°"), (10, "10°")])
def test_an_odd_angle_is_named(angle: int, named: str) -> None:
    turn = np.deg2rad(angle)
    across, aside = round(ONE * np.cos(turn)), round(ONE * np.sin(turn))
    with pytest.raises(ValueError, match=f"turned by {named}"):
        parse_display_matrix(matrix(across, aside, -aside, across))
