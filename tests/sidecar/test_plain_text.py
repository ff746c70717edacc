"""Unsafe characters in text from outside."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.plain_text import clean_text, escape_controls

UNSAFE = [
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x9b31m",
    "a\rb",
    "a\nb",
    "\x00",
    "\u202egnp.exe",
    "\u2066x\u2069",
    "\u200f",
    "\ufeff",
    "\u2028",
    "\U000e0041",
    "\udcff",
]


EMBEDDINGS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
"""Bidirectional classes (UAX 9) of characters that change the order of what follows."""


def is_safe(text: str) -> bool:
    return all(
        unicodedata.category(char) not in {"Cc", "Cs", "Zl", "Zp"}
        and unicodedata.bidirectional(char) not in EMBEDDINGS
        for char in text
    )


@pytest.mark.parametrize("text", UNSAFE)
def test_unsafe_characters_are_left_out_of_names_and_escaped_in_output(text: str) -> None:
    assert is_safe(clean_text(f"a{text}b"))
    escaped = escape_controls(text)
    assert is_safe(escaped)
    assert escaped.isprintable()


def test_what_people_write_stays() -> None:
    for text in ("Zoë Ødegård", "José", "יוסי", "山田", "👩\u200d💻", "naïve – “quoted”", "100 %"):
        assert clean_text(text) == unicodedata.normalize("NFC", text)
        assert escape_controls(text) == text


@given(st.text(), st.integers(1, 50))
def test_any_text_becomes_one_short_safe_line(text: str, limit: int) -> None:
    cleaned = clean_text(text, limit)
    assert len(cleaned) <= limit
    assert is_safe(cleaned)
    assert len(cleaned.splitlines()) <= 1


@given(st.text())
def test_any_text_is_safe_at_output(text: str) -> None:
    assert is_safe(escape_controls(text))
    escape_controls(text).encode()
