"""Names to animations: what is found, kept and refused."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import StickerError
from gifs.cache import StickerCache
from gifs.loader import StickerLimits
from tests.gifs.pictures import BLUE, GREEN, RED, encode, plain, save

_FRAME = 16 * 16 * 11 // 4
"""Bytes of one frame of 16x16: luma and alpha whole, three planes at a quarter."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.webp", "b.webp", "c.webp"):
        save(tmp_path, name, encode(plain(RED, GREEN), "WEBP", lossless=True))
    return tmp_path


def test_our_own_art_goes_by_its_bare_name() -> None:
    animation = StickerCache().get("thumbs_up", 60, 60)
    assert len(animation.frames) > 1
    assert animation.frames[0].alpha.max() == 255


def test_a_file_of_the_users_folder_goes_by_its_file_name(folder: Path) -> None:
    assert len(StickerCache([folder]).get("a.webp", 16, 16).frames) == 2


def test_the_first_folder_that_has_the_file_wins(folder: Path, tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.mkdir()
    save(first, "a.webp", encode(plain(BLUE), "WEBP"))
    assert len(StickerCache([first, folder]).get("a.webp", 16, 16).frames) == 1


def test_sizes_are_rounded_down_to_even(folder: Path) -> None:
    cache = StickerCache([folder])
    animation = cache.get("a.webp", 17, 1)
    assert (animation.frames[0].width, animation.frames[0].height) == (16, 2)
    assert cache.get("a.webp", 16, 2) is animation


def test_an_effect_fills_the_frame_and_a_sticker_keeps_its_shape() -> None:
    cache = StickerCache()
    assert cache.get("rain", 40, 40).frames[0].alpha[0].max() > 0
    assert cache.get("smile", 80, 40).frames[0].alpha[:, :20].max() == 0


def test_asking_again_decodes_nothing(folder: Path) -> None:
    cache = StickerCache([folder])
    animation = cache.get("a.webp", 16, 16)
    (folder / "a.webp").unlink()
    assert cache.get("a.webp", 16, 16) is animation


def test_the_least_recently_used_goes_first(folder: Path) -> None:
    cache = StickerCache([folder], max_bytes=4 * _FRAME)
    a = cache.get("a.webp", 16, 16)
    b = cache.get("b.webp", 16, 16)
    assert cache.get("a.webp", 16, 16) is a
    cache.get("c.webp", 16, 16)
    assert cache.nbytes == 4 * _FRAME
    assert cache.get("a.webp", 16, 16) is a
    assert cache.get("b.webp", 16, 16) is not b


def test_a_sticker_too_large_for_the_cache_loses_frames(folder: Path) -> None:
    cache = StickerCache([folder], max_bytes=2 * _FRAME)
    assert len(cache.get("a.webp", 16, 16).frames) == 1
    assert cache.nbytes <= 2 * _FRAME


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 12)), max_size=12))
def test_never_more_bytes_are_kept_than_allowed(
    shared_folder: Path, asked: list[tuple[str, int]]
) -> None:
    cache = StickerCache([shared_folder], max_bytes=6 * _FRAME)
    for name, half in asked:
        animation = cache.get(f"{name}.webp", 2 * half, 2 * half)
        assert animation.frames[0].width == 2 * half
        assert cache.nbytes <= 6 * _FRAME


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stickers")
    for name in "abc":
        save(folder, f"{name}.webp", encode(plain(RED, GREEN), "WEBP", lossless=True))
    return folder


def test_threads_that_want_the_same_sticker_share_one(folder: Path) -> None:
    cache = StickerCache([folder])
    barrier = Barrier(8)

    def ask(_: int) -> object:
        barrier.wait()
        return cache.get("a.webp", 16, 16)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    assert all(answer is answers[0] for answer in answers)
    assert cache.nbytes == 2 * _FRAME


@pytest.mark.parametrize(
    "name",
    [
        "../secret.gif",
        "..",
        ".",
        "",
        " ",
        "/etc/passwd",
        "sub/a.webp",
        "sub\\a.webp",
        "a.webp\0",
    ],
)
def test_a_name_that_leaves_its_folder_is_refused(folder: Path, name: str) -> None:
    inner = folder / "inner"
    inner.mkdir()
    save(folder, "secret.gif", (folder / "a.webp").read_bytes())
    with pytest.raises(StickerError, match="not the name of a sticker"):
        StickerCache([inner]).get(name, 16, 16)


@pytest.mark.parametrize(
    ("asked", "stored"),
    [
        ("a:b.webp", "a:b.webp"),
        ("50%.webp", "50%.webp"),
        ("#1 -x.webp", "#1 -x.webp"),
        ("-x.webp", "-x.webp"),
        ("two\nlines.webp", "two\nlines.webp"),
        ("caf\u00e9.webp", "cafe\u0301.webp"),
        ("cafe\u0301.webp", "caf\u00e9.webp"),
        ("\U0001f469\u200d\U0001f4bb.webp", "\U0001f469\u200d\U0001f4bb.webp"),
        ("Screenshot 3.04\u202fPM.webp", "Screenshot 3.04\u202fPM.webp"),
        ("a\u00a0b.webp", "a\u00a0b.webp"),
        ("latin-\ufffd.webp", os.fsdecode(b"latin-\xe9.webp")),
        ("n" * 250 + ".webp", "n" * 250 + ".webp"),
    ],
)
def test_any_name_of_a_file_is_found(folder: Path, asked: str, stored: str) -> None:
    (folder / "a.webp").rename(folder / stored)
    assert len(StickerCache([folder]).get(asked, 16, 16).frames) == 2


def test_a_name_that_is_too_long_is_not_found(folder: Path) -> None:
    with pytest.raises(StickerError, match="neither a shipped sticker"):
        StickerCache([folder]).get("n" * 5000, 16, 16)


def test_a_link_within_its_folder_is_followed(folder: Path) -> None:
    (folder / "link.webp").symlink_to("a.webp")
    assert len(StickerCache([folder]).get("link.webp", 16, 16).frames) == 2


def test_a_link_out_of_its_folder_is_refused(folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir()
    (inner / "link.webp").symlink_to(folder / "a.webp")
    with pytest.raises(StickerError, match="link that leads out of its folder"):
        StickerCache([inner]).get("link.webp", 16, 16)


@settings(deadline=None)
@given(st.text(max_size=20))
def test_any_other_name_is_an_error_of_ours(shared_folder: Path, name: str) -> None:
    with pytest.raises(StickerError):
        StickerCache([shared_folder]).get("~" + name, 16, 16)


def test_an_unknown_name_lists_ours_and_the_places_searched(folder: Path) -> None:
    with pytest.raises(StickerError) as caught:
        StickerCache([folder]).get("thumb_up", 16, 16)
    assert "thumbs_up" in caught.value.do
    assert str(folder) in caught.value.what


def test_a_refused_file_stays_refused_without_a_growing_traceback(folder: Path) -> None:
    save(folder, "bad.gif", b"GIF89a")
    cache = StickerCache([folder])
    depths = []
    for _ in range(3):
        with pytest.raises(StickerError, match="truncated") as caught:
            cache.get("bad.gif", 16, 16)
        depths.append(len(caught.traceback))
    assert depths == [depths[0]] * 3


def test_check_names_what_fails_and_the_others_still_load(folder: Path) -> None:
    save(folder, "cut.webp", (folder / "a.webp").read_bytes()[:-9])
    big = save(folder, "big.png", encode(plain(RED, size=(50, 50)), "PNG"))
    cache = StickerCache([folder], limits=StickerLimits(pixels=2000))
    failures = cache.check(["a.webp", "cut.webp", "big.png", "nothing.gif", "a.webp"])
    assert list(failures) == ["cut.webp", "big.png", "nothing.gif"]
    assert "truncated" in str(failures["cut.webp"])
    assert failures["big.png"].where == str(big)
    assert len(cache.get("a.webp", 16, 16).frames) == 2
