"""Outlines of picture files, and the damage that they show without decoding."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gifs.probe import DamagedFileError, ImageInfo, probe
from tests.gifs.pictures import BLUE, GREEN, RED, GifWriter, encode, plain

_SMALL_GIF = GifWriter(8, 6).frame(1, (0, 0, 8, 6)).frame(2, (2, 2, 4, 4)).done()
_FILES = {
    "gif": _SMALL_GIF,
    "apng": encode(plain(RED, GREEN), "PNG"),
    "png": encode(plain(RED), "PNG"),
    "webp": encode(plain(RED, GREEN), "WEBP", lossless=True),
    "still webp": encode(plain(RED), "WEBP"),
    "lossless webp": encode(plain(RED), "WEBP", lossless=True),
}


def test_the_screen_and_frames_of_a_gif_are_read() -> None:
    assert probe(_SMALL_GIF, max_frames=9) == ImageInfo("GIF", 8, 6, 2, reach=(8, 6))


def test_the_frames_of_an_apng_are_read() -> None:
    data = encode(plain(RED, GREEN, BLUE, size=(10, 4)), "PNG")
    assert probe(data, max_frames=9) == ImageInfo("PNG", 10, 4, 3)


def test_the_stand_in_of_an_apng_is_no_frame() -> None:
    data = encode(plain(RED, GREEN, BLUE), "PNG", default_image=True)
    assert probe(data, max_frames=9) == ImageInfo("PNG", 8, 8, 2, skip=1)


def test_a_still_png_is_one_frame() -> None:
    assert probe(_FILES["png"], max_frames=9) == ImageInfo("PNG", 8, 8, 1)


def test_the_canvas_and_frames_of_an_animated_webp_are_read() -> None:
    data = encode(plain(RED, GREEN, BLUE, size=(12, 6)), "WEBP", lossless=True)
    assert probe(data, max_frames=9) == ImageInfo("WEBP", 12, 6, 3)


@pytest.mark.parametrize("lossless", [False, True])
def test_the_size_of_a_still_webp_is_read(lossless: bool) -> None:
    data = encode(plain(RED, size=(14, 6)), "WEBP", lossless=lossless)
    assert probe(data, max_frames=9) == ImageInfo("WEBP", 14, 6, 1)


def test_counting_stops_beyond_the_limit() -> None:
    writer = GifWriter(2, 2)
    for _ in range(50):
        writer.frame(1, (0, 0, 2, 2))
    assert probe(writer.done(), max_frames=3).frames == 4


@pytest.mark.parametrize("name", _FILES)
def test_every_cut_of_a_file_is_noticed(name: str) -> None:
    data = _FILES[name]
    # A GIF may end after a whole frame: its trailer is missing.
    whole = [len(GifWriter(8, 6).frame(1, (0, 0, 8, 6)).done()) - 1, len(data) - 1]
    for length in range(len(data)):
        if name == "gif" and length in {*whole, whole[0] + 8}:
            assert probe(data[:length], max_frames=9).frames == 1 + (length == whole[1])
            continue
        with pytest.raises(DamagedFileError):
            probe(data[:length], max_frames=9)


def test_frames_beyond_the_screen_count_in_the_canvas() -> None:
    data = GifWriter(4, 4).frame(1, (0, 0, 4, 4)).frame(2, (2, 2, 4, 5)).done()
    info = probe(data, max_frames=9)
    assert (info.width, info.height, info.canvas, info.pixels) == (4, 4, (6, 7), 42)


def test_a_picture_of_no_width_is_refused() -> None:
    data = GifWriter(0, 4).frame(1, (0, 0, 0, 4)).done()
    with pytest.raises(DamagedFileError, match="no pixels"):
        probe(data, max_frames=9)


def test_a_gif_without_frames_is_refused() -> None:
    with pytest.raises(DamagedFileError, match="no frames"):
        probe(GifWriter(4, 4).done(), max_frames=9)


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", *(data[:13] for data in _FILES.values())]))
def test_noise_is_refused_and_never_crashes(noise: bytes, start: bytes) -> None:
    try:
        outline = probe(start + noise, max_frames=9)
    except DamagedFileError:
        return
    assert outline.pixels > 0
    assert outline.frames > 0


@settings(deadline=None)
@given(st.sampled_from(sorted(_FILES)), st.integers(0, 10_000), st.integers(0, 255))
def test_a_changed_byte_never_crashes(name: str, place: int, value: int) -> None:
    data = bytearray(_FILES[name])
    data[place % len(data)] = value
    try:
        outline = probe(bytes(data), max_frames=9)
    except DamagedFileError:
        return
    assert outline.frames <= 10
