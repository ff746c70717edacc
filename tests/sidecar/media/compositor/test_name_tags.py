import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.media.compositor.name_tags import MAX_CHARACTERS, avatar, clean, initials, name_label


@given(st.text())
@settings(max_examples=50)
def test_any_name_makes_a_label_that_fits_or_none(name: str) -> None:
    label = name_label(name, 14, 120)
    if label is not None:
        assert label.width <= 120
        assert label.width % 2 == label.height % 2 == 0


@given(st.text(st.characters(), max_size=200))
def test_a_cleaned_name_is_one_short_line(name: str) -> None:
    assert len(clean(name)) <= MAX_CHARACTERS
    assert clean(name).splitlines() in ([], [clean(name)])
    assert clean(clean(name)) == clean(name)


@pytest.mark.parametrize("name", ["", "   ", "\n\t", "\u200b", "\ud800"])
def test_a_name_of_nothing_gets_no_label(name: str) -> None:
    assert name_label(name, 14, 200) is None


def test_a_long_name_is_elided_to_the_room_there_is() -> None:
    whole = name_label("Wolfeschlegelsteinhausenbergerdorff", 14, 1000)
    short = name_label("Wolfeschlegelsteinhausenbergerdorff", 14, 120)
    assert whole is not None
    assert short is not None
    assert short.width <= 120 < whole.width


def test_no_room_is_no_label() -> None:
    assert name_label("Ada", 14, 10) is None


def test_labels_of_one_size_are_equally_high() -> None:
    one, other = name_label("ace", 14, 200), name_label("Ågjy", 14, 200)
    assert one is not None
    assert other is not None
    assert one.height == other.height


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ada Lovelace", "AL"),
        ("ada", "A"),
        ("Anne Marie van Dyk", "AD"),
        ("", "?"),
        ("🎉", "?"),
        ("(they) Kim", "K"),
        ("ßen", "SS"),
    ],
)
def test_initials_are_of_the_first_and_last_word(name: str, letters: str) -> None:
    assert initials(name) == letters


@given(st.text(st.characters(), max_size=20))
@settings(max_examples=50)
def test_every_name_gets_a_disc(name: str) -> None:
    disc = avatar(name, 64)
    assert (disc.width, disc.height) == (64, 64)
    assert disc.alpha[32, 8] == 255
    assert disc.alpha[0, 0] == 0


def test_the_colour_of_a_disc_stays_with_the_name() -> None:
    colours = {int(avatar(name, 64).luma[32, 6]) for name in "abcdefghij"}
    assert len(colours) > 2
