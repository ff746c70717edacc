"""Names and headers."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import HttpRefusalError
from sidecar.rooms.hosted.names import MAX_NAME, display_name, room_name


@pytest.mark.parametrize("name", ["a", "demo", "Team-7", "x_y", "a" * 64])
def test_a_room_may_be_called(name: str) -> None:
    assert room_name(name) == name


@pytest.mark.parametrize("name", ["", "a b", "../etc", "-a", "a-", "ä", "a" * 65, "a\n", "a.b"])
def test_a_room_can_not_be_called(name: str) -> None:
    with pytest.raises(HttpRefusalError) as caught:
        room_name(name)
    assert caught.value.status == 404


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("Ada", "Ada"),
        ("  Ada \t\n Lovelace ", "Ada Lovelace"),
        ("\u202eevil\x00\x1b[31m", "evil[31m"),
        ("e\u0301", "é"),
        (None, "guest"),
        ("", "guest"),
        ("\u200b\u2066", "guest"),
        ("<b>x</b>", "<b>x</b>"),
        ("李小龙 🐉", "李小龙 🐉"),
    ],
)
def test_a_display_name_is_cleaned(given_name: str | None, shown: str) -> None:
    assert display_name(given_name) == shown


@given(st.text())
def test_any_display_name_is_one_short_printable_line(text: str) -> None:
    shown = display_name(text)
    assert 0 < len(shown) <= MAX_NAME
    assert shown == shown.strip()
    assert all(unicodedata.category(char)[0] != "C" for char in shown)
    assert display_name(shown) == shown
