"""How people in a VideoRoom say that they are to be left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.rooms.base import Consent
from sidecar.rooms.janus.consent import MAX_TEXT, named, said


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("!reactions off", Consent.OPT_OUT),
        (" /Reactions ON ", Consent.OPT_IN),
        ('{"textroom": "message", "text": "!reactions off"}', Consent.OPT_OUT),
        ('{"from": "Ada", "body": "!reactions on"}', Consent.OPT_IN),
        ("please write !reactions off", None),
        ('{"text": "hello", "count": 3}', None),
        ('["!reactions off"]', None),
        ("", None),
        ("[" * 2000, None),
        ("!reactions off" + " " * MAX_TEXT, None),
    ],
)
def test_a_command_is_taken_plain_or_as_a_field_of_json(text: str, asked: Consent | None) -> None:
    assert said(text) is asked


@pytest.mark.parametrize(
    ("display", "name", "asked"),
    [
        ("Ada", "Ada", None),
        ("Ada !reactions off", "Ada", Consent.OPT_OUT),
        ("Ada L. /reactions on ", "Ada L.", Consent.OPT_IN),
        ("!reactions off", "", Consent.OPT_OUT),
        ("Ada !reactions maybe", "Ada !reactions maybe", None),
        ("!reactions off Ada", "!reactions off Ada", None),
    ],
)
def test_a_command_may_stand_behind_a_name(display: str, name: str, asked: Consent | None) -> None:
    assert named(display) == (name, asked)


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    said(text)
    name, asked = named(text)
    assert asked is not None or name == text
