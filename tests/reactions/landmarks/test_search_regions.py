from math import degrees

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactions.landmarks.roi import Roi, grown
from reactions.landmarks.search_regions import (
    WIDE,
    around_small_face,
    close_ups,
    face_looks,
    fills,
    hand_search_regions,
    middle_close_up,
    next_unread_palm_regions,
    quick_look,
    stream_close_up,
    stream_look,
    turned_looks,
    unread_palm_regions,
)

sides = st.integers(32, 1280)


@given(sides, sides)
def test_parts_to_look_for_a_face_in_are_half_as_large_as_the_picture(w: int, h: int) -> None:
    assert {look.width for look in face_looks(w, h)} == {max(w, h) / 2}


@given(sides, sides)
def test_frames_to_look_for_a_hand_in_go_round_the_picture_s_middle(w: int, h: int) -> None:
    looks = [*hand_search_regions(w, h), *turned_looks(w, h), *close_ups(w, h)]
    assert {(look.x, look.y) for look in looks} == {(w / 2, h / 2)}


@given(sides, sides)
def test_turned_frames_lean_to_both_sides_alike(w: int, h: int) -> None:
    for looks in (turned_looks(w, h), close_ups(w, h)):
        angles = [look.angle for look in looks]
        assert sorted(angles) == sorted(-angle for angle in angles)


def test_a_hand_fills_the_picture_where_its_region_is_about_as_large() -> None:
    assert fills(Roi(320, 180, 640, 640), 640, 360)
    assert not fills(Roi(320, 180, 300, 300), 640, 360)


@given(sides, sides)
def test_a_quick_look_never_makes_the_picture_smaller_than_the_square_one(w: int, h: int) -> None:
    look = quick_look(w, h)
    assert look.width <= max(w, h) + 1e-6
    assert look.width / look.height in (1.0, WIDE)


def test_hands_are_looked_for_near_a_face_only_where_it_is_small() -> None:
    assert around_small_face(None, 640, 360) is None
    assert around_small_face(Roi(320, 180, 200, 200), 640, 360) is None
    near = around_small_face(Roi(320, 180, 40, 40), 640, 360)
    assert near
    assert near.width == 160
    assert near.y > 180


def test_a_streams_looks_are_wider_than_the_picture_and_around_what_changed() -> None:
    changed = Roi(100, 200, 120, 80)
    for turn in range(8):
        assert stream_look(640, 360, turn).width > 640
        close = stream_close_up(changed, turn)
        assert (close.x, close.y) == (100, 200)
        assert close.width == close.height > 120


def test_without_a_face_a_streams_looks_are_closer_wider_and_turned_to_both_sides() -> None:
    looks = [stream_look(640, 360, turn, face=False) for turn in range(20)]
    assert looks[:10] == looks[10:]
    assert {look.width < 640 for look in looks} == {True, False}
    assert {look.angle < 0 for look in looks} == {look.angle > 0 for look in looks} == {True, False}
    assert {(look.x, look.y) for look in looks} == {(320, 180)}


def test_close_ups_of_a_picture_without_a_face_are_in_its_middle() -> None:
    assert {(look.x, look.y) for look in (middle_close_up(640, 360, n) for n in range(4))} == {
        (320, 180)
    }


def test_a_palm_without_a_hand_is_looked_at_larger_and_turned_around_its_middle() -> None:
    palm = Roi(300, 200, 60, 60, 0.4)
    regions = unread_palm_regions(grown(palm, 2.6, -0.5))
    larger = regions[2]
    expected = grown(palm, 2.6 * 1.2, -0.5)
    assert (larger.x, larger.y, larger.width) == pytest.approx(
        (expected.x, expected.y, expected.width)
    )
    assert (regions[3].x, regions[3].y) == pytest.approx((300, 200))
    turns = {round(degrees(region.angle - palm.angle)) for region in regions}
    assert turns == {0, 30, -30, 60, -60, 180}


def test_a_stream_looks_at_such_a_palm_in_each_region_in_turn() -> None:
    hand = Roi(300, 200, 156, 156)
    seen = [region for turn in range(9) for region in next_unread_palm_regions(hand, turn)]
    every = unread_palm_regions(hand)
    assert seen == every * 2
