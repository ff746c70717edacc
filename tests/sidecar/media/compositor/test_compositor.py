from dataclasses import replace
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gifs.yuva import Rgb, yuv
from reactions.geometry import Box
from sidecar.media.compositor.compositor import BACKDROP, TILE, Compositor
from sidecar.media.compositor.i420 import Planes
from sidecar.media.compositor.layout import MAX_TILES, Fit, Rect, arrange
from sidecar.media.compositor.tiles import FrameEffect, HoldMark, StickerMark, TileView
from tests.sidecar.media.pictures import BLUE, GREEN, GREY, RED, Blocks, flat, mean_colour

HAND = Box(0.15, 0.55, 0.12, 0.2)
FACE = Box(0.4, 0.15, 0.2, 0.4)


def canvas(stickers: Blocks | None = None, fit: Fit = Fit.COVER) -> Compositor:
    return Compositor(640, 360, stickers or Blocks(), fit=fit)


def seen(name: str = "ann", colour: Rgb = GREY, size: tuple[int, int] = (320, 180)) -> TileView:
    return TileView(name, "", flat(*size, colour))


def inner(area: Rect) -> Rect:
    """The middle of a tile, away from corners and label."""
    return Rect(area.x + 20, area.y + 20, area.width - 40, area.height // 2 // 2 * 2 - 20)


def differing(one: Planes, other: Planes, area: Rect) -> int:
    """How many luma samples of ``area`` differ by more than rounding."""
    gap = one.cut(area).luma.astype(int) - other.cut(area).luma.astype(int)
    return int(np.count_nonzero(abs(gap) > 8))


def test_an_empty_room_is_the_backdrop() -> None:
    picture = canvas().draw([], 0.0)
    assert (picture.width, picture.height, picture.format.name) == (640, 360, "yuv420p")
    assert mean_colour(picture, Rect(0, 0, 640, 360)) == yuv(BACKDROP)


@pytest.mark.parametrize("count", [1, 2, 4, 9])
def test_every_participant_is_seen_in_their_own_tile(count: int) -> None:
    colours = [RED, GREEN, BLUE, GREY]
    tiles = [seen(str(n), colours[n % 4]) for n in range(count)]
    picture = canvas().draw(tiles, 0.0)
    for n, area in enumerate(arrange(count, 640, 360)):
        assert mean_colour(picture, inner(area)) == pytest.approx(yuv(colours[n % 4]), abs=2)


def test_every_picture_is_a_fresh_frame() -> None:
    drawn = canvas()
    assert drawn.draw([seen()], 0.0) is not drawn.draw([seen()], 0.04)


def test_drawing_never_writes_into_a_source_frame() -> None:
    tile = replace(
        seen(size=(640, 360)), stale=True, name="Ann", stickers=(StickerMark("s", 0, HAND),)
    )
    assert tile.frame is not None
    before = tile.frame.to_ndarray().copy()
    canvas(Blocks(s=RED)).draw([tile], 0.0)
    assert np.array_equal(tile.frame.to_ndarray(), before)


def test_a_source_may_change_its_size_from_frame_to_frame() -> None:
    drawn = canvas()
    for size in [(320, 180), (640, 360), (180, 320), (1280, 720), (33, 17)]:
        picture = drawn.draw([seen(colour=GREEN, size=size)], 0.0)
        assert mean_colour(picture, Rect(310, 100, 20, 20)) == pytest.approx(yuv(GREEN), abs=2)


def test_letterbox_shows_bars_and_cover_does_not() -> None:
    tile = seen(colour=RED, size=(240, 180))
    bar = Rect(0, 100, 20, 20)
    assert mean_colour(canvas(fit=Fit.LETTERBOX).draw([tile], 0.0), bar) == yuv(TILE)
    assert mean_colour(canvas().draw([tile], 0.0), bar) == pytest.approx(yuv(RED), abs=2)


def test_any_pixel_format_is_drawn() -> None:
    for form in ("rgb24", "yuv444p", "nv12", "yuvj420p", "gray"):
        frame = flat(320, 180, GREY).reformat(format=form)
        picture = canvas().draw([TileView("ann", "", frame)], 0.0)
        assert mean_colour(picture, inner(Rect(0, 0, 640, 360))) == pytest.approx(yuv(GREY), abs=4)


def test_a_participant_without_a_picture_gets_initials_on_a_plain_tile() -> None:
    picture = canvas().draw([TileView("ann", "Ann Bee", None)], 0.0)
    assert mean_colour(picture, Rect(4, 20, 60, 60)) == yuv(TILE)
    assert Planes.of(picture).luma[120:240, 240:400].max() > 200


def test_a_stale_tile_is_dimmed_and_the_others_are_not() -> None:
    tiles = [replace(seen("a", RED), stale=True), seen("b", RED)]
    left, right = arrange(2, 640, 360)
    picture = canvas().draw(tiles, 0.0)
    assert mean_colour(picture, inner(left))[0] < 0.6 * yuv(RED)[0]
    assert mean_colour(picture, inner(right)) == pytest.approx(yuv(RED), abs=2)


def test_the_pinned_participant_is_the_large_one() -> None:
    tiles = [seen("a", RED), replace(seen("b", GREEN), pinned=True), seen("c", BLUE)]
    picture = canvas().draw(tiles, 0.0)
    assert mean_colour(picture, Rect(200, 100, 100, 100)) == pytest.approx(yuv(GREEN), abs=2)


def test_a_name_is_written_at_the_foot_of_its_tile() -> None:
    drawn = canvas()
    without = Planes.of(drawn.draw([seen()], 0.0))
    named = Planes.of(drawn.draw([replace(seen(), name="Ann")], 0.0))
    assert differing(without, named, Rect(0, 300, 120, 60)) > 200
    assert differing(without, named, Rect(0, 0, 640, 300)) == 0


@pytest.mark.parametrize("name", ["李小龍", "ℵ🎉", "a\nb", "\x00", "\ud800", "x" * 5000])
def test_no_name_keeps_a_tile_from_being_drawn(name: str) -> None:
    picture = canvas().draw([TileView("a", name, flat(320, 180, RED))], 0.0)
    assert mean_colour(picture, inner(Rect(0, 0, 640, 360))) == pytest.approx(yuv(RED), abs=2)


def test_a_sticker_is_drawn_in_its_tile_and_in_no_other() -> None:
    plain = [seen(str(n)) for n in range(4)]
    marked = [replace(plain[0], stickers=(StickerMark("s", 0.0, HAND),), face=FACE), *plain[1:]]
    without = Planes.of(canvas().draw(plain, 0.0))
    with_it = Planes.of(canvas(Blocks(s=RED)).draw(marked, 0.0))
    own, *others = arrange(4, 640, 360)
    assert differing(without, with_it, own) > 48 * 48 * 0.9
    for area in others:
        assert differing(without, with_it, area) == 0


@given(
    st.tuples(st.floats(-0.5, 1.5), st.floats(-0.5, 1.5), st.floats(0, 1), st.floats(0, 1)),
    st.integers(1, 9),
)
@settings(max_examples=25, deadline=None)
def test_a_sticker_stays_inside_its_tile_wherever_its_anchor_is(
    anchor: tuple[float, float, float, float], count: int
) -> None:
    plain = [seen(str(n)) for n in range(count)]
    marks = (StickerMark("s", 0.0, Box(*anchor)),)
    marked = [replace(plain[0], stickers=marks), *plain[1:]]
    without = Planes.of(canvas().draw(plain, 0.0))
    with_it = Planes.of(canvas(Blocks(s=RED)).draw(marked, 0.0))
    own, *others = arrange(count, 640, 360)
    assert differing(without, with_it, own) > 1000
    assert sum(differing(without, with_it, area) for area in others) == 0


def test_a_sticker_is_two_fifths_of_its_tile_but_never_tiny() -> None:
    stickers = Blocks(s=RED)
    for count in (1, 49):
        tiles = [replace(seen(str(n)), stickers=(StickerMark("s", 0, HAND),)) for n in range(count)]
        canvas(stickers).draw(tiles, 0.0)
    assert stickers.asked[0] == ("s", 144, 144)
    height = arrange(49, 640, 360)[0].height
    assert stickers.asked[-1] == ("s", min(48, height), min(48, height))


def test_a_sticker_follows_its_anchor() -> None:
    drawn = canvas(Blocks(s=RED))

    def middle(x: float, time: float) -> float:
        mark = StickerMark("s", 0.0, Box(x, 0.7, 0.1, 0.2))
        planes = Planes.of(drawn.draw([replace(seen(), stickers=(mark,))], time))
        return float(np.nonzero(planes.red > 160)[1].mean())

    places = [middle(0.2, 0.0)] + [middle(0.7, 1 + tick / 25) for tick in range(25)]
    assert places == sorted(places)
    assert places[-1] - places[0] == pytest.approx(0.5 * 320, abs=4)
    assert places[2] - places[1] < 0.5 * 320


def test_an_effect_fills_the_tile_under_the_sticker() -> None:
    mark = StickerMark("s", 0.0, HAND, effect="e")
    picture = canvas(Blocks(s=RED, e=GREEN)).draw([replace(seen(), stickers=(mark,))], 0.0)
    assert mean_colour(picture, Rect(400, 20, 200, 200)) == pytest.approx(yuv(GREEN), abs=2)
    assert Planes.of(picture).red.max() > 180


def test_a_sticker_that_cannot_be_loaded_leaves_the_tile_as_it_was() -> None:
    drawn = canvas()
    mark = StickerMark("missing", 0.0, HAND)
    with capture_logs() as logs:
        for tick in range(3):
            picture = drawn.draw([replace(seen(colour=RED), stickers=(mark,))], tick / 25)
            assert mean_colour(picture, Rect(0, 0, 640, 360)) == pytest.approx(yuv(RED), abs=2)
    assert [(log["event"], log["name"]) for log in logs] == [("sticker not drawn", "missing")]


def test_one_broken_tile_leaves_the_others_alone() -> None:
    class Hostile:
        width = height = 64

    broken = TileView("a", "", Hostile())  # type: ignore[arg-type]
    with capture_logs() as logs:
        picture = canvas().draw([broken, seen("b", GREEN)], 0.0)
    left, right = arrange(2, 640, 360)
    assert mean_colour(picture, inner(left)) == pytest.approx(yuv(TILE), abs=1)
    assert mean_colour(picture, inner(right)) == pytest.approx(yuv(GREEN), abs=2)
    assert [log["event"] for log in logs] == ["tile not drawn"]


def test_a_hold_ring_surrounds_its_anchor() -> None:
    hold = HoldMark(Box(0.45, 0.4, 0.1, 0.2), 0.5)
    drawn = canvas()
    without = Planes.of(drawn.draw([seen()], 0.0))
    ringed = Planes.of(drawn.draw([replace(seen(), holds=(hold,))], 0.0))
    around = Rect(320 - 60, 180 - 60, 120, 120)
    changed = differing(without, ringed, around)
    assert changed > 300
    assert differing(without, ringed, Rect(0, 0, 640, 360)) == changed
    assert differing(without, ringed, Rect(310, 170, 20, 20)) == 0


def test_more_participants_than_tiles_draws_the_first() -> None:
    tiles = [seen(str(n), RED if n < MAX_TILES else GREEN) for n in range(MAX_TILES + 3)]
    picture = canvas().draw(tiles, 0.0)
    assert Planes.of(picture).red.min() > 110


@pytest.mark.parametrize("size", [(641, 360), (640, 361), (0, 0)])
def test_a_canvas_that_cannot_be_divided_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="canvas"):
        Compositor(*size, Blocks())


@pytest.mark.parametrize("size", [(2, 2), (16, 90), (100, 60)])
def test_a_tiny_picture_with_everything_on_it_is_drawn(size: tuple[int, int]) -> None:
    tile = replace(
        seen(colour=RED, size=size),
        name="Ann",
        stickers=(StickerMark("s", 0.0, HAND, effect="s"),),
        holds=(HoldMark(HAND, 0.5),),
    )
    with capture_logs() as logs:
        picture = Compositor(*size, Blocks(s=RED)).draw([tile], 0.0)
    assert (picture.width, picture.height) == size
    assert logs == []


def test_a_sticker_leaves_the_name_readable() -> None:
    named = replace(seen(), name="Ann Bee")
    marked = replace(named, stickers=(StickerMark("s", 0.0, Box(0.0, 0.8, 0.2, 0.2)),))
    without = Planes.of(canvas().draw([named], 0.0))
    with_it = Planes.of(canvas(Blocks(s=RED)).draw([marked], 0.0))
    assert differing(without, with_it, Rect(12, 320, 60, 28)) == 0


def test_the_sticker_of_a_hold_is_made_ready_in_the_size_that_it_will_have() -> None:
    stickers = Blocks(s=RED)
    drawn = canvas(stickers)
    drawn.draw([replace(seen(), holds=(HoldMark(HAND, 0.2, "s"),))], 0.0)
    drawn.draw([replace(seen(), stickers=(StickerMark("s", 0.0, HAND),))], 1.0)
    assert stickers.prepared == stickers.asked == [("s", 144, 144)]


def test_a_crowds_effect_covers_the_whole_picture_once() -> None:
    drawn, effect = canvas(Blocks(hearts=RED)), FrameEffect("hearts", 5.0)
    tiles = [seen("a", GREEN), seen("b", BLUE), replace(seen("c"), frame=None)]
    whole = Rect(0, 0, 640, 360)
    plain = drawn.draw(tiles, 4.9)
    # One run of the animation is 0.1 s.
    for time in (5.0, 5.05):
        assert mean_colour(drawn.draw(tiles, time, effect), whole) == yuv(RED)
    assert mean_colour(drawn.draw(tiles, 5.11, effect), whole) == mean_colour(plain, whole)
    assert mean_colour(drawn.draw(tiles, 6.0, effect), whole) == mean_colour(plain, whole)
    again = FrameEffect("hearts", 6.5)
    assert mean_colour(drawn.draw(tiles, 6.5, again), whole) == yuv(RED)


def test_a_crowds_effect_that_is_coming_is_made_ready_and_not_drawn() -> None:
    stickers = Blocks(hearts=RED)
    picture = canvas(stickers).draw([seen("a", GREY)], 1.0, FrameEffect("hearts", inf))
    assert (stickers.prepared, stickers.asked) == ([("hearts", 640, 360)], [])
    assert mean_colour(picture, inner(Rect(0, 0, 640, 360))) == pytest.approx(yuv(GREY), abs=2)


def test_a_crowds_effect_that_cannot_be_had_leaves_the_picture_as_it_is() -> None:
    plain = canvas().draw([seen("a", GREEN)], 1.0)
    with capture_logs() as logs:
        picture = canvas().draw([seen("a", GREEN)], 1.0, FrameEffect("missing", 0.0))
    assert np.array_equal(picture.to_ndarray(), plain.to_ndarray())
    assert [entry["event"] for entry in logs] == ["sticker not drawn"]


def test_a_sticker_keeps_clear_of_further_peoples_faces() -> None:
    hand, beside = Box(0.3, 0.5, 0.1, 0.2), Box(0.25, 0.0, 0.2, 0.5)
    tile = replace(seen(), stickers=(StickerMark("s", 0.0, hand, person=1),))
    above = Rect(180, 20, 80, 120)
    assert mean_colour(canvas(Blocks(s=RED)).draw([tile], 0.0), above)[1:] != yuv(GREY)[1:]
    crowded = replace(tile, other_faces=(beside,))
    picture = canvas(Blocks(s=RED)).draw([crowded], 0.0)
    assert mean_colour(picture, above) == pytest.approx(yuv(GREY), abs=2)
