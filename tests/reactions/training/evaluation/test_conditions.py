import numpy as np
import pytest

from reactions.geometry import Box
from reactions.landmark_types import RgbImage
from reactions.training.evaluation.conditions import (
    ROBUSTNESS,
    Condition,
    encoding_for,
    moved_boxes,
    seen_under,
)

HAND = Box(0.6, 0.3, 0.1, 0.2)


def picture() -> RgbImage:
    """A dark room with a bright hand in it."""
    pixels = np.full((360, 640, 3), (90, 80, 60), np.uint8)
    pixels[108:180, 384:448] = (230, 210, 200)
    return pixels


def bright_box(pixels: RgbImage) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of what is bright, in fractions of the picture."""
    rows, columns = np.nonzero(pixels[..., 0] > 160)
    height, width = pixels.shape[:2]
    return (
        columns.min() / width,
        rows.min() / height,
        (columns.max() + 1) / width,
        (rows.max() + 1) / height,
    )


@pytest.mark.parametrize("condition", ROBUSTNESS)
def test_each_condition_changes_the_picture_or_its_encoding(condition: Condition) -> None:
    seen = seen_under(condition, picture(), [HAND])
    assert seen.dtype == np.uint8
    differs = seen.shape != picture().shape or bool(np.any(seen != picture()))
    assert differs or encoding_for(condition) != encoding_for(Condition.PLAIN) or is_grey(seen)


def is_grey(pixels: RgbImage) -> bool:
    return bool(np.all(pixels[..., 0] == pixels[..., 2]))


def test_plain_is_as_it_is() -> None:
    assert np.all(seen_under(Condition.PLAIN, picture(), []) == picture())


def test_a_near_hand_is_as_high_as_the_picture() -> None:
    _, top, _, bottom = bright_box(seen_under(Condition.NEAR, picture(), [HAND]))
    assert bottom - top > 0.85


def test_a_hand_that_fills_the_picture_leaves_it() -> None:
    _, top, _, bottom = bright_box(seen_under(Condition.FILLING, picture(), [HAND]))
    assert (top, bottom) == (0.0, 1.0)


def test_a_third_of_a_hand_that_is_cut_off_is_outside() -> None:
    left, _, right, _ = bright_box(seen_under(Condition.CUT_OFF, picture(), [HAND]))
    assert right == pytest.approx(1.0)
    assert right - left == pytest.approx(HAND.width * 2 / 3, abs=0.01)


@pytest.mark.parametrize(
    "condition",
    [Condition.NEAR, Condition.FILLING, Condition.CUT_OFF, Condition.MIRRORED],
)
def test_boxes_move_with_the_picture(condition: Condition) -> None:
    (box,) = moved_boxes(condition, picture(), [HAND])
    left, top, right, bottom = bright_box(seen_under(condition, picture(), [HAND]))
    inside = box.clipped()
    assert (inside.x, inside.y) == pytest.approx((left, top), abs=0.02)
    assert (inside.x + inside.width, inside.y + inside.height) == pytest.approx(
        (right, bottom), abs=0.02
    )


def test_without_a_hand_there_is_no_near_one() -> None:
    with pytest.raises(ValueError, match="near"):
        seen_under(Condition.NEAR, picture(), [])


def test_a_dark_room_is_dark_and_a_backlit_one_is_veiled() -> None:
    dark = seen_under(Condition.DARK, picture(), [])
    assert dark.max() < 70
    assert seen_under(Condition.BACKLIT, picture(), [])[0].mean() > picture()[0].mean()
