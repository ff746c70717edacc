from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactions.geometry import Box
from sidecar.media.compositor.layout import MAX_CROP, MAX_TILES, Fit, Rect, arrange, place

counts = st.integers(1, MAX_TILES)
canvases = st.tuples(
    st.integers(160, 960).map(lambda n: 2 * n), st.integers(90, 540).map(lambda n: 2 * n)
)
pictures = st.tuples(st.integers(1, 4000), st.integers(1, 4000))
tiles = st.builds(
    Rect,
    st.integers(0, 400).map(lambda n: 2 * n),
    st.integers(0, 400).map(lambda n: 2 * n),
    st.integers(8, 640).map(lambda n: 2 * n),
    st.integers(8, 640).map(lambda n: 2 * n),
)


def arrangement(count: int, canvas: tuple[int, int], pinned: int | None) -> tuple[Rect, ...]:
    spotlight = None if pinned is None else pinned % count
    return arrange(count, *canvas, spotlight=spotlight)


@given(counts, canvases, st.none() | st.integers(0, 48))
def test_tiles_are_even_lie_inside_and_do_not_overlap(
    count: int, canvas: tuple[int, int], pinned: int | None
) -> None:
    placed = arrangement(count, canvas, pinned)
    assert len(placed) == count
    for tile in placed:
        assert all(n % 2 == 0 for n in (tile.x, tile.y, tile.width, tile.height))
        assert tile.width >= 2
        assert tile.height >= 2
        assert tile.x >= 0
        assert tile.y >= 0
        assert tile.right <= canvas[0]
        assert tile.bottom <= canvas[1]
    for one, other in combinations(placed, 2):
        apart = one.right <= other.x or other.right <= one.x
        assert apart or one.bottom <= other.y or other.bottom <= one.y


@given(st.integers(2, MAX_TILES))
def test_tiles_of_a_grid_are_of_one_size_and_nearly_16_to_9(count: int) -> None:
    sizes = {(tile.width, tile.height) for tile in arrange(count, 1280, 720)}
    ((width, height),) = sizes
    assert width / height == pytest.approx(16 / 9, rel=0.04)


@given(st.integers(2, MAX_TILES), st.integers(0, 48))
def test_the_spotlight_is_the_largest_tile(count: int, pinned: int) -> None:
    placed = arrangement(count, (1280, 720), pinned)
    areas = [tile.width * tile.height for tile in placed]
    assert max(range(count), key=areas.__getitem__) == pinned % count
    assert areas.count(max(areas)) == 1


def test_one_participant_gets_the_whole_canvas() -> None:
    assert arrange(1, 1280, 720) == (Rect(0, 0, 1280, 720),)


def test_nine_participants_sit_three_by_three() -> None:
    placed = arrange(9, 1280, 720)
    assert len({tile.x for tile in placed}) == 3
    assert len({tile.y for tile in placed}) == 3


def test_a_last_row_that_is_not_full_is_centred() -> None:
    *_, left, right = arrange(5, 1280, 720)
    assert abs(left.x - (1280 - right.right)) <= 2


@pytest.mark.parametrize("count", [0, MAX_TILES + 1])
def test_other_counts_are_refused(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 49"):
        arrange(count, 1280, 720)


@pytest.mark.parametrize("size", [(1279, 720), (1280, 721), (318, 180), (320, 178), (0, 0)])
def test_odd_and_tiny_canvases_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=f"canvas of {size[0]}x{size[1]}"):
        arrange(2, *size)


def test_a_single_picture_may_be_tiny() -> None:
    assert arrange(1, 16, 16) == (Rect(0, 0, 16, 16),)


@given(pictures, tiles, st.sampled_from(Fit))
def test_what_is_shown_of_a_picture_lies_in_the_tile_and_in_the_picture(
    picture: tuple[int, int], tile: Rect, fit: Fit
) -> None:
    placed = place(*picture, tile, fit)
    shown = placed.shown
    assert all(n % 2 == 0 for n in (shown.x, shown.y, shown.width, shown.height))
    assert shown.width >= 2
    assert shown.height >= 2
    assert shown.x >= max(tile.x, placed.x)
    assert shown.y >= max(tile.y, placed.y)
    assert shown.right <= min(tile.right, placed.x + placed.width)
    assert shown.bottom <= min(tile.bottom, placed.y + placed.height)


@given(pictures, tiles)
def test_letterbox_shows_all_of_the_picture(picture: tuple[int, int], tile: Rect) -> None:
    placed = place(*picture, tile, Fit.LETTERBOX)
    shown = placed.shown
    assert (shown.width, shown.height) == (placed.width, placed.height)
    assert placed.width == tile.width or placed.height == tile.height


@given(tiles, st.floats(0.61, 1 / 0.61))
def test_cover_fills_the_tile_with_a_picture_of_a_similar_shape(tile: Rect, stretch: float) -> None:
    width = max(1, round(tile.width * stretch * 10))
    assert place(width, tile.height * 10, tile, Fit.COVER).shown == tile


def test_cover_leaves_bars_rather_than_cut_off_most_of_a_phone_held_upright() -> None:
    tile = Rect(0, 0, 640, 360)
    placed = place(360, 640, tile, Fit.COVER)
    assert 1 - placed.shown.height / placed.height <= MAX_CROP + 0.01
    assert placed.shown.width < tile.width


def test_a_picture_of_the_tile_s_size_is_left_as_it_is() -> None:
    tile = Rect(10, 20, 640, 360)
    placed = place(640, 360, tile)
    assert (placed.x, placed.y, placed.width, placed.height) == (10, 20, 640, 360)


@pytest.mark.parametrize(("source", "shown"), [((320, 180), (320, 180)), ((640, 360), (320, 180))])
def test_a_picture_that_nearly_fits_as_it_is_or_halved_is_cut_rather_than_scaled(
    source: tuple[int, int], shown: tuple[int, int]
) -> None:
    tile = arrange(12, 1280, 720)[0]
    assert (tile.width, tile.height) == (310, 174)
    placed = place(*source, tile)
    assert (placed.width, placed.height) == shown
    assert placed.shown == tile


def test_a_picture_that_would_lose_more_than_that_is_scaled() -> None:
    placed = place(640, 360, Rect(0, 0, 300, 168))
    assert (placed.width, placed.height) == (300, 168)


@given(pictures, tiles, st.sampled_from(Fit))
def test_a_box_of_the_whole_source_maps_to_the_whole_picture(
    picture: tuple[int, int], tile: Rect, fit: Fit
) -> None:
    placed = place(*picture, tile, fit)
    box = placed.map(Box(0, 0, 1, 1))
    assert (box.x, box.y, box.width, box.height) == (
        placed.x,
        placed.y,
        placed.width,
        placed.height,
    )
