import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactions.geometry import Box
from sidecar.media.compositor.layout import Rect
from sidecar.media.compositor.sticker_placement import DEAD_ZONE, Follower, StickerSide, beside

TILE = Rect(100, 60, 400, 224)
SIZE = (90.0, 90.0)
boxes = st.builds(Box, st.floats(0, 600), st.floats(0, 400), st.floats(0, 300), st.floats(0, 300))


def overlap(x: float, y: float, box: Box) -> float:
    wide = min(x + SIZE[0], box.x + box.width) - max(x, box.x)
    high = min(y + SIZE[1], box.y + box.height) - max(y, box.y)
    return max(wide, 0) * max(high, 0)


@given(
    boxes, st.none() | boxes, st.lists(boxes, max_size=3), st.none() | st.sampled_from(StickerSide)
)
def test_a_sticker_stays_inside_its_tile(
    anchor: Box, face: Box | None, taken: list[Box], previous: StickerSide | None
) -> None:
    spot = beside(anchor, SIZE, TILE, face=face, taken=taken, previous=previous)
    assert TILE.x <= spot.x <= TILE.right - SIZE[0]
    assert TILE.y <= spot.y <= TILE.bottom - SIZE[1]


def test_a_sticker_sits_above_a_hand_with_room_above_it() -> None:
    spot = beside(Box(150, 200, 50, 60), SIZE, TILE)
    assert spot.side is StickerSide.ABOVE
    assert spot.y + SIZE[1] == pytest.approx(200)


def test_a_raised_hand_gets_its_sticker_at_its_outer_side() -> None:
    assert beside(Box(220, 70, 50, 90), SIZE, TILE).side is StickerSide.LEFT
    assert beside(Box(350, 70, 50, 90), SIZE, TILE).side is StickerSide.RIGHT


def test_a_sticker_keeps_clear_of_the_face() -> None:
    face = Box(240, 80, 110, 130)
    for anchor in (face, Box(250, 215, 60, 60), Box(180, 150, 50, 60), Box(330, 100, 50, 60)):
        spot = beside(anchor, SIZE, TILE, face=face)
        assert overlap(spot.x, spot.y, face) < 0.05 * SIZE[0] * SIZE[1]


def test_two_stickers_of_one_participant_do_not_cover_each_other() -> None:
    anchor = Box(150, 180, 50, 60)
    first = beside(anchor, SIZE, TILE)
    second = beside(anchor, SIZE, TILE, taken=[Box(first.x, first.y, *SIZE)])
    assert overlap(second.x, second.y, Box(first.x, first.y, *SIZE)) < 0.05 * SIZE[0] * SIZE[1]


def test_a_sticker_does_not_change_sides_for_little() -> None:
    middle = TILE.x + TILE.width / 2
    sides = {
        beside(Box(middle + shift - 25, 70, 50, 90), SIZE, TILE, previous=StickerSide.LEFT).side
        for shift in (-4, -1, 1, 4)
    }
    assert sides == {StickerSide.LEFT}


def test_a_new_key_is_at_its_goal_at_once() -> None:
    assert Follower().move("a", (0.2, 0.7), 5.0) == (0.2, 0.7)


@given(st.floats(0.0, 1.0), st.floats(DEAD_ZONE * 1.01, 1.0))
def test_a_position_glides_to_its_goal_without_overshooting(start: float, distance: float) -> None:
    follower = Follower()
    follower.move("a", (start, 0.0), 0.0)
    goal = start + distance
    places = [follower.move("a", (goal, 0.0), tick / 25)[0] for tick in range(50)]
    assert places == sorted(places)
    assert places[0] == start
    assert places[-1] == pytest.approx(goal, abs=1e-3)
    assert max(places) <= goal


def test_a_trembling_anchor_moves_nothing() -> None:
    follower = Follower()
    follower.move("a", (0.5, 0.5), 0.0)
    for tick in range(1, 50):
        shaken = 0.5 + (DEAD_ZONE / 2 if tick % 2 else -DEAD_ZONE / 2)
        assert follower.move("a", (shaken, 0.5), tick / 25) == (0.5, 0.5)


def test_keys_that_are_not_moved_any_more_are_forgotten() -> None:
    follower = Follower()
    follower.move("a", (0.1, 0.1), 0.0, StickerSide.LEFT)
    follower.sweep()
    assert follower.side("a") is StickerSide.LEFT
    follower.sweep()
    assert follower.side("a") is None
    assert follower.move("a", (0.9, 0.9), 0.1) == (0.9, 0.9)
