"""Decoding within limits: what a frame shows, how long it stays, and what is refused."""

from pathlib import Path
from struct import pack

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from config.errors import StickerError
from gifs.animation import YuvaFrame
from gifs.delays import USUAL
from gifs.loader import StickerLimits, load_sticker
from tests.gifs.pictures import (
    BLUE,
    CLEAR,
    GREEN,
    RED,
    GifWriter,
    encode,
    interlaced_apng,
    plain,
    save,
)

_LUMA = {"red": 81, "green": 145, "blue": 41, "clear": 0}


def _colour(frame: YuvaFrame, x: int, y: int) -> str:
    """The colour at a pixel, by its luma."""
    if frame.alpha[y, x] == 0:
        return "clear"
    return next(name for name, luma in _LUMA.items() if abs(int(frame.luma[y, x]) - luma) <= 2)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("GIF", {"disposal": 2}), ("PNG", {}), ("WEBP", {"lossless": True})],
)
def test_frames_and_delays_are_those_of_the_file(
    tmp_path: Path, kind: str, options: dict[str, object]
) -> None:
    data = encode(plain(RED, GREEN, BLUE), kind, delays=[40, 200, 90], **options)
    animation = load_sticker(save(tmp_path, "a", data), 8, 8)
    assert [_colour(frame, 4, 4) for frame in animation.frames] == ["red", "green", "blue"]
    assert animation.delays == pytest.approx((0.04, 0.2, 0.09))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_still_picture_is_an_animation_of_one_frame(tmp_path: Path, kind: str) -> None:
    path = save(tmp_path, "still", encode(plain(GREEN), kind, lossless=True))
    animation = load_sticker(path, 8, 8)
    assert len(animation.frames) == 1
    assert animation.delays == (USUAL,)
    assert _colour(animation.at(7.0), 4, 4) == "green"


def test_the_stand_in_of_an_apng_is_not_shown(tmp_path: Path) -> None:
    data = encode(plain(RED, GREEN, BLUE), "PNG", default_image=True)
    animation = load_sticker(save(tmp_path, "a.png", data), 8, 8)
    assert [_colour(frame, 4, 4) for frame in animation.frames] == ["green", "blue"]


def test_an_interlaced_apng_shows_all_its_frames(tmp_path: Path) -> None:
    path = save(tmp_path, "a.png", interlaced_apng(RED, GREEN, BLUE))
    frames = load_sticker(path, 8, 8).frames
    assert [_colour(frame, 4, 4) for frame in frames] == ["red", "green", "blue"]


@pytest.mark.parametrize("delay", [0, 1, None])
def test_a_delay_too_short_to_see_is_a_tenth_of_a_second(tmp_path: Path, delay: int | None) -> None:
    writer = GifWriter(8, 8).frame(1, (0, 0, 8, 8), delay=delay).frame(2, (0, 0, 8, 8), delay=5)
    animation = load_sticker(save(tmp_path, "a.gif", writer.done()), 8, 8)
    assert animation.delays == pytest.approx((0.1, 0.05))


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_short_delays_are_those_of_browsers(tmp_path: Path, kind: str) -> None:
    data = encode(plain(RED, GREEN, BLUE), kind, delays=[10, 20, 10], lossless=True)
    assert load_sticker(save(tmp_path, "a", data), 8, 8).delays == pytest.approx((0.1, 0.02, 0.1))


def tolerated() -> dict[str, bytes]:
    """GIFs that browsers show although they are not quite right."""
    head = GifWriter(8, 8).done()[:-1]
    [red, green] = [
        GifWriter(8, 8).frame(colour, (0, 0, 8, 8)).done()[len(head) : -1] for colour in (1, 2)
    ]
    beyond = GifWriter(8, 8).frame(1, (0, 0, 8, 8)).frame(2, (0, 0, 12, 9)).done()
    return {
        "a NUL between frames": head + red + b"\0" + green + b";",
        "a NUL before the trailer": head + red + green + b"\0;",
        "stray bytes": head + red + b"\0\0\xff\x7f" + green + b";",
        "no trailer": head + red + green,
        "more after the trailer": head + red + green + b";;;garbage",
        "beyond the screen": beyond,
    }


@pytest.mark.parametrize("data", tolerated().values(), ids=tolerated())
def test_what_browsers_show_is_accepted(tmp_path: Path, data: bytes) -> None:
    animation = load_sticker(save(tmp_path, "a.gif", data), 8, 8)
    assert [_colour(frame, 4, 4) for frame in animation.frames] == ["red", "green"]


def test_frames_far_beyond_the_screen_count_as_its_size(tmp_path: Path) -> None:
    data = GifWriter(8, 8).frame(1, (0, 0, 8, 8)).frame(2, (60_000, 60_000, 8, 8)).done()
    with pytest.raises(StickerError, match="60008x60008 pixels"):
        load_sticker(save(tmp_path, "a.gif", data), 8, 8)


def _disposed(tmp_path: Path, disposal: int) -> YuvaFrame:
    """The third frame after a green square with ``disposal`` on a red ground."""
    data = (
        GifWriter(8, 8)
        .frame(1, (0, 0, 8, 8), disposal=1)
        .frame(2, (0, 0, 4, 4), disposal=disposal)
        .frame(3, (4, 4, 4, 4), disposal=1)
        .done()
    )
    animation = load_sticker(save(tmp_path, f"{disposal}.gif", data), 8, 8)
    assert _colour(animation.frames[1], 1, 1) == "green"
    assert _colour(animation.frames[1], 6, 1) == "red"
    return animation.frames[2]


@pytest.mark.parametrize(
    ("disposal", "left_behind"), [(0, "green"), (1, "green"), (2, "clear"), (3, "red")]
)
def test_a_frame_leaves_behind_what_its_disposal_says(
    tmp_path: Path, disposal: int, left_behind: str
) -> None:
    frame = _disposed(tmp_path, disposal)
    assert _colour(frame, 1, 1) == left_behind
    assert _colour(frame, 6, 6) == "blue"
    assert _colour(frame, 6, 1) == "red"


def test_a_partial_first_frame_leaves_the_rest_clear(tmp_path: Path) -> None:
    data = GifWriter(8, 8).frame(1, (4, 0, 4, 8)).frame(2, (4, 4, 2, 2)).done()
    first, second = load_sticker(save(tmp_path, "a.gif", data), 8, 8).frames
    assert (_colour(first, 1, 1), _colour(first, 6, 1)) == ("clear", "red")
    assert (_colour(second, 1, 1), _colour(second, 5, 5)) == ("clear", "green")


def test_a_wide_picture_is_centred_on_a_clear_ground(tmp_path: Path) -> None:
    path = save(tmp_path, "a.png", encode(plain(RED, size=(40, 20)), "PNG"))
    (frame,) = load_sticker(path, 20, 20).frames
    assert frame.alpha[:5].max() == 0
    assert frame.alpha[5:15].min() == 255
    assert frame.alpha[15:].max() == 0


def test_cover_fills_the_frame(tmp_path: Path) -> None:
    path = save(tmp_path, "a.png", encode(plain(RED, size=(40, 20)), "PNG"))
    (frame,) = load_sticker(path, 20, 20, cover=True).frames
    assert frame.alpha.min() == 255


def test_scaling_draws_no_hidden_colour_into_an_edge(tmp_path: Path) -> None:
    """White beside a transparent black must stay white: a halo would darken it."""
    pixels = np.zeros((32, 32, 4), dtype=np.uint8)
    pixels[:, 16:] = 255
    path = save(tmp_path, "a.png", encode([Image.fromarray(pixels)], "PNG"))
    (frame,) = load_sticker(path, 10, 10).frames
    white = frame.alpha.astype(float) * 235 / 255
    assert np.abs(frame.luma - white).max() <= 1
    assert ((frame.alpha > 0) & (frame.alpha < 255)).any()


def test_too_many_bytes_lose_frames_and_keep_the_duration(tmp_path: Path) -> None:
    data = encode(plain(*[RED, GREEN, BLUE] * 4), "PNG", delays=[20 * i for i in range(1, 13)])
    path = save(tmp_path, "a.png", data)
    whole = load_sticker(path, 8, 8)
    thin = load_sticker(path, 8, 8, max_bytes=5 * whole.frames[0].nbytes)
    assert len(thin.frames) == 4
    assert thin.nbytes <= 5 * whole.frames[0].nbytes
    assert thin.duration == pytest.approx(whole.duration)
    assert thin.delays[0] == pytest.approx(0.12)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None
)
@given(
    source=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    wide=st.integers(1, 40),
    high=st.integers(1, 40),
    cover=st.booleans(),
)
def test_any_picture_fits_any_even_size(
    tmp_path: Path, source: tuple[int, int], wide: int, high: int, cover: bool
) -> None:
    path = save(tmp_path, "a.png", encode(plain(GREEN, size=source), "PNG"))
    (frame,) = load_sticker(path, 2 * wide, 2 * high, cover=cover).frames
    assert (frame.width, frame.height) == (2 * wide, 2 * high)
    assert frame.blue.shape == frame.red.shape == frame.chroma_alpha.shape == (high, wide)
    assert frame.alpha.max() == 255
    if cover:
        assert frame.alpha.min() == 255


@pytest.mark.parametrize(("width", "height"), [(3, 4), (4, 3), (0, 4), (4, -2)])
def test_odd_and_empty_sizes_are_a_mistake_of_the_caller(
    tmp_path: Path, width: int, height: int
) -> None:
    path = save(tmp_path, "a.png", encode(plain(RED), "PNG"))
    with pytest.raises(ValueError, match="not even"):
        load_sticker(path, width, height)


def _bomb(width: int, height: int) -> bytes:
    """A PNG whose header promises a giant; there are no pixels behind it."""
    head = pack(">I4sIIBBBBBI", 13, b"IHDR", width, height, 8, 6, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + head + pack(">I4sI", 0, b"IEND", 0)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (_bomb(30_000, 30_000), "30000x30000 pixels"),
        (GifWriter(20_000, 20_000).frame(1, (0, 0, 1, 1)).done(), "20000x20000 pixels"),
        (b"GIF89a nothing at all", "truncated|no frames|in all"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a GIF, WebP or PNG"),
        (b"", "not a GIF, WebP or PNG"),
        (_bomb(10, 10), "can't be decoded"),
    ],
)
def test_what_is_no_sticker_is_refused_by_name(tmp_path: Path, data: bytes, reason: str) -> None:
    path = save(tmp_path, "strange.gif", data)
    with pytest.raises(StickerError, match=reason) as caught:
        load_sticker(path, 8, 8)
    assert caught.value.where == str(path)
    assert caught.value.do


def test_a_hundred_thousand_frames_are_refused_unseen(tmp_path: Path) -> None:
    frame = GifWriter(400, 400).frame(1, (0, 0, 1, 1)).done()[25:-1]
    data = GifWriter(400, 400).done()[:-1] + frame * 100_000 + b"\x3b"
    with pytest.raises(StickerError, match="more than 300 frames"):
        load_sticker(save(tmp_path, "long.gif", data), 8, 8)


def test_the_sum_of_all_frames_is_limited(tmp_path: Path) -> None:
    path = save(tmp_path, "a.png", encode(plain(RED, GREEN, BLUE), "PNG"))
    with pytest.raises(StickerError, match="3 frames of 8x8, more than 150 pixels"):
        load_sticker(path, 8, 8, StickerLimits(total_pixels=150))


def test_a_large_file_is_refused_before_it_is_read_whole(tmp_path: Path) -> None:
    path = save(tmp_path, "a.png", encode(plain(RED), "PNG"))
    with pytest.raises(StickerError, match="larger than 20 bytes"):
        load_sticker(path, 8, 8, StickerLimits(file_bytes=20))


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_a_truncated_file_is_refused_unless_its_frames_are_whole(tmp_path: Path, kind: str) -> None:
    data = encode(plain(RED, GREEN, size=(12, 12)), kind)
    for length in range(1, len(data), 3):
        try:
            animation = load_sticker(save(tmp_path, "cut", data[:length]), 8, 8)
        except StickerError:
            continue
        # A GIF may end between two blocks: browsers show the frames before.
        assert kind == "GIF"
        assert all(_colour(frame, 4, 4) in ("red", "green") for frame in animation.frames)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=120, deadline=None
)
@given(
    kind=st.sampled_from(["GIF", "PNG", "WEBP"]),
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=4),
)
def test_a_damaged_file_loads_or_is_refused_and_nothing_else(
    tmp_path: Path, kind: str, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(encode(plain(RED, CLEAR, size=(9, 9)), kind))
    for place, value in changes:
        data[place % len(data)] = value
    try:
        animation = load_sticker(save(tmp_path, "damaged", bytes(data)), 8, 8)
    except StickerError:
        return
    assert all((frame.width, frame.height) == (8, 8) for frame in animation.frames)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StickerError, match="no such file") as caught:
        load_sticker(tmp_path / "gone.gif", 8, 8)
    assert caught.value.where.endswith("gone.gif")


def test_a_folder_is_no_sticker(tmp_path: Path) -> None:
    with pytest.raises(StickerError, match="no such file"):
        load_sticker(tmp_path, 8, 8)
