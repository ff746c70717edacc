"""Which layer is asked for."""

import pytest

from sidecar.rooms.base import ReceiverConstraints
from sidecar.rooms.galene.layers import Layers

LOW, HIGH = (320, 180), (1280, 720)


def want(width: int, height: int, *, paused: bool = False) -> ReceiverConstraints:
    return ReceiverConstraints(width, height, 15, paused=paused)


def test_the_low_layer_stays_until_it_was_seen() -> None:
    layers = Layers()
    assert layers.choose(want(640, 360), None, 0) is None
    assert layers.choose(want(640, 360), LOW, 3) is None
    assert layers.choose(want(640, 360), LOW, 10) is False


def test_a_low_layer_that_fills_the_tile_stays() -> None:
    assert Layers().choose(want(320, 180), LOW, 10) is None


def test_a_tall_picture_needs_only_the_tiles_height() -> None:
    assert Layers().choose(want(640, 360), (270, 480), 10) is None


def test_the_high_layer_is_left_when_the_low_one_serves() -> None:
    layers = Layers()
    assert layers.choose(want(640, 360), LOW, 10) is False
    assert layers.choose(want(640, 360), HIGH, 30) is None
    assert layers.choose(want(320, 180), HIGH, 40) is True


@pytest.mark.parametrize("size", [LOW, HIGH])
def test_pictures_of_the_other_layer_are_not_taken_for_the_low_one(size: tuple[int, int]) -> None:
    layers = Layers()
    layers.choose(want(640, 360), LOW, 10)
    layers.choose(want(320, 180), HIGH, 40)
    # The first pictures after the change may still be of the high layer.
    assert layers.choose(want(640, 360), size, 42) is False
    assert layers.smallest == LOW


def test_nothing_is_needed_of_who_is_paused() -> None:
    layers = Layers()
    assert layers.choose(want(640, 360), LOW, 10) is False
    assert layers.choose(want(640, 360, paused=True), HIGH, 40) is True


def test_without_a_wish_nothing_changes() -> None:
    assert Layers().choose(None, LOW, 100) is None
