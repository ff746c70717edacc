"""Durations as people type them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigError
from sidecar.cli.duration import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("2m", 120),
        ("1h30m", 5400),
        ("1h", 3600),
        ("1h2m3s", 3723),
        ("2m30", 150),
        ("0.5", 0.5),
        (" 1H ", 3600),
    ],
)
def test_hours_minutes_and_seconds_add_up(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "0",
        "0s",
        "-5",
        "5x",
        "s",
        "1s2m",
        "1m1m",
        "1:30",
        "inf",
        "nan",
        "1e3",
        "٣",
        "31h" * 99,
        "1000h",
    ],
)
def test_anything_else_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ConfigError, match="such as 90, 90s, 2m or 1h30m"):
        parse_duration(text)


@given(st.integers(0, 500), st.integers(0, 59), st.integers(1, 59))
def test_every_spelling_of_a_length_means_the_same(h: int, m: int, s: int) -> None:
    total = h * 3600 + m * 60 + s
    assert parse_duration(f"{h}h{m}m{s}s") == parse_duration(str(total)) == total


@given(st.text(max_size=12))
def test_no_text_breaks_the_parser(text: str) -> None:
    with contextlib.suppress(ConfigError):
        assert parse_duration(text) > 0
